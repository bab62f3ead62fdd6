"""UTKinect-Action3D: 20 recordings of 10 subjects, cut into 199 clips of 10 actions.

Source: Xia, Chen, Aggarwal, "View invariant human action recognition using histograms of 3D
joints" (CVPRW 2012). One `joints_sNN_eNN.txt` a recording (frame number, then 20 joints x 3,
metres); `actionLabel.txt` lists the first and last frame of each action, one of which is NaN and is
left out with a warning. A frame number may have two rows; both are kept, in their order. Splits:
subjects 1 to 5 `train`, 6 to 10 `test`. Clips are named sNN_eNN_action.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from posec3d_jax.data.projection import describe
from posec3d_jax.data.readers.files import (
    BadSample,
    find_files,
    project_scored,
    read_samples,
    require_layout,
    splits_by,
)
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.label_spaces import CLASS_NAMES
from posec3d_jax.skeletons import Skeleton

CLASSES = CLASS_NAMES["utkinect"]
RECORDING = re.compile(r"s(\d+)_e\d+")
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
) -> SkeletonDataset:
    """Read the folder of recordings (or one above it).

    `segments` names the file of first and last frames; `actionLabel_modified.txt`, where present,
    corrects some of them. Raises FileNotFoundError without the files, ValueError for another layout
    than kinect_20 or a line of the segments that cannot be read. A damaged recording is an error in
    `report` for each of its clips.
    """
    require_layout(skeleton, "kinect_20", "UTKinect")
    folder = find_files(path, "joints_s*_e*.txt", "UTKinect's joints/*.txt")[0].parent
    clips = list(_segments(folder / segments, report))
    return SkeletonDataset(
        name="utkinect",
        skeleton=skeleton,
        class_names=CLASSES,
        splits=splits_by((clip.name for clip in clips), _split),
        sequences=read_samples(
            clips,
            partial(_read_clip, folder=folder, camera=camera),
            report,
            lambda clip: (clip.name, str(_recording_file(folder, clip))),
        ),
        total=len(clips),
        notes=(describe(camera), f"segments from {segments}"),
    )


def _split(name: str) -> str:
    return "train" if int(RECORDING.match(name)[1]) <= 5 else "test"


def _segments(file: Path, report: ValidationReport) -> Iterator[_Segment]:
    """The segments of all recordings; those without frame numbers go to the report."""
    if not file.is_file():
        raise FileNotFoundError(f"{file}: the list of segments is missing")
    recording = ""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        line = line.strip()
        if RECORDING.fullmatch(line):
            recording = line
        elif line:
            segment = SEGMENT.fullmatch(line)
            if not recording or not segment or segment[1] not in CLASSES:
                expected = "'s01_e01', or 'action: first last' below it"
                raise ValueError(f"{file}, line {number}: {line!r}; expected {expected}")
            action, first, last = segment.groups()
            if first.isdigit() and last.isdigit():
                yield _Segment(recording, action, int(first), int(last))
            else:
                message = f"left out: its frames are {first} to {last}"
                name = f"{recording}_{action}"
                report.add("no_segment", name, message, str(file), action, severity="warning")


def _recording_file(folder: Path, clip: _Segment) -> Path:
    return folder / f"joints_{clip.recording}.txt"


@lru_cache(maxsize=1)  # the segments come recording by recording
def _recording(file: Path) -> np.ndarray:
    """Rows [N, 61]: frame number, then 20 joints x 3."""
    try:
        rows = np.loadtxt(file, ndmin=2)
    except (OSError, ValueError) as error:
        raise BadSample("unreadable_file", f"no table of numbers: {error}") from error
    if rows.shape[1] != 61:
        raise BadSample("wrong_shape", f"{rows.shape[1]} numbers a line, expected 61")
    return rows


def _read_clip(clip: _Segment, folder: Path, camera: Mapping) -> SkeletonSequence:
    file = _recording_file(folder, clip)
    rows = _recording(file)
    rows = rows[(rows[:, 0] >= clip.first) & (rows[:, 0] <= clip.last), 1:]
    keypoint, score = project_scored(rows.reshape(1, -1, 20, 3), None, camera)
    label = CLASSES.index(clip.action)
    return SkeletonSequence(clip.name, keypoint, score, camera["image_size"], label, str(file))
