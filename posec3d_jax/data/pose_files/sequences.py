"""Arrays [M, T, V, 2] of a pose file's frames: joints by name, a person its own row."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from posec3d_jax.data.pose_files.frames import PoseFrames
from posec3d_jax.data.pose_files.naming import joint_index
from posec3d_jax.files.arrays import MOST_BYTES, BadSample

# Who is who: for every frame the persons' ids [N], numbered from 0 over the whole video, -1 for
# somebody to leave out.
Link = Callable[[PoseFrames], list[np.ndarray]]


def with_joints(
    frames: PoseFrames, joints: Sequence[str], renamed: Mapping[str, str]
) -> np.ndarray:
    """Where the file has each of `joints`, int [V]; -1 for those it lacks.

    `renamed` gives the layout's names for the file's. `BadSample` where no name fits.
    """
    try:
        return joint_index([renamed.get(name, name) for name in frames.joints], joints)
    except ValueError as error:
        raise BadSample("wrong_layout", str(error)) from error


def to_arrays(
    frames: PoseFrames, index: np.ndarray, ids: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """keypoint float32 [M, T, V, 2] and score [M, T, V]; absent persons and joints are zeros.

    Args:
      frames: T of them.
      index: int [V], the file's joint for each, -1 for none; see `with_joints`.
      ids: for every frame whose row each person is, int [N]; -1 for none.
    """
    rows = 1 + max((int(i.max()) for i in ids if len(i)), default=-1)
    shape = (rows, len(frames.frames), len(index))
    if 12 * np.prod(shape, dtype=np.float64) > MOST_BYTES:
        message = f"{rows} persons in {shape[1]} frames are too much for a clip; cut the video"
        raise BadSample("too_long", message)
    keypoint, score = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
    there = index >= 0
    for t, (persons, row) in enumerate(zip(frames.frames, ids, strict=True)):
        known = row >= 0
        if known.any():
            found = persons.keypoint[known][:, index]
            keypoint[row[known], t] = np.where(there[:, None], found, 0)
            score[row[known], t] = np.where(there, persons.score[known][:, index], 0)
    return keypoint, score


def ids_of(frames: PoseFrames, link: Link | None) -> list[np.ndarray]:
    """Who is who, for every frame int [N]: the file's ids, or what `link` says.

    A file without ids and without two persons in a frame is about one person. `BadSample` where
    there are several, and `link` is None.
    """
    if frames.has_ids:
        return [persons.ids for persons in frames.frames]
    if all(len(persons.keypoint) <= 1 for persons in frames.frames):
        return [np.zeros(len(persons.keypoint), np.int64) for persons in frames.frames]
    if link is None:
        message = "several persons without ids, and nothing to tell who is who"
        raise BadSample("no_ids", message)
    return link(frames)
