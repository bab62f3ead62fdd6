"""3-D skeletons in a frame of their own: centred on the first person, upright, facing one way.

PYSKL's PreNormalize3D, which its graph networks of 3-D joints are trained behind, number for
number. Joints are meant by their number, as there: 0 and 1 are the spine's base and middle, 4 and 8
the left and the right shoulder, as in NTU RGB+D's 25.
"""

import numpy as np

from posec3d_jax.files.arrays import BadSample

BASE, MIDDLE, LEFT, RIGHT = 0, 1, 4, 8
_NTU_JOINTS = 25
_NOTHING = 1e-6  # lengths and angles below are none
_UP, _RIGHT = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])


def normalize(
    points: np.ndarray, score: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Clips [M, T, V, 3], and their scores [M, T, V], in the frame of the person who counts.

    That is the one who is there in more frames, who then comes first. Frames without that person
    are left out, and of more than two persons all but the two who are there longest. In the first
    frame left, the spine's middle (of another layout than NTU's the last joint) comes to be the
    origin, the spine to point along z, and the shoulders along x. Joints that are exact zeros are
    missing, and stay so. A clip without anybody is returned as it is.

    Returns:
      Points, float64 or, where nothing was turned, of the input's dtype, and scores, where given.

    Raises:
      BadSample: not four axes, or too few joints.
    """
    if points.ndim != 4 or points.shape[2] <= RIGHT:
        wanted = f"[persons, frames, more than {RIGHT} joints, 3]"
        raise BadSample("wrong_shape", f"shape {points.shape}, expected {wanted}", "keypoint")
    if not len(points) or points.sum() == 0:
        return points, score
    persons, frames = _who_and_when(points)
    points = points[persons][:, frames]
    score = None if score is None else score[persons][:, frames]
    centre = points[0, 0, MIDDLE if points.shape[2] == _NTU_JOINTS else -1]
    points = (points - centre) * (points != 0).any(-1, keepdims=True)
    points = _turned(points, points[0, 0, MIDDLE] - points[0, 0, BASE], _UP)
    return _turned(points, points[0, 0, RIGHT] - points[0, 0, LEFT], _RIGHT), score


def _who_and_when(points: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The persons that are kept, who counts first, and the frames that person is there in."""
    there = ~np.isclose(points, 0).all((2, 3))
    counts = there.sum(1)
    kept = sorted(np.argsort(-counts, kind="stable")[:2].tolist())
    kept.sort(key=lambda person: -counts[person])
    return kept, np.flatnonzero(there[kept[0]])


def _turned(points: np.ndarray, way: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Points [..., 3] under the smallest rotation that takes `way` to `target`, a unit vector.

    As they are where there is next to no way, or angle; or where the two are opposite.
    """
    axis = np.cross(way, target)
    if np.abs(way).sum() < _NOTHING or np.abs(axis).sum() < _NOTHING:
        return points
    cosine = np.clip(np.dot(way / np.linalg.norm(way), target), -1, 1)
    angle = np.arccos(cosine)
    if angle < _NOTHING:
        return points
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return points @ matrix.T
