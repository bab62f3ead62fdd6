"""An evaluation on disk: scores, metrics, per-class table and confusion matrix, in one folder."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.files.arrays import load_npz
from posec3d_jax.files.disk import write_whole, writing
from posec3d_jax.steps import metrics

SCORES_FILE = "scores.npz"
METRICS_FILE = "metrics.json"
PER_CLASS_FILE = "per_class.csv"
CONFUSION_FILE = "confusion.npy"
HEADLINE = ("protocol", "clips", "top1", "top5", "mean_class")  # always in metrics.json


@dataclass(frozen=True)
class Scores:
    """What a network said of every clip of a split.

    Attributes:
      names: clip ids, unique.
      labels: int64 [N], 0-based classes.
      scores: float32 [N, K], averaged over the views of a clip.
      class_names: K names, or () where the data set has none.
      protocol: how it was tested, in words: '1 clip', '10 clips x flip'.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray
    class_names: tuple[str, ...]
    protocol: str

    def __post_init__(self):
        if self.scores.ndim != 2 or self.labels.shape != self.scores.shape[:1]:
            raise ValueError(
                f"scores have shape {self.scores.shape}, labels {self.labels.shape}; "
                "expected [N, K] and [N]"
            )
        if self.labels.dtype.kind not in "iu" or self.scores.dtype.kind != "f":
            raise ValueError(
                f"scores are {self.scores.dtype}, labels {self.labels.dtype}; expected floats and "
                "integers"
            )
        if not ((self.labels >= 0) & (self.labels < self.scores.shape[1])).all():
            raise ValueError(f"labels outside 0..{self.scores.shape[1] - 1}")
        if len(self.names) != len(self.labels):
            raise ValueError(f"{len(self.names)} names for {len(self.labels)} clips")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ValueError(f"clip {twice!r} occurs twice; expected unique names")
        if self.class_names and len(self.class_names) != self.scores.shape[1]:
            raise ValueError(
                f"{len(self.class_names)} class names for {self.scores.shape[1]} classes"
            )


def save_scores(path: Path, scores: Scores) -> None:
    """Writes an .npz of plain arrays (no pickled objects)."""
    np.savez_compressed(
        path,
        names=np.asarray(scores.names, np.str_),
        labels=scores.labels.astype(np.int64),
        scores=scores.scores.astype(np.float32),
        class_names=np.asarray(scores.class_names, np.str_),
        protocol=np.asarray(scores.protocol, np.str_),
    )


def load_scores(path: str | Path) -> Scores:
    """Reads what `save_scores` wrote; a folder stands for the scores.npz in it.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: naming the file and what is wrong with it.
    """
    path = Path(path)
    path = path / SCORES_FILE if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; `posec3d evaluate` writes {SCORES_FILE}")
    try:
        return _scores(load_npz(path))
    except ValueError as error:
        raise ValueError(f"{path}: not a file of saved scores: {error}") from error


def _scores(arrays: Mapping[str, np.ndarray]) -> Scores:
    expected = ("names", "labels", "scores", "class_names", "protocol")
    if missing := [key for key in expected if key not in arrays]:
        raise ValueError(f"lacks {', '.join(missing)}; it holds {', '.join(arrays) or 'nothing'}")
    if arrays["names"].ndim != 1 or arrays["class_names"].ndim != 1:
        raise ValueError("names and class_names are no lists")
    return Scores(
        names=tuple(arrays["names"].tolist()),
        labels=arrays["labels"],
        scores=arrays["scores"],
        class_names=tuple(arrays["class_names"].tolist()),
        protocol=str(arrays["protocol"]),
    )


def write_evaluation(
    folder: str | Path,
    scores: Scores,
    extra: Mapping[str, Any] | None = None,
    mean_class: str = "union",
) -> dict[str, Any]:
    """Writes metrics.json, per_class.csv, confusion.npy and scores.npz into `folder`.

    Args:
      folder: made where it is missing; files of an earlier evaluation in it are replaced.
      scores: of every clip, each once.
      extra: further JSON-able entries of metrics.json: loss, step, split, config, ...
      mean_class: the classes of the mean class accuracy, 'union' or 'present'; see metrics.py.

    Returns:
      metrics.json: protocol, clips, top1, top5, mean_class (fractions), mean_class_over, then
      `extra`.

    Raises:
      DiskError: it cannot be written.
    """
    folder = Path(folder)
    summary = summary_of(scores, mean_class) | dict(extra or {})
    predicted = metrics.predict_classes(scores.scores)
    confusion = metrics.confusion_matrix(predicted, scores.labels, scores.scores.shape[1])
    text = json.dumps(summary, indent=2, allow_nan=False) + "\n"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / METRICS_FILE).unlink(missing_ok=True)  # written last: where it is, all is whole
        save_scores(folder / SCORES_FILE, scores)
        np.save(folder / CONFUSION_FILE, confusion)
        _write_per_class(folder / PER_CLASS_FILE, confusion, scores.class_names)
        write_whole(folder / METRICS_FILE, text)
    return summary


def summary_of(scores: Scores, mean_class: str = "union") -> dict[str, Any]:
    """protocol, clips, top1, top5, mean_class, mean_class_over."""
    figures = metrics.summarize(scores.scores, scores.labels, mean_class)
    counts = dict(protocol=scores.protocol, clips=len(scores.names))
    return counts | figures | dict(mean_class_over=mean_class)


@dataclass(frozen=True)
class Evaluation:
    """What `write_evaluation` left in a folder: metrics.json, scores and int [K, K] confusion."""

    name: str
    summary: dict[str, Any]
    scores: Scores
    confusion: np.ndarray


def read_evaluation(folder: str | Path) -> Evaluation:
    """Reads an evaluation's folder; its name is the folder's.

    Raises:
      FileNotFoundError, ValueError: naming the file that is missing, broken, or does not fit.
    """
    folder = Path(folder)
    scores = load_scores(folder / SCORES_FILE)
    summary = read_json(folder / METRICS_FILE)
    if missing := [key for key in HEADLINE if key not in summary]:
        raise ValueError(f"{folder / METRICS_FILE}: lacks {', '.join(missing)}; evaluate again")
    predicted = metrics.predict_classes(scores.scores)
    confusion = metrics.confusion_matrix(predicted, scores.labels, scores.scores.shape[1])
    return Evaluation(folder.name, summary, scores, confusion)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; FileNotFoundError or ValueError naming the file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def _write_per_class(path: Path, confusion: np.ndarray, class_names: tuple[str, ...]) -> None:
    table = metrics.per_class(confusion)
    names = class_names or tuple(str(k) for k in range(len(confusion)))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "name", *table])
        for k, name in enumerate(names):
            writer.writerow([k, name, *(_cell(column[k]) for column in table.values())])


def _cell(value: np.generic) -> str:
    """A number as text; empty where there is nothing to divide by."""
    if np.issubdtype(value.dtype, np.integer):
        return str(value)
    return "" if np.isnan(value) else f"{value:.6f}"
