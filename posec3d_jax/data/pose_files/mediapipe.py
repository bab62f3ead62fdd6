"""MediaPipe: pose landmarks as JSON or CSV, and arrays of Holistic, which have no standard form.

Read are
- `.json`: a list of frames (or a mapping with `frames`); a frame is a list of 33 landmarks
  {x, y, z, visibility}, a list of such persons, a mapping with `pose_landmarks`, or null;
- `.csv`: see `mediapipe_tables`;
- a folder of `.npy`, one frame each, or one `.npy` of all: 1662 numbers a frame as Holistic's
  usual recipe lays them out (33 x 4 of the pose first), 132 (the pose alone), or [33, 4].

Landmarks are parts of the picture's size and may lie outside, where they are guesses: those count
as missing. `visibility` is the score. Without several persons a frame, everybody is one person.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import (
    Found,
    Options,
    Person,
    PoseFrames,
    assemble,
    same_joints,
)
from posec3d_jax.data.pose_files.mediapipe_tables import landmark_rows
from posec3d_jax.data.pose_files.naming import numbered_files
from posec3d_jax.files.arrays import BadSample, load_json, load_npy, number_array

LAYOUTS = {33: "blazepose_33"}
_POSE = 33 * 4  # numbers; in Holistic's arrays the face and hands follow
_HOLISTIC = _POSE + 468 * 3 + 2 * 21 * 3
_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks", "keypoints")


def read(path: Path, options: Options) -> PoseFrames:
    """The frames of a file, or of a folder of arrays."""
    if path.is_dir():
        files = numbered_files(path, "*.npy")
        found = {number: _one(_array(load_npy(file))) for number, file in files.items()}
    elif path.suffix == ".npy":
        found = dict(enumerate(map(_array, load_npy(path))))
        found = {number: _one(points) for number, points in found.items()}
    elif path.suffix == ".csv":
        rows = landmark_rows(path)
        found = {number: _one(points) for number, points in rows.items()}
    else:
        found = _read_json(path)
    single = all(len(persons) <= 1 for persons in found.values())
    if single:
        found = {number: [Person(p.points, 0) for p in people] for number, people in found.items()}
    return assemble(found, same_joints(found, LAYOUTS, options), options, unit="unit")


def _one(points: np.ndarray) -> list[Person]:
    """The one person of a frame; landmarks of nobody are all zero, or not numbers."""
    return [Person(points)] if np.nan_to_num(points).any() else []


def _array(frame: np.ndarray) -> np.ndarray:
    """x, y, visibility [33, 3] of one frame's numbers."""
    frame = number_array(frame, "array").ravel()
    if frame.size not in (_HOLISTIC, _POSE):
        message = f"{frame.size} numbers a frame, expected {_HOLISTIC} (Holistic) or {_POSE} (pose)"
        raise BadSample("wrong_shape", message)
    return frame[:_POSE].reshape(33, 4)[:, [0, 1, 3]]


def _read_json(file: Path) -> Found:
    contents = load_json(file)
    contents = contents.get("frames") if isinstance(contents, dict) else contents
    if not isinstance(contents, list):
        raise BadSample("wrong_type", "expected a list of frames", "frames")
    return {number: _persons(frame) for number, frame in enumerate(contents)}


def _persons(frame) -> list[Person]:
    if isinstance(frame, dict):
        frame = next((frame[key] for key in _KEYS if key in frame), None)
        if isinstance(frame, dict):  # {"landmark": [...]}, as protocol buffers print
            frame = frame.get("landmark")
    if not frame:
        return []
    if not isinstance(frame, list):
        raise BadSample("wrong_type", "a frame is no list of landmarks", "pose_landmarks")
    people = frame if isinstance(frame[0], list) and not _is_numbers(frame[0]) else [frame]
    return [Person(_landmarks(person)) for person in people if person]


def _is_numbers(values: Sequence) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _landmarks(person) -> np.ndarray:
    if not isinstance(person, list):
        raise BadSample("wrong_type", "a person is no list of landmarks", "pose_landmarks")
    if all(isinstance(point, dict) for point in person):
        try:
            person = [[p["x"], p["y"], 0, p.get("visibility", 1)] for p in person]
        except KeyError as error:
            raise BadSample("missing_key", f"a landmark has no {error}", "x") from error
    points = number_array(person, "pose_landmarks")
    if points.ndim != 2 or points.shape[1] not in (3, 4):
        message = f"shape {points.shape}, expected landmarks of x, y, z and perhaps visibility"
        raise BadSample("wrong_shape", message, "pose_landmarks")
    seen = points[:, 3] if points.shape[1] == 4 else np.ones(len(points))
    return np.column_stack([points[:, :2], seen])
