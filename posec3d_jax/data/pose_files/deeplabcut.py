"""DeepLabCut: CSV tables with 3 header rows (scorer, bodyparts, coords), or 4 with individuals.

Joints are one's own: names are matched with those of the layout that the config declares. Empty
cells are missing joints, `likelihood` is the score. Its `.h5` files keep their column names as a
pickle, which is not read: `deeplabcut.analyze_videos(..., save_as_csv=True)` writes the table.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import Options, Person, PoseFrames, assemble
from posec3d_jax.data.pose_files.naming import frame_number
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.files.text import load_cells

_HEADS = ("scorer", "individuals", "bodyparts", "coords")
_COORDS = {"x": 0, "y": 1, "likelihood": 2}


def read(file: Path, options: Options) -> PoseFrames:
    """The frames of a table, individuals as persons with ids."""
    if file.suffix != ".csv":
        message = (
            "DeepLabCut's .h5 keeps its column names as a pickle, which could run a program; save "
            "the table as CSV: deeplabcut.analyze_videos(..., save_as_csv=True)"
        )
        raise BadSample("refused_pickle", message)
    rows = load_cells(file)
    named = {row[0].strip().lower(): row for row in rows[: len(_HEADS)]}
    heads = {name: row for name, row in named.items() if name in _HEADS}
    if not {"bodyparts", "coords"} <= set(heads):
        raise BadSample("missing_key", "expected header rows scorer, bodyparts and coords")
    width = len(heads["coords"])
    rows = rows[len(heads) :]
    if any(len(row) != width for row in [*rows, *heads.values()]):
        raise BadSample("wrong_shape", "rows and header have different numbers of cells")
    columns = _columns(heads)
    joints = tuple(dict.fromkeys(joint for _, joint, _ in columns.values()))
    found = {}
    for place, row in enumerate(rows):
        found[_frame(row, min(columns), place)] = _persons(row, columns, joints)
    return assemble(found, joints, options, first=0)


def _columns(heads: dict[str, Sequence[str]]) -> dict[int, tuple[str, str, int]]:
    """(individual, joint, 0 to 2 for x, y, likelihood) of every column that holds numbers."""
    columns = {}
    for column, coord in enumerate(heads["coords"]):
        if coord.strip().lower() in _COORDS:
            individual = heads["individuals"][column] if "individuals" in heads else "single"
            joint = heads["bodyparts"][column].strip()
            columns[column] = (individual.strip(), joint, _COORDS[coord.strip().lower()])
    if not columns or len(set(columns.values())) < len(columns):
        raise BadSample("wrong_shape", "a joint's x, y or likelihood has no column, or two")
    return columns


def _frame(row: Sequence[str], width: int, place: int) -> int:
    """The row's frame: its number, or the last number in the picture's name."""
    name = row[width - 1].strip() if width else ""
    return frame_number(name) if name else place


def _persons(row: Sequence[str], columns: dict, joints: tuple[str, ...]) -> list[Person]:
    points: dict[str, np.ndarray] = {}
    for column, (individual, joint, coord) in columns.items():
        fresh = np.full((len(joints), 3), (np.nan, np.nan, 1.0))
        try:
            value = float(row[column]) if row[column].strip() else np.nan
        except ValueError as error:
            raise BadSample("wrong_type", f"{row[column]!r:.40} is no number", joint) from error
        points.setdefault(individual, fresh)[joints.index(joint), coord] = value
    there = {name for name, values in points.items() if np.isfinite(values[:, 0]).any()}
    return [Person(values, name) for name, values in points.items() if name in there]
