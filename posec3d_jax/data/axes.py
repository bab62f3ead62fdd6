"""What the axes and channels of a stranger's keypoint array are, told by its values where need be.

Shapes alone do not tell: [T, M, V, 2] reads as many persons of few frames, and three channels are
(x, y, z) or (x, y, score). Where the numbers speak against the reading, the clip is refused with
what to do; nothing is guessed.
"""

import itertools

import numpy as np

from posec3d_jax.files.arrays import BadSample
from posec3d_jax.skeletons.skeleton import SKELETONS

AXES = "[persons, frames, joints, channels]"
_STILL, _APART = 0.25, 0.5  # of a body's size: between two frames of one; between two bodies
_LOOKED_AT = 64  # along persons and frames: enough to tell, and no cost
_SAY_WHICH = "say which: config.data.reader_options.third_channel = 'depth' or 'score'"
THIRD_CHANNELS = ("", "depth", "score")
_FAR = 20.0  # metres: nobody is so large, and no depth camera sees so far


def misplaced_axes(keypoint: np.ndarray, joints: int) -> str:
    """What is wrong with the order of the axes, in words; '' if nothing seems to be.

    Args:
      keypoint: real numbers of any shape.
      joints: V that is expected.
    """
    shape = keypoint.shape
    if keypoint.ndim == 3 and shape[1] == joints and shape[2] in (2, 3):
        return f"shape {shape} has no axis of persons; use keypoint[None] for {AXES}"
    if keypoint.ndim != 4:
        return ""
    if shape[2] != joints or shape[3] not in (2, 3):
        return _told_by_shape(shape, joints)
    if keypoint[..., 0].any() and not keypoint[..., 1].any():
        return (
            "every second channel is 0, so it holds no y: is the last axis persons, as in "
            f"[channels, frames, joints, persons]? Then keypoint.transpose(3, 1, 2, 0) is {AXES}"
        )
    if _frames_first(keypoint):
        return (
            f"shape {shape} reads as {shape[0]} persons of {shape[1]} frames, but along the first "
            "axis the joints move as one body's from frame to frame: is it [frames, persons, "
            f"joints, channels]? Then keypoint.transpose(1, 0, 2, 3) is {AXES}"
        )
    return ""


def _told_by_shape(shape: tuple[int, ...], joints: int) -> str:
    """The order in which the axes would fit, where there is just one."""
    if shape[3] in (2, 3) and any(shape[2] == s.num_joints for s in SKELETONS.values()):
        return ""  # joints of another layout, in the right place
    orders = [
        order
        for order in itertools.permutations(range(4))
        if shape[order[2]] == joints and shape[order[3]] in (2, 3)
    ]
    # Of the two axes that are left, the longer one counts frames.
    orders = [order for order in orders if shape[order[0]] <= shape[order[1]]]
    if len(orders) != 1 or orders[0] == (0, 1, 2, 3):
        return ""
    found = "".join(f", {axis}" for axis in orders[0])[2:]
    return f"shape {shape} is in another order: keypoint.transpose({found}) is {AXES}"


def _frames_first(keypoint: np.ndarray) -> bool:
    """Whether the first axis behaves as frames of a body, and the second does not."""
    with np.errstate(over="ignore"):  # what overflows is caught below as infinite
        points = keypoint[:_LOOKED_AT, :_LOOKED_AT].astype(np.float32)
    first, second = points.shape[:2]
    if first < 3 or not np.isfinite(points).all():
        return False
    there = points.any(axis=-1)
    size = _body_size(points, there)
    along, across = (_step(points, there, axis) for axis in (0, 1))
    if not size > 0 or not along < _STILL * size:
        return False
    if first > second:
        return not across < max(_APART * size, 2 * along)  # nan: nobody twice
    return across > max(_APART * size, 4 * along)


def _body_size(points: np.ndarray, there: np.ndarray) -> float:
    """Median diagonal of the boxes around bodies; 0 where there is nobody."""
    low = np.where(there[..., None], points, np.inf).min(axis=2)
    high = np.where(there[..., None], points, -np.inf).max(axis=2)
    sizes = np.linalg.norm((high - low)[there.any(axis=2)], axis=-1)
    return float(np.median(sizes)) if len(sizes) else 0.0


def _step(points: np.ndarray, there: np.ndarray, axis: int) -> float:
    """Median way of a joint between neighbours along an axis; nan where none is there twice."""
    ways = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
    both = np.take(there, range(1, there.shape[axis]), axis) & np.take(
        there, range(there.shape[axis] - 1), axis
    )
    return float(np.median(ways[both])) if both.any() else float("nan")


def third_channel(points: np.ndarray, configured: str, beside: list[str]) -> str:
    """'depth' or 'score': what the third channel of [..., 3] is.

    It can hardly be a depth where x and y are spread over hundreds and it stays small (pixels with
    a confidence, or with metres), or where all three are 0 to 1 (shares of the frame with one).

    Args:
      points: real numbers; exact zeros are missing.
      configured: what the user says; '' for nothing.
      beside: keys of the clip that only 2-D skeletons need, such as the frame's size.

    Raises:
      BadSample: it may be either.
    """
    if configured:
        return configured
    if beside:
        message = f"three channels together with {' and '.join(beside)} may be 3-D or (x, y, score)"
        raise BadSample("ambiguous_channels", f"{message}; {_SAY_WHICH}", "keypoint")
    _check_depth(points)
    return "depth"


def _check_depth(points: np.ndarray) -> None:
    points = points[np.isfinite(points).all(axis=-1) & points.any(axis=-1)]
    if not len(points):
        return
    plane, third = points[:, :2], points[:, 2]
    spread = float(np.ptp(plane, axis=0).max())
    if spread > _FAR and np.abs(third).max() <= _FAR:
        found = f"x and y are spread over {spread:.0f}"
    elif points.min() >= 0 and points.max() <= 1:
        found = "x and y are within 0 to 1"
    else:
        return
    raise BadSample(
        "ambiguous_channels",
        f"three channels, taken for metres, but {found} and the third is {third.min():.3g} to "
        f"{third.max():.3g}: is it (x, y, score) of an image? {_SAY_WHICH}",
        "keypoint",
    )
