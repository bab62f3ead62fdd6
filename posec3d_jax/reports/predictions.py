"""What was recognised in many clips, as a CSV or JSON file."""

import csv
from collections.abc import Iterable
from pathlib import Path

from posec3d_jax.files.disk import replacing, write_json
from posec3d_jax.files.places import make_writable
from posec3d_jax.predict import Prediction

ENDINGS = (".csv", ".json")
_COLUMNS = ("clip", "label", "class", "probability", "warnings", "error")
Predicted = Iterable[tuple[str, Prediction | str]]


def check_ending(path: Path) -> None:
    """Raises ValueError for a file that is neither, DiskError where nothing can be written."""
    if path.suffix not in ENDINGS:
        raise ValueError(f"--out is {path}; expected a name ending in {' or '.join(ENDINGS)}")
    make_writable(path.absolute().parent)


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
