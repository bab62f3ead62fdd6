"""Where poses come from: a video and an estimator, or another tool's file."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import Options, PoseFrames
from posec3d_jax.data.pose_files.opening import SUFFIXES, open_poses
from posec3d_jax.data.pose_files.sequences import ids_of
from posec3d_jax.poses.estimator import Estimator
from posec3d_jax.poses.following import SEARCH_EVERY, Follower
from posec3d_jax.poses.linking import RATE, link
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.video.decoding import Frame, decode
from posec3d_jax.video.info import probe
from posec3d_jax.video.windows import PoseFrame, PoseStream


def is_pose_file(path: Path) -> bool:
    """Whether the path is a pose estimator's output and not a video."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def open_video(
    path: str | Path,
    estimator: Estimator,
    *,
    every: int = 1,
    search_every: int = SEARCH_EVERY,
) -> PoseStream:
    """The poses of a video, found as they are asked for: memory does not grow with its length.

    Args:
      path: a video file.
      estimator: finds people in pictures.
      every: take frames 0, `every`, 2 `every`, ...
      search_every: of these, how many until everybody is searched for again.

    Raises:
      FileNotFoundError, VideoError: no such file, or one that cannot be decoded.
      ValueError: `every` or `search_every` is not positive.
    """
    info = probe(path)
    follower = Follower(estimator, search_every)
    frames = map(partial(pose_frame, follower), decode(path, every=every))
    joints, name = follower.skeleton.joints, Path(path).name
    return PoseStream(joints, info.size, frames, name, Path(path), every)


def pose_frame(follower: Follower, frame: Frame) -> PoseFrame:
    """The people of a video's next frame, and who is who."""
    people, ids = follower(frame.image, frame.time)
    return PoseFrame(frame.time, people.keypoint, people.score, ids)


def open_pose_file(
    path: str | Path,
    *,
    rate: float = RATE,
    frame_size: tuple[int, int] | None = None,
    tool: str = "",
    layout: str | Mapping = "",
) -> PoseStream:
    """The poses of a file or folder of any tool that we read, with who is who.

    Args:
      path: what the tool wrote of one video.
      rate: frames a second of the video.
      frame_size: (height, width) pixels of the video, where the file does not say.
      tool: whose file; '' to tell it from the file.
      layout: of files that do not name their joints, where it is not the tool's default.

    Raises:
      FileNotFoundError, ValueError: no such file, or one that cannot be used; says why.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder; expected poses or a video")
    if not rate > 0:
        raise ValueError(f"a rate of {rate} frames a second; expected a positive number")
    joints = get_skeleton(layout).joints if layout else None
    poses = open_poses(path, Options(frame_size, joints), tool)
    ids = ids_of(poses, partial(link, rate=rate))
    return PoseStream(poses.joints, poses.frame_size, _timed(poses, ids, rate), path.name)


def _timed(poses: PoseFrames, ids: list[np.ndarray], rate: float) -> Iterator[PoseFrame]:
    for i, (persons, rows) in enumerate(zip(poses.frames, ids, strict=True)):
        sure = rows >= 0
        yield PoseFrame(i / rate, persons.keypoint[sure], persons.score[sure], rows[sure])
