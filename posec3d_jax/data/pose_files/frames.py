"""Persons frame by frame, as a pose estimator's file tells them: one form for every tool.

A tool's module finds persons by frame number (`Found`); `assemble` makes of them what everything
else reads: every frame in its place, pixels, scores in 0..1, missing joints as exact zeros.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from posec3d_jax.files.arrays import BadSample, brief, number_array
from posec3d_jax.skeletons.skeleton import get_skeleton

MOST_FRAMES = 1_000_000  # 9 hours at 30 frames a second
MOST_PERSONS = 1000  # in a frame
NORMALISED_EXTENT = 2.0  # coordinates no larger than this cannot be pixels of a real frame


@dataclass(frozen=True)
class Person:
    """One person of one frame, as found in a file."""

    points: np.ndarray  # float [V, 3]: x, y, confidence; anything in missing joints
    id: int | str | None = None  # the file's own, None where it has none


Found = Mapping[int, Sequence[Person]]  # by the file's frame number; frames may be absent


@dataclass(frozen=True)
class Persons:
    """The persons of one frame; N is 0 where there is nobody."""

    keypoint: np.ndarray  # float32 [N, V, 2], (x, y) pixels; missing joints are exact zeros
    score: np.ndarray  # float32 [N, V], 0..1
    ids: np.ndarray | None  # int64 [N], numbered from 0 over the whole video; None without ids


@dataclass(frozen=True)
class PoseFrames:
    """A video as a pose estimator's file tells it."""

    joints: tuple[str, ...]  # V names
    frames: tuple[Persons, ...]  # all of them from the first on, also those without anybody
    frame_size: tuple[int, int]  # (height, width) pixels
    notes: tuple[str, ...] = ()  # what was mended, for people

    @property
    def has_ids(self) -> bool:
        return all(persons.ids is not None for persons in self.frames)


@dataclass(frozen=True)
class Options:
    """What a file does not say of itself."""

    frame_size: tuple[int, int] | None = None  # (height, width) pixels of the video
    layout: tuple[str, ...] | None = None  # joint names in the file's order, where it has none
    notes: list[str] = field(default_factory=list)  # what was mended, filled in by the tool


def assemble(
    found: Found,
    joints: Sequence[str],
    options: Options,
    *,
    unit: str = "pixels",
    first: int | None = None,
    frame_size: tuple[int, int] | None = None,
) -> PoseFrames:
    """Every frame from `first` to the last with anybody, in pixels.

    Args:
      found: the file's persons.
      joints: their joints' names.
      options: of the user; its frame size goes before the file's.
      unit: of the coordinates, 'pixels', 'unit' (0 to 1 across the picture) or 'signed' (-1 to 1).
      first: the frame number that is frame 0; None for the lowest in the file.
      frame_size: what the file says, if it does.

    Raises:
      BadSample: no frame size, more frames or persons than can be meant, an id twice in a frame.
    """
    size = options.frame_size or frame_size
    if size is None:
        message = (
            "the file does not say how large the video's frames are; give frame_size = "
            "(height, width) in pixels"
        )
        raise BadSample("missing_key", message, "frame_size")
    if not found:
        raise BadSample("no_frames", "there is no frame in it")
    start, stop = min(found) if first is None else min(first, *found), max(found) + 1
    if stop - start > MOST_FRAMES:
        message = f"its frames are numbered {start} to {stop - 1}, more than {MOST_FRAMES}"
        raise BadSample("bad_frame_number", message)
    people = [p for persons in found.values() for p in persons]
    numbers = _dense_ids(people)
    nobody, _ = _frame((), len(joints), size, unit, numbers, start)
    frames, outside = [nobody] * (stop - start), 0
    for number, persons in found.items():
        frames[number - start], left = _frame(persons, len(joints), size, unit, numbers, number)
        outside += left
    notes = list(options.notes)
    if outside:
        notes.append(f"{outside} joints lie outside the picture, guessed, and count as missing")
    return PoseFrames(tuple(joints), tuple(frames), size, tuple(notes))


