"""Crowds: two groups on the two halves of a court, of which one does something together.

In the spirit of Volleyball's eight activities: on the left or on the right (as the camera sees it)
one person sets, spikes or passes, or a whole group cheers; the others stand or walk about.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.simulation.body import mirrored
from posec3d_jax.data.simulation.camera import draw_azimuth, draw_camera, frame, rays
from posec3d_jax.data.simulation.detector import detect
from posec3d_jax.data.simulation.motion import perform
from posec3d_jax.data.simulation.performers import manner, performer
from posec3d_jax.data.simulation.scene import IDLE, Clip, ordered, turned
from posec3d_jax.data.simulation.splits import split_of

FRAMES = 41  # of a clip, as Volleyball's have
LARGEST = 20  # persons: a split has at least as many performers
SIDES = ("left", "right")
# What is done: the action, and whether a whole group does it.
ACTIVITIES = {
    "set": ("lift_overhead", False),
    "spike": ("throw", False),
    "pass": ("squat", False),
    "cheer": ("jumping_jack", True),
}
CLASS_NAMES = tuple(f"{side} {activity}" for side in SIDES for activity in ACTIVITIES)
PERFORMERS = {"train": range(0, 75), "val": range(105, 125), "test": range(125, 155)}

_CROWD = 3  # the random streams of crowds; see performers.py for the others
_STRIDE = 7  # without a common factor with the numbers of performers, so that nobody comes twice
_WALK = 0.3  # share of those not acting who walk about
_NARROW = 0.25  # cameras stand within 45 degrees of the middle line: left stays left


@dataclass(frozen=True)
class CrowdPlan:
    """What is decided about a clip before anything is drawn at random."""

    label: int  # index into CLASS_NAMES
    performers: tuple[int, ...]  # numbers of the persons; the first acts
    views: str  # 'train', 'val' or 'test': which camera sectors


def plan(index: int, persons: int) -> tuple[str, CrowdPlan]:
    """The split of clip `index`, and who is in it: classes and performers take turns."""
    split, performers, views, take = split_of(index)
    turn, label = divmod(take, len(CLASS_NAMES))
    pool = PERFORMERS[performers]
    who = [pool[(turn + 11 * label + _STRIDE * n) % len(pool)] for n in range(persons)]
    return split, CrowdPlan(label, tuple(who), views)


def clip_name(index: int) -> str:
    """Such as 'crowd_000042_left_spike'."""
    _, chosen = plan(index, 1)
    return f"crowd_{index:06d}_{CLASS_NAMES[chosen.label].replace(' ', '_')}"


def sequences(num_clips: int, seed: int, persons: int) -> Iterator[SkeletonSequence]:
    """The clips in order; each a pure function of the seed, its number and `persons`."""
    for index in range(num_clips):
        _, chosen = plan(index, persons)
        clip = shoot(chosen, seed, index)
        yield SkeletonSequence(
            clip_name(index), clip.keypoint, clip.score, clip.frame_size, chosen.label
        )


def shoot(plan: CrowdPlan, seed: int, index: int) -> Clip:
    """One clip of `FRAMES` frames; up to a quarter of the persons are absent."""
    rng = np.random.default_rng((seed, _CROWD, index))
    count = len(plan.performers) - int(rng.integers(0, len(plan.performers) // 4 + 1))
    azimuth = _NARROW * draw_azimuth(plan.views, rng)
    points = _scene(plan, plan.performers[:count], seed, rng)
    everyone = points.reshape(-1, *points.shape[2:])
    camera = draw_camera(azimuth, everyone, rng)
    directions, depth = rays(camera, points)
    focal, centre = frame(camera, directions, rng)
    found, score = detect(centre + focal * directions, depth, focal, camera.frame_size, rng)
    kept = np.linspace(0, found.shape[1] - 1, FRAMES).round().astype(int)
    return ordered(found[:, kept], score[:, kept], camera, azimuth, rng)


def _scene(
    plan: CrowdPlan, people: tuple[int, ...], seed: int, rng: np.random.Generator
) -> np.ndarray:
    """Everybody [M, T, 17, 3] in metres on the court; the group that acts comes first."""
    side, activity = CLASS_NAMES[plan.label].split()
    action, together = ACTIVITIES[activity]
    group = (len(people) + 1) // 2
    acting = group if together else 1
    takes = [_take(who, action if n < acting else "", seed, rng) for n, who in enumerate(people)]
    # A camera in front of the court looks along -y and has -x on its right.
    towards = 1 if side == "left" else -1
    spots = [_spots(towards, group, rng), _spots(-towards, len(people) - group, rng)]
    frames = len(takes[0])
    pairs = zip(takes, np.concatenate(spots), strict=True)
    return np.stack([_placed(points, spot, frames, rng) for points, spot in pairs])


def _placed(
    points: np.ndarray, spot: np.ndarray, frames: int, rng: np.random.Generator
) -> np.ndarray:
    """A take stretched to `frames` frames, about that spot, facing roughly the net."""
    points = points[np.linspace(0, len(points) - 1, frames).round().astype(int)]
    points = turned(points, np.array([-np.sign(spot[0]), 0.0]) + rng.normal(0, 0.6, 2))
    points[..., :2] += spot - points[..., :2].mean(axis=(0, 1))
    return points


def _take(who: int, action: str, seed: int, rng: np.random.Generator) -> np.ndarray:
    """What somebody [T, 17, 3] does; '' for standing or walking about."""
    person = performer(seed, who)
    idle = "walk" if rng.random() < _WALK else ""
    motion = manner(seed, who, action or idle) if action or idle else IDLE
    points = perform(person, motion, rng)
    return points if rng.random() < person.right_handed else mirrored(points)


def _spots(towards: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Where `count` persons stand on one half of the court: [count, 2] metres, in random order.

    The net is at x = 0; half a court is some 4 m deep and 5 m wide.
    """
    rows = -(-count // 3)
    cells = rng.permutation(3 * rows)[:count]
    x = 0.9 + 1.4 * (cells % 3) + rng.uniform(-0.35, 0.35, count)
    y = 5.0 * ((cells // 3 + 0.5) / rows - 0.5) + rng.uniform(-0.6, 0.6, count)
    return np.stack([towards * x, y], axis=-1)
