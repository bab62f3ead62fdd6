"""Accuracy figures from scores and labels, on the host: top-k, mean class, confusion matrix.

All of it agrees with PYSKL's evaluation, ties included. Scores are any monotone figure of merit
(logits or probabilities), float [N, K]; labels are 0-based classes, integer [N].
"""

from typing import Literal

import numpy as np


def _checked(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels as arrays that fit each other; ValueError where they do not."""
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(
            f"scores have shape {scores.shape} and labels {labels.shape}; expected [N, K] and [N]"
        )
    if not len(scores):
        raise ValueError("there are no clips to take a metric of; expected at least one")
    if bad := np.flatnonzero(np.isnan(scores).any(axis=1)).tolist():
        raise ValueError(
            f"the scores of {len(bad)} of {len(scores)} clips are NaN (the first in row {bad[0]}); "
            "the network that gave them has diverged"
        )
    _check_classes(labels, scores.shape[1], "labels")
    return scores, labels


def _check_classes(values: np.ndarray, num_classes: int, what: str) -> None:
    """ValueError unless `values` are integers in 0 .. num_classes - 1."""
    if not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"{what} have dtype {values.dtype}; expected integers")
    bad = np.flatnonzero((values < 0) | (values >= num_classes))
    if len(bad):
        raise ValueError(
            f"{what} must lie in 0..{num_classes - 1}; row {bad[0]} has {values[bad[0]]} "
            f"({len(bad)} rows in all)"
        )


def predict_classes(scores: np.ndarray) -> np.ndarray:
    """The class of the highest score, int64 [N]; of equal ones the first."""
    return np.argmax(scores, axis=1)


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Fraction of clips whose label is among the k highest scores (1 where k >= K).

    Ties are broken as the reference breaks them: the last k of an ascending `np.argsort`.
    """
    if k < 1:
        raise ValueError(f"k is {k}; expected at least 1")
    scores, labels = _checked(scores, labels)
    top = np.argsort(scores, axis=1)[:, -k:]
    return float((top == labels[:, None]).any(axis=1).mean())


def mean_class_accuracy(
    scores: np.ndarray, labels: np.ndarray, classes: Literal["union", "present"] = "union"
) -> float:
    """Mean over classes of the fraction of their clips that are recognised.

    'union' is the reference's mean: over every class that occurs as a label or as a prediction, so
    that a class that is predicted but has no clips counts as 0. 'present': over the classes that
    have clips. The two agree on a test set in which every class occurs.
    """
    if classes not in ("union", "present"):
        raise ValueError(f"classes is {classes!r}; expected 'union' or 'present'")
    scores, labels = _checked(scores, labels)
    confusion = confusion_matrix(predict_classes(scores), labels, scores.shape[1])
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    counted = support + predicted > 0 if classes == "union" else support > 0
    return float(np.mean(_divide(np.diag(confusion), support, empty=0.0)[counted]))


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Clips by true class (row) and predicted class (column), int64 [K, K]."""
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.ndim != 1 or predicted.shape != labels.shape:
        raise ValueError(
            f"predictions have shape {predicted.shape} and labels {labels.shape}; "
            "expected one of each for every clip"
        )
    _check_classes(predicted, num_classes, "predictions")
    _check_classes(labels, num_classes, "labels")
    confusion = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return confusion


def normalize_confusion(confusion: np.ndarray, by: Literal["true", "pred", "all"]) -> np.ndarray:
    """The matrix as fractions of its rows, of its columns, or of all clips; empty ones are 0."""
    sums = {
        "true": confusion.sum(axis=1, keepdims=True),
        "pred": confusion.sum(axis=0, keepdims=True),
        "all": confusion.sum(),
    }
    if by not in sums:
        raise ValueError(f"by is {by!r}; expected 'true', 'pred' or 'all'")
    return _divide(confusion, sums[by], empty=0.0)


def per_class(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the per-class table, each [K].

    support (clips of the class), predicted (clips taken for it), correct: integers; recall and
    precision: float, NaN where there is nothing to divide by.
    """
    support, predicted, correct = confusion.sum(axis=1), confusion.sum(axis=0), np.diag(confusion)
    return dict(
        support=support,
        predicted=predicted,
        correct=correct,
        recall=_divide(correct, support, empty=np.nan),
        precision=_divide(correct, predicted, empty=np.nan),
    )


def summarize(
    scores: np.ndarray, labels: np.ndarray, classes: Literal["union", "present"] = "union"
) -> dict[str, float]:
    """The three headline figures as fractions: top1, top5, mean_class (over these classes)."""
    return dict(
        top1=top_k_accuracy(scores, labels, 1),
        top5=top_k_accuracy(scores, labels, 5),
        mean_class=mean_class_accuracy(scores, labels, classes),
    )


def _divide(numerator: np.ndarray, denominator: np.ndarray, empty: float) -> np.ndarray:
    """Quotient in float64, `empty` where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    out = np.full(numerator.shape, empty)
    return np.divide(numerator, denominator, out=out, where=denominator != 0)
