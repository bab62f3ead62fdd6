"""A run as one HTML page: headline, curves, confusions, per-class table, pictures, config."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from posec3d_jax.files.buckets import local_folder, send_file
from posec3d_jax.files.disk import write_whole
from posec3d_jax.reports.charts import draw_confusion, draw_curves, drawable_panels
from posec3d_jax.reports.html_page import (
    Bar,
    Block,
    Heading,
    Paragraph,
    Picture,
    Share,
    Table,
    chart,
    page,
)
from posec3d_jax.runs.evaluations import (
    HEADLINE,
    METRICS_FILE,
    Evaluation,
    Scores,
    read_evaluation,
    read_json,
)
from posec3d_jax.runs.metric_writer import METRICS_FILE as HISTORY_FILE
from posec3d_jax.runs.metric_writer import read_metrics
from posec3d_jax.runs.records import versions
from posec3d_jax.steps import metrics

REPORT_FILE = "report.html"


def write_report(workdir: str | Path) -> Path:
    """Writes `<workdir>/report.html`, a self-contained page, and returns its path.

    It shows what lies in the folder: metrics.jsonl, evaluations/*/, pictures/*.png, config.json;
    what is not there is left out, so that an evaluation without training has a report too.

    Raises:
      ValueError: there is neither training nor an evaluation, or a file is broken (it is named).
    """
    workdir = local_folder(workdir)
    history_file, config_file = workdir / HISTORY_FILE, workdir / "config.json"
    history = read_metrics(history_file) if history_file.is_file() else []
    evaluations = _read_evaluations(workdir / "evaluations")
    if not history and not evaluations:
        raise ValueError(
            f"{workdir}: nothing to report; expected {HISTORY_FILE} (from `posec3d train`) or "
            "evaluations/*/ (from `posec3d evaluate`)"
        )
    config = read_json(config_file) if config_file.is_file() else {}
    name = str(config["name"]) if "name" in config else workdir.resolve().name
    body = [Heading(name, level=1), *_headline(evaluations)]
    body += _training(history) if history else []
    for evaluation in evaluations:
        body += _evaluation(evaluation)
    body += [*_pictures(workdir / "pictures"), *_config(config)]
    path = workdir / REPORT_FILE
    write_whole(path, page(name, body))
    send_file(path)
    return path


def _read_evaluations(folder: Path) -> list[Evaluation]:
    """Every finished evaluation, by name; an unfinished one is left out with a warning."""
    evaluations = []
    for each in sorted(path for path in folder.glob("*") if path.is_dir()):
        if (each / METRICS_FILE).is_file():
            evaluations.append(read_evaluation(each))
        else:
            logging.warning("%s: left out of the report, it has no %s", each, METRICS_FILE)
    return evaluations


def _headline(evaluations: list[Evaluation]) -> Iterator[Block]:
    if evaluations:
        whole = [e for e in evaluations if "output" not in e.summary]  # not of one pathway alone
        found = [f"{Share(e.summary['top1'])} ({e.summary['protocol']})" for e in whole]
        yield Paragraph("top-1 accuracy " + ", ".join(found), "lead")
        columns = ("evaluation", "protocol", "clips", "top-1", "top-5", "mean class")
        rows = [(e.name, *(_headline_value(e, key) for key in HEADLINE)) for e in evaluations]
        yield Table(columns, rows)
    else:
        yield Paragraph("Trained, not evaluated yet.", "lead")
    yield Paragraph(
        "Top-k: share of the clips whose class is among the k highest scores. Mean class: mean "
        "recall over the classes that occur as a label or as a prediction.", "note"
    )  # fmt: skip


def _headline_value(evaluation: Evaluation, key: str) -> object:
    value = evaluation.summary[key]
    return Share(value) if isinstance(value, float) else value


def _training(history: list[dict[str, Any]]) -> Iterator[Block]:
    yield Heading("Training")
    if drawable_panels(history):
        yield chart(draw_curves(history))
    facts = [("steps", history[-1]["step"])]
    if epochs := _values(history, "epoch"):
        facts.append(("epochs", f"{epochs[-1][1]:g}"))
    if validated := _values(history, "val/top1"):
        step, top1 = max(validated, key=lambda pair: pair[1])
        facts.append(("best validation top-1", f"{Share(top1)} at step {step}"))
        facts.append(("last validation top-1", str(Share(validated[-1][1]))))
    if speeds := _values(history, "train/clips_per_second"):
        facts.append(("clips per second (median)", f"{np.median([v for _, v in speeds]):.1f}"))
    yield Table(("", ""), [(name, str(value)) for name, value in facts])


