"""One clip of poses from any file that we read: the tool is told from the file where not named."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files import TOOLS
from posec3d_jax.data.pose_files.frames import Options, Persons, PoseFrames
from posec3d_jax.files.arrays import BadSample, load_json, load_npz, number_array
from posec3d_jax.files.text import load_text
from posec3d_jax.skeletons.skeleton import SKELETONS

DIRECTORY = "directory"  # our own format, see readers/directory.py
_BY_FOLDER = {".json": "openpose", ".txt": "ultralytics", ".npy": "mediapipe"}
_BY_SUFFIX = {".npz": DIRECTORY, ".npy": "mediapipe", ".h5": "sleap"}
SUFFIXES = (*_BY_SUFFIX, ".json", ".csv")  # of files that hold poses


def open_poses(path: Path, options: Options, tool: str = "") -> PoseFrames:
    """The frames of a clip.

    Args:
      path: a file, or a folder of a file a frame.
      options: what the file does not say.
      tool: a key of TOOLS, 'directory' for our own format; '' to tell it from the file.

    Raises:
      ValueError: an unknown tool, or a file that cannot be used; says which and why.
    """
    if tool and tool not in (*TOOLS, DIRECTORY):
        raise ValueError(f"{tool!r} is none of {', '.join((*TOOLS, DIRECTORY))}")
    try:
        tool = tool or guess_tool(path)
        return _own(path, options) if tool == DIRECTORY else TOOLS[tool].read(path, options)
    except BadSample as bad:
        raise ValueError(f"{path}{f', read as {tool}' if tool else ''}: {bad}") from bad


def guess_tool(path: Path) -> str:
    """Whose file it is, by its ending and its outermost keys; `BadSample` where nothing fits."""
    if path.is_dir():
        endings = {file.suffix for file in path.iterdir()} & set(_BY_FOLDER)
        if len(endings) != 1:
            message = "a folder of poses holds .json, .txt or .npy, one file a frame"
            raise BadSample("unknown_tool", message)
        return _BY_FOLDER[endings.pop()]
    if path.suffix in _BY_SUFFIX:
        return _BY_SUFFIX[path.suffix]
    if path.suffix == ".csv":
        return "deeplabcut" if load_text(path).startswith("scorer") else "mediapipe"
    tool = _tool_of(load_json(path))
    if tool is None:
        known = ", ".join(TOOLS)
        raise BadSample("unknown_tool", f"no tool writes JSON like this; name the tool: {known}")
    return tool


def _tool_of(contents) -> str | None:
    """Whose JSON has such contents."""
    if isinstance(contents, dict):
        by_key = {
            "keypoint": DIRECTORY,
            "instance_info": "mmpose",
            "annotations": "coco_results",
            "frames": "mediapipe",
        }
        named = (tool for key, tool in by_key.items() if key in contents)
        entry = next(iter(contents.values()), None)
        mapped = isinstance(entry, dict) and {"bodies", "people"} & set(entry)
        return next(named, "alphapose" if mapped else None)
    first = next((item for item in contents if item), None) if isinstance(contents, list) else None
    inner = first[0] if isinstance(first, list) else None
    if isinstance(first, dict):
        if "instances" in first or "keypoint_scores" in first:
            return "mmpose"
        if "pose_landmarks" in first or "poseLandmarks" in first:
            return "mediapipe"
        if "image_id" in first:
            image = str(first["image_id"])
            return "alphapose" if "idx" in first or not image.isdecimal() else "coco_results"
        return "ultralytics" if "keypoints" in first else None
    if isinstance(inner, dict) and "keypoints" in inner:
        return "ultralytics"
    return "mediapipe" if inner is not None else None


def _own(path: Path, options: Options) -> PoseFrames:
    """A clip of the directory format: its rows are the persons."""
    contents = load_npz(path) if path.suffix == ".npz" else load_json(path)
    if not isinstance(contents, Mapping) or "keypoint" not in contents:
        raise BadSample("missing_key", "the file has no 'keypoint'", "keypoint")
    keypoint = number_array(contents["keypoint"], "keypoint").astype(np.float32)
    keypoint = keypoint[None] if keypoint.ndim == 3 else keypoint
    if keypoint.ndim != 4 or keypoint.shape[3] != 2 or not keypoint.shape[1]:
        message = f"shape {keypoint.shape}, expected [persons, frames, joints, 2]"
        raise BadSample("wrong_shape", message, "keypoint")
    finite = np.isfinite(keypoint).all(axis=-1)
    score = (np.where(finite[..., None], keypoint, 0) != 0).any(axis=-1).astype(np.float32)
    if contents.get("score") is not None:
        given = number_array(contents["score"], "score").astype(np.float32)
        if given.size != score.size:
            raise BadSample("wrong_shape", f"shape {given.shape}, expected {score.shape}", "score")
        score = score * np.clip(np.nan_to_num(given.reshape(score.shape)), 0, 1)
    size = options.frame_size or _size(contents.get("frame_size"))
    keypoint = np.where(score[..., None] > 0, keypoint, 0)
    frames = []
    for t in range(keypoint.shape[1]):
        rows = np.flatnonzero(score[:, t].any(axis=-1))
        frames.append(Persons(keypoint[rows, t], score[rows, t], rows))
    return PoseFrames(_joints(keypoint.shape[2], options), tuple(frames), size)


def _size(value) -> tuple[int, int]:
    size = number_array([] if value is None else value, "frame_size").ravel()
    if size.shape != (2,) or not (size >= 1).all():
        message = "the file does not say how large the frames are; give (height, width) in pixels"
        raise BadSample("missing_key", message, "frame_size")
    return int(size[0]), int(size[1])


def _joints(count: int, options: Options) -> tuple[str, ...]:
    if options.layout and len(options.layout) == count:
        return options.layout
    fitting = [layout for layout in SKELETONS.values() if layout.num_joints == count]
    if len({layout.joints for layout in fitting}) != 1 or options.layout:
        names = ", ".join(layout.name for layout in fitting) or "none has as many"
        raise BadSample("wrong_layout", f"{count} joints; name their layout ({names})", "keypoint")
    return fitting[0].joints
