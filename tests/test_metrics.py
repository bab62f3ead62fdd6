"""Metrics agree with the reference and with a matrix counted by hand; bad input is refused."""

import numpy as np
import pytest

from posec3d_jax.steps import metrics

# Rows are true classes: two of three right, one of two right, class 2 predicted once, never true.
LABELS = np.array([0, 0, 0, 1, 1])
PREDICTED = np.array([0, 0, 2, 1, 0])
SCORES = np.eye(3, dtype=np.float32)[PREDICTED]


def test_reference_figures(shared):
    case = np.load(shared / "parity" / "metrics.npz")
    scores, labels = case["scores"], case["labels"]
    top = [metrics.top_k_accuracy(scores, labels, k) for k in (1, 2, 5)]
    np.testing.assert_array_equal(top, case["top"])
    assert metrics.mean_class_accuracy(scores, labels) == case["mca"]
    confusion = metrics.confusion_matrix(metrics.predict_classes(scores), labels, 9)
    np.testing.assert_array_equal(confusion, case["cm_None"])
    for by in ("true", "pred", "all"):
        fractions = metrics.normalize_confusion(confusion, by)
        np.testing.assert_allclose(fractions, case[f"cm_{by}"], atol=1e-15)


def test_counted_by_hand():
    confusion = metrics.confusion_matrix(PREDICTED, LABELS, 3)
    np.testing.assert_array_equal(confusion, [[2, 0, 1], [1, 1, 0], [0, 0, 0]])
    table = metrics.per_class(confusion)
    np.testing.assert_allclose(table["recall"], [2 / 3, 1 / 2, np.nan])
    np.testing.assert_allclose(table["precision"], [2 / 3, 1, 0])
    assert metrics.mean_class_accuracy(SCORES, LABELS) == pytest.approx((2 / 3 + 1 / 2) / 3)
    present = metrics.mean_class_accuracy(SCORES, LABELS, classes="present")
    assert present == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics.summarize(SCORES, LABELS) == pytest.approx(
        dict(top1=3 / 5, top5=1.0, mean_class=(2 / 3 + 1 / 2) / 3)
    )


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (SCORES, LABELS[:4], r"labels \(4,\)"),
        (SCORES[:0], LABELS[:0], "no clips"),
        (np.where(SCORES == 1, np.nan, 0), LABELS, "NaN .the first in row 0"),
        (SCORES, LABELS - 1, "row 0 has -1"),
        (SCORES, np.array([0, 0, 3, 1, 1]), r"0\.\.2; row 2 has 3"),
        (SCORES, LABELS.astype(np.float32), "expected integers"),
    ],
)
def test_bad_input_is_refused(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        metrics.summarize(scores, labels)


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match="'union' or 'present'"):
        metrics.mean_class_accuracy(SCORES, LABELS, classes="all")
    with pytest.raises(ValueError, match="at least 1"):
        metrics.top_k_accuracy(SCORES, LABELS, 0)
    with pytest.raises(ValueError, match="'true', 'pred' or 'all'"):
        metrics.normalize_confusion(np.eye(3), "rows")
