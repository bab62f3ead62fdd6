"""From a performer's manner to one clip's poses: keys jittered, joined smoothly, set in unrest."""

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from posec3d_jax.data.simulation.body import POSE_ROWS, ROW, limited, pose_points, stand_on_ground
from posec3d_jax.data.simulation.performers import Performer
from posec3d_jax.data.simulation.poses import Key, Motion

FRAMES = (30, 150)  # fewest and most frames of a clip
_FPS = (24.0, 30.0)
_TRAVEL = ROW["travel"]
_SIDE_B = [ROW[name] for name in ("shoulder_b", "elbow_b")]


def perform(performer: Performer, motion: Motion, rng: np.random.Generator) -> np.ndarray:
    """One take of `motion`: COCO joints [T, 17, 3] in metres, side a on the right.

    Between 0 and about a second of idling comes before and after; T is within `FRAMES`.
    """
    fps = rng.uniform(*_FPS)
    seconds, keys = _timeline(performer, motion, rng, FRAMES[1] / fps)
    times = np.cumsum(seconds) - seconds[0]
    frames = int(np.clip(round(times[-1] * fps), *FRAMES))
    poses = PchipInterpolator(times, keys.reshape(len(keys), -1))(np.linspace(0, times[-1], frames))
    poses = gaussian_filter1d(poses, performer.smoothness * fps, axis=0, mode="nearest")
    poses = poses.reshape(frames, len(POSE_ROWS), 3)
    poses[performer.lag :, _SIDE_B] = poses[: frames - performer.lag, _SIDE_B]
    poses += performer.posture + _unrest(performer, frames, fps, rng)
    poses = limited(poses)
    points = pose_points(poses, performer.bones)
    return stand_on_ground(points, poses[:, _TRAVEL], performer.ankle_height)


def _timeline(
    performer: Performer, motion: Motion, rng: np.random.Generator, longest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Seconds before each key [N] and the keys themselves [N, 12, 3], idling included."""
    pace = performer.tempo * np.exp(rng.normal(0, 0.07))
    keys = _chosen_keys(motion, rng, longest / pace)
    idle = rng.uniform(0, 0.8, size=2) * (rng.random(2) < 0.8)
    seconds = np.array([0.0, idle[0], *(key[0] for key in keys), idle[1]])
    seconds[2:-1] *= pace * np.exp(rng.normal(0, 0.08, size=len(keys)))
    seconds = np.maximum(seconds, 0.02)
    poses = np.stack([motion.start, motion.start, *(key[1] for key in keys), keys[-1][1]])
    poses = poses * performer.amplitude * _wobble(poses, rng)
    poses[:, _TRAVEL, 0] = np.cumsum(poses[:, _TRAVEL, 0])
    poses[:, _TRAVEL, 2] = np.linspace(0, rng.normal(0, 8), len(poses))
    excess = seconds.sum() / longest
    return seconds / max(excess, 1.0), poses


def _chosen_keys(motion: Motion, rng: np.random.Generator, longest: float) -> list[Key]:
    """The keys of one take, with as many repetitions as fit into `longest` seconds."""
    least, most = motion.repeats
    once = sum(seconds for seconds, _ in motion.cycle)
    rest = sum(seconds for seconds, _ in (*motion.enter, *motion.leave))
    if once:
        most = max(least, min(most, int((longest - rest) / once)))
    times = int(rng.integers(least, most + 1))
    return [*motion.enter, *(motion.cycle * times), *motion.leave]


def _wobble(poses: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Factors that make each key of each take a little different; idle keys stay equal."""
    wobble = np.exp(rng.normal(0, 0.05, size=poses.shape))
    wobble[0], wobble[-1] = wobble[1], wobble[-2]
    return wobble


def _unrest(performer: Performer, frames: int, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Slow sway of every joint, and this take's own deviation from the usual posture."""
    shape = (2, 1, len(POSE_ROWS), 3)
    rate = (rng.uniform(0.15, 0.7, size=shape) * 2 * np.pi / fps).astype(np.float32)
    phase = rng.uniform(0, 2 * np.pi, size=shape).astype(np.float32)
    size = (performer.sway * rng.normal(0, 0.7, size=shape)).astype(np.float32)
    time = np.arange(frames, dtype=np.float32)[:, None, None]
    unrest = size[0] * np.sin(rate[0] * time + phase[0])
    unrest += size[1] * np.sin(rate[1] * time + phase[1])
    unrest += rng.normal(0, 2.0, size=shape[1:])
    unrest[:, _TRAVEL] = 0
    unrest[:, [ROW["hip_a"], ROW["hip_b"], ROW["knee_a"], ROW["knee_b"]]] *= 0.3
    return unrest