def _dense_ids(people: Iterable[Person]) -> dict | None:
    """0, 1, ... for the file's ids in the order in which they appear; None where one is absent."""
    numbers: dict = {}
    for person in people:
        if person.id is None:
            return None
        numbers.setdefault(person.id, len(numbers))
    return numbers


def _frame(
    people: Sequence[Person], num_joints: int, size, unit: str, numbers: dict | None, number: int
) -> tuple[Persons, int]:
    """One frame's persons without those nobody saw a joint of, and joints guessed outside it."""
    if len(people) > MOST_PERSONS:
        message = f"frame {number} has {len(people)} persons, more than {MOST_PERSONS}"
        raise BadSample("too_many_persons", message)
    with np.errstate(over="ignore"):  # what overflows float32 is missing, as what is infinite
        points = np.array([p.points for p in people], np.float32).reshape(-1, num_joints, 3)
    keypoint, score = points[..., :2], points[..., 2]
    height, width = size
    seen = np.isfinite(points).all(axis=-1) & (score > 0)
    if unit == "signed":
        keypoint = (keypoint + 1) / 2
    else:  # a joint in the middle of the picture is 0, 0 in signed units
        seen &= (keypoint != 0).any(axis=-1)
    outside = np.zeros_like(seen)
    if unit != "pixels":
        outside = seen & ((keypoint < 0) | (keypoint > 1)).any(axis=-1)
        keypoint = keypoint * np.array([width, height], np.float32)
    seen &= ~outside
    keypoint = np.where(seen[..., None], keypoint, 0).astype(np.float32)
    score = np.where(seen, np.clip(score, 0, 1), 0).astype(np.float32)
    ids = None
    if numbers is not None:
        ids = np.array([numbers[p.id] for p in people], np.int64)
        if len(np.unique(ids)) < len(ids):
            twice = [p.id for p in people if [q.id for q in people].count(p.id) > 1]
            message = f"frame {number} has the person id {brief(twice[0])} twice"
            raise BadSample("duplicate_id", message)
    there = seen.any(axis=-1)
    ids = None if ids is None else ids[there]
    return Persons(keypoint[there], score[there], ids), int(outside.sum())


def guess_unit(found: Found) -> str:
    """The unit that the coordinates can only be in: pixels unless all are near 0 and 1."""
    people = [person.points for person in _all(found)]
    points = np.concatenate(people or [np.zeros((0, 3))])
    points = points[(points[:, 2] > 0) & np.isfinite(points).all(axis=1), :2]
    if not len(points) or np.abs(points).max() > NORMALISED_EXTENT:
        return "pixels"
    return "signed" if points.min() < -0.25 else "unit"


def _all(found: Found) -> list[Person]:
    return [person for persons in found.values() for person in persons]


def same_joints(found: Found, layouts: Mapping[int, str], options: Options) -> tuple[str, ...]:
    """Names of the joints of every person: the user's layout, else the tool's by their number.

    Raises `BadSample` where persons differ in it, or it is no layout's.
    """
    counts = {len(person.points) for person in _all(found)}
    if not counts:
        return options.layout or get_skeleton(next(iter(layouts.values()))).joints
    if len(counts) > 1:
        message = f"persons have {sorted(counts)} joints, expected one number for all"
        raise BadSample("wrong_layout", message)
    (count,) = counts
    if options.layout is not None:
        if len(options.layout) != count:
            message = f"{count} joints a person, but the layout given has {len(options.layout)}"
            raise BadSample("wrong_layout", message)
        return options.layout
    if count not in layouts:
        known = ", ".join(f"{n} ({name})" for n, name in layouts.items())
        message = f"{count} joints a person, expected one of {known}; else give the layout"
        raise BadSample("wrong_layout", message)
    return get_skeleton(layouts[count]).joints


def triples(values, key: str, each: int = 3) -> np.ndarray:
    """[V, 3] of a flat list x, y, confidence; with `each` 2 the confidence is 1."""
    flat = number_array(values, key).ravel()
    if len(flat) % each:
        message = f"{len(flat)} numbers, expected {each} for every joint"
        raise BadSample("wrong_shape", message, key)
    points = flat.reshape(-1, each).astype(np.float32)
    return points if each == 3 else np.column_stack([points, np.ones(len(points), np.float32)])
