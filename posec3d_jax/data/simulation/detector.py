"""A pose detector's errors: what turns exact projections into keypoints and scores.

Joints hidden behind a body part, or moving fast, are found less exactly; errors drift from frame
to frame; sides are confused for moments; single joints jump; joints and whole frames are lost.
The score follows the error, as a heatmap peak does.
"""

import numpy as np
from scipy.signal import lfilter

# How exactly people mark each COCO joint, relative to the size of the person: the per-keypoint
# constants of the COCO keypoint evaluation (cocodataset.org, object keypoint similarity).
_COCO_SIGMA = np.float32(1e-3) * np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89], np.float32
)
_LEFT = np.arange(1, 17, 2)
_RIGHT = _LEFT + 1
_SWAPS = ((0, 8), (2, 5), (5, 8), (0, 2))  # all pairs, arms, legs, face: ranges of the pairs

# What hides joints: capsules between joint pairs (indices into the joints followed by the middles
# of ears, shoulders and hips), with radii in metres.
_MIDDLES = ((3, 4), (5, 6), (11, 12))
_CAPSULES = (
    (17, 17, 0.11),
    (18, 19, 0.13),
    (5, 7, 0.05),
    (6, 8, 0.05),
    (7, 9, 0.04),
    (8, 10, 0.04),
    (11, 13, 0.075),
    (12, 14, 0.075),
    (13, 15, 0.05),
    (14, 16, 0.05),
)
_START, _END = (np.array([capsule[i] for capsule in _CAPSULES]) for i in (0, 1))
_RADIUS = np.array([capsule[2] for capsule in _CAPSULES], np.float32)
_BEHIND = 0.07  # metres a joint lies behind the axis of what hides it


