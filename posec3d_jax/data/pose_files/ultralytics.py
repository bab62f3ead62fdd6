"""Ultralytics: a folder of `save_txt` labels, a file a frame; or a JSON file of `to_json` results.

A label's line is `class x y w h`, then x, y and perhaps a confidence for every joint, all divided
by the picture's size, then perhaps the box's confidence and the track's id. Frames count from 1 and
one without anybody has no file. A second run appends to the files of the first: lines that are
there twice count once. JSON is a list of frames, each a list of persons, or such a list a line.
"""

import json
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import (
    Options,
    Person,
    PoseFrames,
    assemble,
    guess_unit,
    same_joints,
)
from posec3d_jax.data.pose_files.naming import numbered_files
from posec3d_jax.files.arrays import BadSample, load_json, number_array
from posec3d_jax.files.text import load_text

LAYOUTS = {17: "coco_17"}
_BOX = 5  # numbers before the joints: class, x, y, w, h


def read(path: Path, options: Options) -> PoseFrames:
    """The frames of a folder of labels, or of a JSON file."""
    return read_labels(path, options) if path.is_dir() else read_json(path, options)


def read_labels(folder: Path, options: Options) -> PoseFrames:
    """The frames of a folder of text files."""
    files = numbered_files(folder, "*.txt")
    lines = {number: _lines(file) for number, file in files.items()}
    every = [line for frame in lines.values() for line in frame]
    if not every:
        raise BadSample("no_frames", "no file of it has a line")
    repeated = sum(len(frame) - len(set(frame)) for frame in lines.values())
    if repeated:
        options.notes.append(f"{repeated} lines are there twice, as after a second run")
    num_joints = len(options.layout) if options.layout else 17
    if len(set(map(len, every))) > 1:
        raise BadSample("wrong_shape", "its lines have different numbers of columns")
    columns = _columns(np.array(every), num_joints)
    found = {
        number: [_person(line, num_joints, *columns) for line in dict.fromkeys(frame)]
        for number, frame in lines.items()
    }
    joints = same_joints(found, LAYOUTS, options)
    return assemble(found, joints, options, unit="unit", first=1)


def _lines(file: Path) -> list[tuple[float, ...]]:
    try:
        return [tuple(map(float, line.split())) for line in load_text(file).splitlines() if line]
    except ValueError as error:
        raise BadSample("unreadable_file", f"{file.name}: {error}") from error


def _columns(lines: np.ndarray, num_joints: int) -> tuple[int, bool, bool]:
    """Numbers a joint, whether the box's confidence follows, and whether an id does.

    One number alone is an id where it is whole and at least 1 in every line, else a confidence.
    """
    for each in (3, 2):
        extra = lines.shape[1] - _BOX - num_joints * each
        if 0 <= extra <= 2:
            last = lines[:, -1]
            whole = bool(
                (last == np.floor(last)).all() and (last >= 1).all() and (last < 1e9).all()
            )
            return each, extra - whole >= 1, extra >= 1 and whole
    message = f"{lines.shape[1]} numbers a line, which no {num_joints} joints make"
    raise BadSample("wrong_shape", f"{message}; give the layout of your own joints")


def _person(line: tuple, num_joints: int, each: int, confident: bool, tracked: bool) -> Person:
    points = np.array(line[_BOX : _BOX + num_joints * each]).reshape(num_joints, each)
    if each == 2:  # without confidences a joint that was not found is 0, 0, and the box's serves
        certain = line[_BOX + num_joints * each] if confident else 1.0
        points = np.column_stack([points, np.full(num_joints, certain)])
    return Person(points, int(line[-1]) if tracked else None)


def read_json(file: Path, options: Options) -> PoseFrames:
    """The frames of a JSON file, from 0 on; pixels, or parts of the picture where all are small."""
    contents = _frames(file)
    found = {number: [_result(entry) for entry in frame] for number, frame in enumerate(contents)}
    joints = same_joints(found, LAYOUTS, options)
    return assemble(found, joints, options, unit=guess_unit(found), first=0)


def _frames(file: Path) -> list[list]:
    try:
        contents = load_json(file)
    except BadSample:
        try:  # one frame a line
            contents = [json.loads(line) for line in load_text(file).splitlines() if line.strip()]
        except (RecursionError, ValueError):
            contents = None
        if not contents:
            raise
    if isinstance(contents, list) and contents and all(isinstance(e, dict) for e in contents):
        contents = [contents]  # a single frame
    if not isinstance(contents, list) or not all(isinstance(frame, list) for frame in contents):
        raise BadSample("wrong_type", "expected a list of frames, each a list of persons")
    return contents


def _result(entry) -> Person:
    joints = entry.get("keypoints") if isinstance(entry, dict) else None
    if not isinstance(joints, dict) or not {"x", "y"} <= set(joints):
        raise BadSample("missing_key", "a person has no keypoints with x and y", "keypoints")
    x, y = (number_array(joints[axis], axis).ravel() for axis in "xy")
    visible = joints.get("visible")
    visible = np.ones(len(x)) if visible is None else number_array(visible, "visible").ravel()
    if not len(x) == len(y) == len(visible):
        raise BadSample("wrong_shape", "x, y and visible have different lengths", "keypoints")
    track = entry.get("track_id")
    return Person(np.column_stack([x, y, visible]), track if isinstance(track, int) else None)
