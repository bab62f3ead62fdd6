"""One clip: who does what, seen from where, with whom beside, and what the detector made of it."""

from dataclasses import dataclass

import numpy as np

from posec3d_jax.data.simulation.actions import ACTIONS
from posec3d_jax.data.simulation.body import mirrored
from posec3d_jax.data.simulation.camera import Camera, draw_azimuth, draw_camera, frame, rays
from posec3d_jax.data.simulation.detector import detect
from posec3d_jax.data.simulation.motion import perform
from posec3d_jax.data.simulation.performers import manner, performer
from posec3d_jax.data.simulation.poses import REST, Motion

_CLIP = 0  # the random streams of clips
_BYSTANDER = 0.2  # share of clips with a second person
IDLE = Motion(start=REST, enter=((1.0, REST),))


@dataclass(frozen=True)
class Plan:
    """What is decided about a clip before anything is drawn at random."""

    action: int  # index into ACTIONS
    performer: int  # number of the person
    bystander: int  # number of the person who may stand by
    views: str  # 'train', 'val' or 'test': which camera sectors


@dataclass(frozen=True)
class Clip:
    """A finished clip and how it came about."""

    keypoint: np.ndarray  # float32 [M, T, 17, 2] pixels
    score: np.ndarray  # float32 [M, T, 17]
    frame_size: tuple[int, int]
    azimuth: float  # degrees from where the performer faces at first
    subject: int  # which of the M persons performs


def shoot(plan: Plan, seed: int, index: int) -> Clip:
    """Clip `index` of the data set with this seed; a pure function of its arguments."""
    rng = np.random.default_rng((seed, _CLIP, index))
    azimuth = draw_azimuth(plan.views, rng)
    subject = _act(plan.performer, list(ACTIONS)[plan.action], seed, rng)
    camera = draw_camera(azimuth, subject, rng)
    people = [subject]
    if rng.random() < _BYSTANDER:
        people.append(_bystander(plan.bystander, camera, subject, seed, rng))
    directions, depth = rays(camera, np.stack(people))
    focal, centre = frame(camera, directions[0], rng)
    pixels = centre + focal * directions
    keypoint, score = detect(pixels, depth, focal, camera.frame_size, rng)
    return ordered(keypoint, score, camera, azimuth, rng)


def _act(number: int, action: str, seed: int, rng: np.random.Generator) -> np.ndarray:
    """A take [T, 17, 3] with the hand that this performer happens to use."""
    person = performer(seed, number)
    points = perform(person, manner(seed, number, action), rng)
    return points if rng.random() < person.right_handed else mirrored(points)


def _bystander(
    number: int, camera: Camera, subject: np.ndarray, seed: int, rng: np.random.Generator
) -> np.ndarray:
    """Somebody [T, 17, 3] who stands about beside the subject, or walks past behind it."""
    passes = rng.random() < 0.3
    person = performer(seed, number)
    points = perform(person, manner(seed, number, "walk") if passes else IDLE, rng)
    points = points[np.linspace(0, len(points) - 1, len(subject)).round().astype(int)]
    across = rng.choice((-1, 1)) * camera.axes[0]
    away = camera.axes[2] * (1, 1, 0)
    facing = across + rng.normal(0, 0.2) * away if passes else rng.normal(size=3)
    points = turned(points, facing[:2])
    behind, side = (rng.uniform(0.5, 1.6), 0.0) if passes else rng.uniform((0, 0.7), (1.6, 1.4))
    moved = subject.mean(axis=(0, 1)) - points.mean(axis=(0, 1)) + behind * away + side * across
    return points + moved * (1, 1, 0)


def turned(points: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Turn points that face +y into the horizontal `direction` [2]."""
    x, y = direction / np.linalg.norm(direction)
    turn = np.array([[y, -x, 0], [x, y, 0], [0, 0, 1.0]])
    return points @ turn


def ordered(
    keypoint: np.ndarray,
    score: np.ndarray,
    camera: Camera,
    azimuth: float,
    rng: np.random.Generator,
) -> Clip:
    """Persons in random order (a detector knows no identities); barely seen ones left out."""
    order = rng.permutation(len(keypoint))
    present = (score > 0).mean(axis=(1, 2)) > 0.1
    present[0] = True
    order = order[present[order]]
    subject = int(np.flatnonzero(order == 0)[0])
    return Clip(keypoint[order], score[order], camera.frame_size, azimuth, subject)
