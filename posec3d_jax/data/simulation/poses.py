"""The words in which actions are written: poses in degrees, keyed motions, mirror and reversal."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posec3d_jax.data.simulation.body import POSE_ROWS, ROW

Angles = float | Sequence[float]
Key = tuple[float, np.ndarray]  # seconds from the previous key, the pose reached

_SWAP_SIDES = np.array(
    [ROW[name[:-1] + {"a": "b", "b": "a"}[name[-1]]] if "_" in name else ROW[name]
     for name in POSE_ROWS]
)  # fmt: skip
_TORSO_ROWS = [ROW["pelvis"], ROW["spine"], ROW["neck"]]


@dataclass(frozen=True)
class Motion:
    """One way of doing an action: rest in `start`, `enter`, `cycle` n times, `leave`, rest."""

    start: np.ndarray  # [12, 3] pose before the action
    enter: tuple[Key, ...] = ()
    cycle: tuple[Key, ...] = ()
    leave: tuple[Key, ...] = ()
    repeats: tuple[int, int] = (1, 1)  # fewest and most times the cycle is done


def pose(
    *,
    pelvis: Angles = 0.0,
    spine: Angles = 0.0,
    neck: Angles = 0.0,
    arms: Angles = 0.0,
    legs: Angles = 0.0,
    arm_a: Angles | None = None,
    arm_b: Angles | None = None,
    leg_a: Angles | None = None,
    leg_b: Angles | None = None,
    forward: float = 0.0,
    lift: float = 0.0,
) -> np.ndarray:
    """A pose [12, 3] in degrees away from standing at ease; what is not given is zero.

    A torso part is (forward, to side a, twist to side a). An arm is (raise, spread, outward
    twist, elbow flexion), a leg the same with the knee; shorter tuples leave the rest zero.
    `arms` and `legs` set both sides, `arm_a` and the like override one. `forward` is the
    way covered since the previous key and `lift` the height above the ground, in metres.
    """
    out = np.zeros((len(POSE_ROWS), 3))
    for name, part in (("pelvis", pelvis), ("spine", spine), ("neck", neck)):
        out[ROW[name]] = _padded(part, 3)
    for side, arm, leg in (("a", arm_a, leg_a), ("b", arm_b, leg_b)):
        for upper, lower, angles in (
            ("shoulder", "elbow", arms if arm is None else arm),
            ("hip", "knee", legs if leg is None else leg),
        ):
            *out[ROW[f"{upper}_{side}"]], out[ROW[f"{lower}_{side}"], 0] = _padded(angles, 4)
    out[ROW["travel"]] = forward, lift, 0
    return out


def _padded(angles: Angles, size: int) -> np.ndarray:
    angles = np.atleast_1d(np.asarray(angles, np.float64))
    return np.pad(angles, (0, size - len(angles)))


def other_side(pose: np.ndarray) -> np.ndarray:
    """The same pose done by side b."""
    swapped = pose[_SWAP_SIDES]
    swapped[_TORSO_ROWS, 1:] *= -1
    return swapped


def alternated(keys: Sequence[Key]) -> tuple[Key, ...]:
    """`keys`, then the same keys done by the other side: a gait from its half cycle."""
    return (*keys, *((seconds, other_side(pose)) for seconds, pose in keys))


def backwards(motion: Motion) -> Motion:
    """The motion played backwards; it must be one without a cycle.

    Raises:
        ValueError: the motion has a cycle or nothing to play.
    """
    if motion.cycle or not motion.enter:
        raise ValueError("only a motion of `enter` keys alone can be played backwards")
    seconds = [key[0] for key in motion.enter]
    poses = [motion.start] + [key[1] for key in motion.enter]
    keys = zip(reversed(seconds), reversed(poses[:-1]), strict=True)
    return Motion(start=poses[-1], enter=tuple(keys))


REST = pose()  # standing at ease
