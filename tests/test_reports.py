"""A report shows what a run left behind, escapes it, and names what is broken."""

import json

import numpy as np
import pytest

from posec3d_jax.reports.charts import draw_confusion, draw_curves
from posec3d_jax.reports.report import write_report
from posec3d_jax.runs.evaluations import Scores, write_evaluation

HISTORY = [
    {"step": 10, "epoch": 1, "train/loss": 2.0, "train/top1": 0.2, "train/learning_rate": 0.1},
    {"step": 10, "val/loss": 1.9, "val/top1": 0.75, "val/mean_class": 0.7},
    {"step": 20, "epoch": 2, "train/loss": None, "train/top1": 0.5, "train/learning_rate": 0.0},
    {"step": 20, "val/loss": 1.5, "val/top1": 0.5, "val/mean_class": 0.5},
]
SCORES = Scores(
    names=("first", "second <b>", "third"),
    labels=np.array([0, 1, 1]),
    scores=np.array([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.3, 0.7, 0]], np.float32),
    class_names=("wave & clap", "run", "costs $5_$"),
    protocol="10 clips x flip",
)


def _history(workdir):
    (workdir / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in HISTORY))


def test_report_of_a_whole_run(tmp_path):
    _history(tmp_path)
    (tmp_path / "config.json").write_text('{"name": "demo", "model": {"width": 32}}')
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "volume_keypoints.png").write_bytes(b"\x89PNG")
    write_evaluation(tmp_path / "evaluations" / "test", SCORES, dict(loss=0.25))
    page = write_report(tmp_path).read_text()
    assert page.startswith("<!doctype html>") and "<h1>demo</h1>" in page
    for shown in (
        "66.67 % (10 clips x flip)",  # headline
        "75.00 % at step 10",  # best validation
        "wave &amp; clap",
        "second &lt;b&gt;",  # the confident mistake
        "loss 0.25",
        "<td>model.width</td><td>32</td>",
        "volume keypoints",
        "jax",
    ):
        assert shown in page, shown
    assert page.count("data:image/png;base64,") == 3  # curves, confusion, picture
    assert "http" not in page and "<script" not in page


def test_reports_of_half_a_run(tmp_path):
    write_evaluation(tmp_path / "evaluations" / "test", SCORES)
    assert "Training" not in write_report(tmp_path).read_text()
    trained = tmp_path / "trained"
    trained.mkdir()
    _history(trained)
    assert "not evaluated yet" in write_report(trained).read_text()
    (trained / "metrics.jsonl").write_text('{"step": 7, "train/loss": null}\n')  # diverged
    assert "<td>7</td>" in write_report(trained).read_text()


def test_each_pathway_has_its_confusion_and_only_the_fused_figure_leads(tmp_path):
    write_evaluation(tmp_path / "evaluations" / "test-1-clip", SCORES)
    for output in ("rgb", "pose"):
        folder = tmp_path / "evaluations" / f"test-{output}-1-clip"
        write_evaluation(folder, SCORES, {"output": output})
    page = write_report(tmp_path).read_text()
    assert page.count("66.67 % (10 clips x flip)") == 1
    assert page.count("data:image/png;base64,") == 3  # a confusion each
    assert "test-pose-1-clip (10 clips x flip, pose alone)" in page


def test_nothing_to_report(tmp_path):
    with pytest.raises(ValueError, match="nothing to report; expected metrics.jsonl"):
        write_report(tmp_path)


def test_an_unfinished_evaluation_is_left_out_and_a_broken_one_named(tmp_path, caplog):
    _history(tmp_path)
    folder = tmp_path / "evaluations" / "test"
    write_evaluation(folder, SCORES)
    (folder / "metrics.json").write_text('{"top1": 1.0}')
    with pytest.raises(ValueError, match="metrics.json: lacks protocol, clips, top5, mean_class"):
        write_report(tmp_path)
    (folder / "metrics.json").write_text("{")
    with pytest.raises(ValueError, match="metrics.json: not JSON"):
        write_report(tmp_path)
    (folder / "metrics.json").unlink()
    write_report(tmp_path)
    assert "left out of the report, it has no metrics.json" in caplog.text


def test_curves_have_a_panel_for_what_there_is():
    titles = [axis.get_title(loc="left") for axis in draw_curves(HISTORY).axes]
    assert titles == ["loss", "accuracy", "learning rate"]
    assert len(draw_curves(HISTORY[:1] * 200).axes) == 3
    assert len(draw_curves([{"step": 1, "val/top1": 0.5}]).axes) == 1
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_curves([{"step": 1, "train/loss": None}])


@pytest.mark.parametrize("num_classes", [1, 3, 60, 200])
def test_confusion_of_any_size_can_be_drawn(tmp_path, num_classes):
    confusion = np.random.RandomState(0).randint(0, 3, (num_classes, num_classes))
    names = [f"class $_{k}" for k in range(num_classes)]
    draw_confusion(confusion, names).savefig(tmp_path / "confusion.png", dpi=20)
    assert (tmp_path / "confusion.png").stat().st_size > 0


def test_confusion_must_fit_its_names():
    with pytest.raises(ValueError, match="2 class names"):
        draw_confusion(np.eye(3, dtype=int), ("a", "b"))
