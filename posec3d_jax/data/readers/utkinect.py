"""UTKinect-Action3D: 20 recordings of 10 subjects, cut into 199 clips of 10 actions.

Source: Xia, Chen, Aggarwal, "View invariant human action recognition using histograms of 3D
joints" (CVPRW 2012). One `joints_sNN_eNN.txt` a recording (frame number, then 20 joints x 3,
metres); `actionLabel.txt` lists the first and last frame of each action, one of which is NaN and is
left out with a warning. A frame number may have two rows; both are kept, in their order. Splits:
subjects 1 to 5 `train`, 6 to 10 `test`. Clips are named sNN_eNN_action.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from posec3d_jax.data.readers.files import find_files, read_samples, require_layout, splits_by
from posec3d_jax.data.readers.views import (
    project_scored,
    turned_camera,
    view_name,
    view_notes,
    with_views,
)
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import load_table
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.skeletons.skeleton import Skeleton

CLASSES = CLASS_NAMES["utkinect"]
RECORDING = re.compile(r"s([0-9]{1,9})_e[0-9]{1,9}")
FRAME = re.compile(r"[0-9]{1,9}")
SEGMENT = re.compile(r"(\w+)\s*:\s*(\S+)\s+(\S+)")


@dataclass(frozen=True)
class _Segment:
    recording: str  # s01_e01
    action: str
    first: int  # frame numbers, both included
    last: int

    @property
    def name(self) -> str:
        return f"{self.recording}_{self.action}"


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    segments: str = "actionLabel.txt",
    extra_yaws: Sequence[float] = (),
) -> SkeletonDataset:
    """Read the folder of recordings (or one above it).

    `segments` names the file of first and last frames; `actionLabel_modified.txt`, where present,
    corrects some of them. `extra_yaws`: see `views.py`.

    Raises FileNotFoundError without the files, ValueError for another layout than kinect_20 or a
    line of the segments that cannot be read. A damaged recording is an error in `report` for each
    of its clips.
    """
    require_layout(skeleton, "kinect_20", "UTKinect")
    folder = find_files(path, "joints_s*_e*.txt", "UTKinect's joints/*.txt")[0].parent
    load = lru_cache(maxsize=1)(_load_recording)  # clips come recording by recording
    clips = list(_segments(folder / segments, report))
    views = with_views(clips, extra_yaws, _split)
    return SkeletonDataset(
        name="utkinect",
        skeleton=skeleton,
        class_names=CLASSES,
        splits=splits_by(views, lambda view: _split(view[0]), _name),
        sequences=read_samples(
            views,
            partial(_read_view, folder=folder, camera=camera, load=load),
            report,
            lambda view: (_name(view), str(_recording_file(folder, view[0]))),
        ),
        total=len(views),
        notes=(*view_notes(camera, extra_yaws), f"segments from {segments}"),
    )


def _split(clip: _Segment) -> str:
    return "train" if int(RECORDING.match(clip.recording)[1]) <= 5 else "test"


def _name(view: tuple[_Segment, float]) -> str:
    clip, yaw = view
    return view_name(clip.name, yaw)


def _segments(file: Path, report: ValidationReport) -> Iterator[_Segment]:
    """The segments of all recordings; those without frame numbers go to the report."""
    if not file.is_file():
        raise FileNotFoundError(f"{file}: the list of segments is missing")
    recording = ""
    try:
        lines = file.read_text("utf-8").splitlines()
    except ValueError as error:
        raise ValueError(f"{file}: no text ({error})") from error
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if RECORDING.fullmatch(line):
            recording = line
        elif line:
            segment = SEGMENT.fullmatch(line)
            if not recording or not segment or segment[1] not in CLASSES:
                expected = "'s01_e01', or 'action: first last' below it"
                raise ValueError(f"{file}, line {number}: {line[:80]!r}; expected {expected}")
            action, first, last = segment.groups()
            if FRAME.fullmatch(first) and FRAME.fullmatch(last):
                yield _Segment(recording, action, int(first), int(last))
            else:
                message = f"left out: its frames are {first} to {last}"
                name = f"{recording}_{action}"
                report.add("no_segment", name, message, str(file), action, severity="warning")


def _recording_file(folder: Path, clip: _Segment) -> Path:
    return folder / f"joints_{clip.recording}.txt"


def _load_recording(file: Path) -> np.ndarray:
    """Rows [N, 61]: frame number, then 20 joints x 3."""
    return load_table(file, 61)


def _read_view(
    view: tuple[_Segment, float],
    folder: Path,
    camera: Mapping,
    load: Callable[[Path], np.ndarray],
) -> SkeletonSequence:
    clip, yaw = view
    file = _recording_file(folder, clip)
    rows = load(file)
    rows = rows[(rows[:, 0] >= clip.first) & (rows[:, 0] <= clip.last), 1:]
    points = rows.reshape(1, -1, 20, 3)
    keypoint, score = project_scored(points, None, turned_camera(camera, yaw))
    label = CLASSES.index(clip.action)
    return SkeletonSequence(_name(view), keypoint, score, camera["image_size"], label, str(file))
