"""MediaPipe landmarks in a CSV file: a row a frame, or a row a landmark; with a header or without.

A row a frame: columns such as `nose_x`, `x_nose`, `landmark_0_x` or `x1, y1, z1, v1`, others (a
class, a time) are passed over, `frame` numbers the row. A row a landmark: columns `frame`,
`landmark` (name or number), `x`, `y` and perhaps `visibility`. Without a header: 132 numbers a row
(x, y, z, visibility) or 99 (x, y, z), after a frame number where there is one more.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.naming import joint_index
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.files.text import load_cells
from posec3d_jax.skeletons.skeleton import get_skeleton

_JOINTS = get_skeleton("blazepose_33").joints
_AXES = {"x": 0, "y": 1, "v": 2, "vis": 2, "visibility": 2}
_FRAME, _LANDMARK = ("frame", "frame_id", "frame_number"), ("landmark", "landmark_id", "joint")


def landmark_rows(file: Path) -> dict[int, np.ndarray]:
    """x, y, visibility [33, 3] by frame; NaN where a cell is empty, visibility 1 without one."""
    rows = load_cells(file)
    if not rows:
        raise BadSample("no_frames", "the table is empty")
    if all(_is_number(cell) or not cell for cell in rows[0]):
        return _without_header(rows)
    header, rows = [re.sub(r"\W+", "_", cell.strip().lower()) for cell in rows[0]], rows[1:]
    if any(len(row) != len(header) for row in rows):
        raise BadSample("wrong_shape", "rows and header have different numbers of cells")
    long = next((header.index(name) for name in _LANDMARK if name in header), None)
    return _by_landmark(header, rows, long) if long is not None else _by_frame(header, rows)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str) -> float:
    return float(cell) if _is_number(cell) else np.nan


def _frame_of(row: Sequence[str], column: int | None, place: int) -> int:
    if column is None:
        return place
    number = _number(row[column])
    if not (number >= 0 and number == number // 1):
        raise BadSample("bad_frame_number", f"row {place} has frame {row[column]!r:.40}", "frame")
    return int(number)


def _without_header(rows: Sequence[Sequence[str]]) -> dict[int, np.ndarray]:
    width = len(rows[0])
    each, frame = divmod(width, 33)
    if each not in (3, 4) or frame > 1 or any(len(row) != width for row in rows):
        message = f"{width} numbers a row without a header, expected 33 x 4 or 33 x 3"
        raise BadSample("wrong_shape", message)
    frames = {}
    for place, row in enumerate(rows):
        points = np.array([_number(cell) for cell in row[frame:]]).reshape(33, each)
        seen = points[:, 3] if each == 4 else np.ones(33)
        points = np.column_stack([points[:, :2], seen])
        frames[_frame_of(row, 0 if frame else None, place)] = points
    return frames


def _by_frame(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[int, np.ndarray]:
    """Rows of which each is a frame."""
    named: dict[str, dict[int, int]] = {}
    for column, name in enumerate(header):
        joint, axis = _joint_and_axis(name)
        if axis in _AXES:
            named.setdefault(joint, {})[_AXES[axis]] = column
    named = {joint: columns for joint, columns in named.items() if {0, 1} <= set(columns)}
    if not named:
        raise BadSample("missing_key", "no column is the x or y of a landmark")
    place = _places(list(named))
    frame = next((header.index(name) for name in _FRAME if name in header), None)
    frames = {}
    for i, row in enumerate(rows):
        points = np.full((33, 3), np.nan)
        for joint, columns in named.items():
            if place[joint] >= 0:
                cells = [_number(row[columns[a]]) if a in columns else 1.0 for a in (0, 1, 2)]
                points[place[joint]] = cells
        frames[_frame_of(row, frame, i)] = points
    return frames


def _joint_and_axis(name: str) -> tuple[str, str]:
    """('nose', 'x') of 'nose_x' and 'x_nose', ('12', 'x') of 'x12'."""
    if numbered := re.fullmatch(r"([xyv])_?(\d+)", name):
        return numbered[2], numbered[1]
    first, _, rest = name.partition("_")
    if first in _AXES and rest:
        return rest, first
    joint, _, axis = name.rpartition("_")
    return joint, axis


def _places(names: Sequence[str]) -> dict[str, int]:
    """The landmark's number of every name, which may itself be a number, from 0 or from 1."""
    if not names:
        raise BadSample("no_frames", "the table has a header only")
    digits = {name: re.search(r"\d+$", name) for name in names}
    if all(digits.values()):
        numbers = {name: int(found[0]) for name, found in digits.items()}
        low = 1 if max(numbers.values()) == 33 else 0
        if min(numbers.values()) < low or max(numbers.values()) - low > 32:
            raise BadSample("wrong_layout", "landmarks are numbered beyond 33", "landmark")
        return {name: number - low for name, number in numbers.items()}
    try:
        index = joint_index(names, _JOINTS)
    except ValueError as error:
        raise BadSample("wrong_layout", str(error), "landmark") from error
    return {name: -1 for name in names} | {
        names[source]: target for target, source in enumerate(index.tolist()) if source >= 0
    }


def _by_landmark(
    header: Sequence[str], rows: Sequence[Sequence[str]], landmark: int
) -> dict[int, np.ndarray]:
    """Rows of which each is a landmark of a frame."""
    columns = {_AXES[name]: i for i, name in enumerate(header) if name in _AXES}
    frame = next((header.index(name) for name in _FRAME if name in header), None)
    if not {0, 1} <= set(columns) or frame is None:
        raise BadSample("missing_key", "expected columns frame, landmark, x and y")
    place = _places(sorted({row[landmark].strip().lower() for row in rows}))
    frames: dict[int, np.ndarray] = {}
    for i, row in enumerate(rows):
        points = frames.setdefault(_frame_of(row, frame, i), np.full((33, 3), np.nan))
        joint = place[row[landmark].strip().lower()]
        if joint >= 0:
            points[joint] = [_number(row[columns[a]]) if a in columns else 1.0 for a in (0, 1, 2)]
    return frames