def detect(
    pixels: np.ndarray,
    depth: np.ndarray,
    focal: float,
    frame_size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """What a detector makes of exact joints.

    Args:
        pixels: [M, T, 17, 2] exact image positions.
        depth: [M, T, 17] metres from the camera.
        focal: focal length in pixels.
        frame_size: (height, width) pixels.
        rng: draws the errors.

    Returns:
        keypoint float32 [M, T, 17, 2] (missing joints are exact zeros) and score float32
        [M, T, 17] in [0, 1] (0 where missing).
    """
    pixels, depth = pixels.astype(np.float32), depth.astype(np.float32)
    size = np.ptp(pixels[..., 1], axis=2).max(axis=1)[:, None, None]  # tallest, pixels
    hidden = hidden_joints(pixels, depth, focal)
    speed = np.zeros(depth.shape, np.float32)
    speed[:, 1:] = _length(pixels[:, 1:] - pixels[:, :-1]) / size
    quality = np.float32(0.13 * np.exp(rng.normal(-0.1, 0.35)))
    spread = quality * _COCO_SIGMA * (1 + 12 * speed + np.float32(2.2) * hidden)
    error = spread[..., None] * _drift(pixels.shape, rng) + _jumps(hidden, rng)
    found = pixels + size[..., None] * error
    score = _score(error, hidden, rng)
    for person in range(len(found)):
        _confuse_sides(found[person], score[person], rng)
    lost = _outside(found, frame_size) | _lost_frames(depth.shape[:2], rng)[..., None]
    if rng.random() < 0.3:  # a detector that reports only what it trusts
        lost |= score < rng.uniform(0.1, 0.35)
    found[lost], score[lost] = 0, 0
    return found, score


def hidden_joints(pixels: np.ndarray, depth: np.ndarray, focal: float) -> np.ndarray:
    """Bool [M, T, 17]: joints behind a body part (anybody's), from capsules around the bones.

    Every second frame is looked at and stands for the next one too.
    """
    frames = depth.shape[1]
    points = np.concatenate([pixels, depth[..., None]], axis=-1)[:, ::2]
    middles = [(points[:, :, a] + points[:, :, b]) / 2 for a, b in _MIDDLES]
    points = np.concatenate([points, np.stack(middles, axis=2)], axis=2)
    points = np.ascontiguousarray(np.moveaxis(points, -1, 0))  # [3, M, T / 2, 20]
    hidden = np.zeros(points.shape[1:3] + (17,), bool)
    for blocker in range(len(pixels)):
        start, bone = points[:, blocker][..., _START], points[:, blocker][..., _END]
        bone -= start  # [3, T / 2, capsules]
        for person in range(len(pixels)):
            hidden[person] |= _behind(points[:, person, :, :17], start, bone, focal)
    return np.repeat(hidden, 2, axis=1)[:, :frames]


def _behind(joints: np.ndarray, start: np.ndarray, bone: np.ndarray, focal: float) -> np.ndarray:
    """Bool [T, V]: joints [3, T, V] behind any of the capsules along `bone` [3, T, capsules]."""
    x, y, z = joints[..., None] - start[:, :, None]  # [T, V, capsules] each
    bone_x, bone_y, bone_z = bone[:, :, None]
    along = (x * bone_x + y * bone_y) / (bone_x**2 + bone_y**2 + np.float32(1e-3))
    np.clip(along, 0, 1, out=along)
    radius = np.float32(focal) * _RADIUS / start[2]
    near = (x - along * bone_x) ** 2 + (y - along * bone_y) ** 2 < (radius**2)[:, None]
    return (near & (z - along * bone_z > _BEHIND)).any(-1)


def _drift(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Unit noise, half of it correlated over some frames (axis 1)."""
    keep = np.float32(rng.uniform(0.8, 0.95))
    gain = np.sqrt(1 - keep**2)
    fresh = rng.standard_normal((2, *shape), dtype=np.float32)
    fresh[0, :, 0] /= gain  # start in the steady state
    slow = lfilter(np.array([gain]), np.array([1, -keep], np.float32), fresh[0], axis=1)
    return np.float32(0.85) * slow + np.float32(0.53) * fresh[1]


def _jumps(hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gross outliers [M, T, 17, 2] in person sizes, more of them where a joint is hidden."""
    jumps = np.zeros((*hidden.shape, 2), np.float32)
    where = rng.random(hidden.shape) < np.where(hidden, 0.012, 0.002)
    jumps[where] = rng.normal(0, 0.1, size=(int(where.sum()), 2))
    return jumps


def _score(error: np.ndarray, hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Confidence in (0, 1): falls with the error, and for hidden joints."""
    missed = _length(error) / (0.55 * _COCO_SIGMA)
    peak = np.float32(rng.uniform(0.86, 0.96)) - np.float32(0.22) * hidden
    flicker = 0.03 * rng.standard_normal(hidden.shape, dtype=np.float32)
    return np.clip(peak * np.exp(-0.5 * missed**2) + flicker, 0.03, 0.99)


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2)


def _confuse_sides(found: np.ndarray, score: np.ndarray, rng: np.random.Generator) -> None:
    """Exchange left and right of some pairs for a few frames, in place: [T, 17, ...]."""
    frames = len(found)
    apart = np.abs(found[:, 5, 0] - found[:, 6, 0]) + np.abs(found[:, 11, 0] - found[:, 12, 0])
    likely = np.exp(-4 * apart / (apart.mean() + 1))
    for _ in range(rng.poisson(0.5)):
        first, last = _SWAPS[rng.integers(len(_SWAPS))]
        start = rng.choice(frames, p=likely / likely.sum())
        span = slice(start, start + rng.integers(1, 8))
        left, right = _LEFT[first:last], _RIGHT[first:last]
        for values in (found, score):
            values[span, left], values[span, right] = values[span, right], values[span, left]


def _outside(found: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    height, width = frame_size
    x, y = found[..., 0], found[..., 1]
    return (x < 0) | (x > width - 1) | (y < 0) | (y > height - 1)


def _lost_frames(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Bool [M, T]: moments in which a person was not detected at all."""
    lost = np.zeros(shape, bool)
    for person in range(shape[0]):
        for _ in range(rng.poisson(0.25)):
            start = rng.integers(shape[1])
            lost[person, start : start + rng.integers(1, 8)] = True
    return lost
