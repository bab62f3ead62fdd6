"""Pose estimators' own files: one module a tool, each with a function from a path to `PoseFrames`.

A clip is one file or one folder of files; `frames` has the form that all share, `linking` finds out
who is who where a tool gives no ids, `sequences` makes arrays [M, T, V, 2] of frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from posec3d_jax.data.pose_files import (
    alphapose,
    coco,
    deeplabcut,
    mediapipe,
    mmpose,
    openpose,
    sleap,
    ultralytics,
)
from posec3d_jax.data.pose_files.frames import Options, PoseFrames


@dataclass(frozen=True)
class Tool:
    """How a tool's clips lie on disk, and what reads one."""

    read: Callable[[Path, Options], PoseFrames]
    suffixes: tuple[str, ...]  # of a clip's file, or of the files of a clip's folder
    folders: tuple[str, ...] = ()  # the suffixes of which a folder is one clip, a file a frame


TOOLS: dict[str, Tool] = {
    "openpose": Tool(openpose.read, (), (".json",)),
    "coco_results": Tool(coco.read, (".json",)),
    "mmpose": Tool(mmpose.read, (".json",)),
    "alphapose": Tool(alphapose.read, (".json",)),
    "ultralytics": Tool(ultralytics.read, (".json",), (".txt",)),
    "mediapipe": Tool(mediapipe.read, (".json", ".csv"), (".npy",)),
    "deeplabcut": Tool(deeplabcut.read, (".csv", ".h5")),
    "sleap": Tool(sleap.read, (".h5",)),
}


def find_clips(folder: Path, tool: Tool) -> list[Path]:
    """The clips below `folder`: files, and folders whose files are frames; in order of name."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    frames = {file.parent for file in files if file.suffix in tool.folders}
    clips = {file for file in files if file.suffix in tool.suffixes and file.parent not in frames}
    return sorted(clips | frames)