def _values(history: list[dict[str, Any]], key: str) -> list[tuple[int, float]]:
    """(step, value) wherever the key has a value that is not null."""
    return [(line["step"], line[key]) for line in history if line.get(key) is not None]


def _evaluation(evaluation: Evaluation) -> Iterator[Block]:
    scores, confusion = evaluation.scores, evaluation.confusion
    names = scores.class_names or tuple(f"class {k}" for k in range(len(confusion)))
    alone = f", {evaluation.summary['output']} alone" if "output" in evaluation.summary else ""
    yield Heading(f"Evaluation: {evaluation.name} ({scores.protocol}{alone})")
    details = _flat({k: v for k, v in evaluation.summary.items() if k not in HEADLINE})
    if details:
        yield Paragraph(" · ".join(f"{key} {value}" for key, value in details), "note")
    yield Heading("Confusion matrix", 3)
    yield chart(draw_confusion(confusion, scores.class_names))
    if mistakes := _worst_confusions(confusion, names):
        yield Heading("Most frequent confusions", 3)
        yield Table(("true class", "predicted as", "clips", "of the class"), mistakes)
        yield Heading("Most confident mistakes", 3)
        yield Table(("clip", "true class", "predicted as", "score"), _worst_clips(scores, names))
    yield Heading("Classes", 3)
    yield _class_table(confusion, names)


def _worst_confusions(
    confusion: np.ndarray, names: tuple[str, ...], limit: int = 12
) -> list[tuple]:
    """Pairs of classes by how many clips they cost: (true, predicted, clips, share)."""
    wrong = confusion * (1 - np.eye(len(confusion), dtype=int))
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    pairs = [divmod(int(i), len(confusion)) for i in order]
    return [
        (names[a], names[b], int(wrong[a, b]), Share(wrong[a, b] / confusion[a].sum()))
        for a, b in pairs
        if wrong[a, b]
    ]


def _worst_clips(scores: Scores, names: tuple[str, ...], limit: int = 10) -> list[tuple]:
    """Wrong clips with the highest score of the predicted class."""
    predicted = metrics.predict_classes(scores.scores)
    wrong = np.flatnonzero(predicted != scores.labels)
    confidence = scores.scores[wrong, predicted[wrong]]
    worst = wrong[np.argsort(-confidence, kind="stable")[:limit]]
    return [
        (
            scores.names[i],
            names[scores.labels[i]],
            names[predicted[i]],
            f"{scores.scores[i, predicted[i]]:.3f}",
        )
        for i in worst
    ]


def _class_table(confusion: np.ndarray, names: tuple[str, ...]) -> Table:
    table = metrics.per_class(confusion)
    rows = [
        (k, name, int(support), Bar(recall), Share(precision))
        for k, (name, support, recall, precision) in enumerate(
            zip(names, table["support"], table["recall"], table["precision"], strict=True)
        )
    ]
    return Table(("", "class", "clips", "recall", "precision"), rows, two_columns=True)


def _pictures(folder: Path) -> Iterator[Block]:
    files = sorted(folder.glob("*.png"))
    if files:
        yield Heading("Pictures")
    for file in files:
        yield Picture(file.read_bytes(), file.stem.replace("_", " "))


def _config(config: Mapping[str, Any]) -> Iterator[Block]:
    if config:
        yield Heading("Configuration")
        yield Table(("key", "value"), _flat(config), two_columns=True)
    yield Heading("Versions")
    yield Paragraph("Of the program that wrote this page.", "note")
    yield Table(("", ""), list(versions().items()))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Leaves as ('model.width', '32'), in order."""
    leaves = []
    for key, value in tree.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = {str(i): each for i, each in enumerate(value, start=1)}
        if isinstance(value, Mapping) and value:
            leaves += _flat(value, f"{prefix}{key}.")
        else:
            leaves.append((f"{prefix}{key}", _text(value)))
    return leaves


def _text(value: Any) -> str:
    """A leaf for reading: long lists (class names) are cut."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 200 else text[:200] + " …"
