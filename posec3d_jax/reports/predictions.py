"""What was recognised in a clip; and in many, as a CSV or JSON file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.files.disk import replacing, write_json
from posec3d_jax.files.places import make_writable

ENDINGS = (".csv", ".json")
_COLUMNS = ("clip", "label", "class", "probability", "warnings", "error")


@dataclass(frozen=True)
class Prediction:
    """What the network says of a clip; `warnings` tells what was odd about the input."""

    label: int
    class_name: str
    scores: np.ndarray  # float32 [K], probabilities
    class_names: tuple[str, ...]
    warnings: tuple[str, ...]

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k likeliest classes with their probabilities."""
        best = np.argsort(-self.scores)[:k]
        return [(self.class_names[i], float(self.scores[i])) for i in best]


Predicted = Iterable[tuple[str, Prediction | str]]  # by clip; or what was wrong with it


def check_ending(path: Path) -> None:
    """Raises ValueError for a file that is neither, or is there and holds something else; DiskError
    where nothing can be written.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(f"--out is {path}; expected a name ending in {' or '.join(ENDINGS)}")
    if path.is_file() and not _is_of_predictions(path):
        raise ValueError(f"--out is {path}, which is there and holds something else: delete it")
    make_writable(path.absolute().parent)


def _is_of_predictions(path: Path) -> bool:
    """Whether a file begins as those that are written here, or is empty."""
    with open(path, "rb") as file:
        start = file.read(100).decode(errors="replace")
    wanted = ",".join(_COLUMNS) if path.suffix == ".csv" else '{\n  "clips"'
    return start.startswith(wanted) or not start


def write_predictions(path: Path, predicted: Predicted) -> None:
    """Writes (clip, prediction or what is wrong) as `path` ends.

    CSV has a line a clip: the likeliest class and its probability. JSON has every class's besides.

    Raises:
      ValueError, DiskError: see `check_ending`.
    """
    check_ending(path)
    if path.suffix == ".json":
        write_json(path, {"clips": [_entry(name, found) for name, found in predicted]})
        return
    with replacing(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for name, found in predicted:
            entry = _entry(name, found)
            writer.writerow(entry | {"warnings": "; ".join(entry.get("warnings", ()))})


def _entry(name: str, found: Prediction | str) -> dict:
    if isinstance(found, str):
        return {"clip": name, "error": found}
    scores = {found.class_names[i]: round(float(score), 6) for i, score in enumerate(found.scores)}
    return {
        "clip": name,
        "label": found.label,
        "class": found.class_name,
        "probability": round(float(found.scores[found.label]), 6),
        "warnings": list(found.warnings),
        "scores": scores,
    }
