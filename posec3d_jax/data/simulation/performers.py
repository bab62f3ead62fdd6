"""Performers: a body with its own proportions, and its own posture, tempo and way of moving."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from posec3d_jax.data.simulation.actions import ACTIONS
from posec3d_jax.data.simulation.body import ANKLE_HEIGHT, BONES, POSE_ROWS, ROW
from posec3d_jax.data.simulation.poses import Motion, pose

_PERFORMER, _MANNER = 1, 2  # keep the random streams apart (a clip's is 0)

_ARM_ROWS = [ROW[name] for name in ("shoulder_a", "shoulder_b", "elbow_a", "elbow_b")]
_LEG_ROWS = [ROW[name] for name in ("hip_a", "hip_b", "knee_a", "knee_b")]
_TORSO_ROWS = [ROW[name] for name in ("pelvis", "spine", "neck")]

# Bones that vary together, and by how much (standard deviation of the logarithm).
_LIMB_SPREAD = {
    ("knee", "ankle"): 0.035,
    ("elbow", "wrist"): 0.035,
    ("shoulder",): 0.06,
    ("hip",): 0.07,
    ("spine",): 0.03,
    ("neck", "nose", "eye", "ear"): 0.05,
}


@dataclass(frozen=True)
class Performer:
    """Everything a person brings along to every clip."""

    bones: np.ndarray  # [bones, 3] metres
    stature: float  # metres
    posture: np.ndarray  # [12, 3] degrees added to every pose
    amplitude: np.ndarray  # [12, 1] how far they move, 1 being the ordinary
    tempo: float  # seconds they take for a second
    smoothness: float  # seconds over which their movements are rounded
    lag: int  # frames by which side b trails
    sway: float  # degrees of unrest
    right_handed: float  # share of clips in which the right side acts

    @property
    def ankle_height(self) -> float:
        return ANKLE_HEIGHT * self.stature


@lru_cache(maxsize=1024)
def performer(seed: int, number: int) -> Performer:
    """Person `number` of the data set with this seed; always the same one."""
    rng = np.random.default_rng((seed, _PERFORMER, number))
    stature = float(np.clip(rng.normal(1.7, 0.13), 1.25, 2.0))
    return Performer(
        bones=_bones(stature, rng),
        stature=stature,
        posture=_posture(rng),
        amplitude=_amplitude(rng),
        tempo=float(np.exp(rng.normal(0, 0.15))),
        smoothness=float(rng.uniform(0.01, 0.05)),
        lag=int(rng.integers(0, 2)),
        sway=float(rng.uniform(0.5, 2.0)),
        right_handed=float(rng.choice((0.75, 0.25), p=(0.7, 0.3))),
    )


@lru_cache(maxsize=4096)
def manner(seed: int, number: int, action: str) -> Motion:
    """How person `number` does `action`: always in the same manner."""
    stream = (seed, _MANNER, number, list(ACTIONS).index(action))
    return ACTIONS[action](np.random.default_rng(stream))


def _bones(stature: float, rng: np.random.Generator) -> np.ndarray:
    bones = stature * np.array([end for *_, end in BONES])
    for names, spread in _LIMB_SPREAD.items():
        factor = np.exp(rng.normal(0, spread))
        for index, (name, *_) in enumerate(BONES):
            if name.split("_")[0] in names:
                bones[index] *= factor * np.exp(rng.normal(0, 0.01))
    return bones


def _posture(rng: np.random.Generator) -> np.ndarray:
    """A way to stand: slouch, carried head, arms away from the body, bent elbows, wide feet."""
    slouch, wide, toes = rng.normal(2, 4), rng.uniform(1, 6), rng.uniform(0, 12)
    arm, elbow = (rng.normal(2, 4), rng.uniform(3, 12), rng.normal(-5, 10)), rng.uniform(4, 22)
    base = pose(
        pelvis=(rng.normal(0, 2), rng.normal(0, 1), rng.normal(0, 2)),
        spine=(slouch, rng.normal(0, 1.5), rng.normal(0, 3)),
        neck=(rng.normal(6, 6) - slouch, rng.normal(0, 2.5), rng.normal(0, 5)),
        arms=(*arm, elbow),
        legs=(2, wide, toes, 4),
    )
    uneven = rng.normal(0, 2, size=base.shape)
    uneven[ROW["travel"]] = 0
    uneven[_LEG_ROWS] *= 0.4
    return base + uneven


def _amplitude(rng: np.random.Generator) -> np.ndarray:
    amplitude = np.ones((len(POSE_ROWS), 1))
    for rows, spread in ((_ARM_ROWS, 0.07), (_LEG_ROWS, 0.05), (_TORSO_ROWS, 0.12)):
        amplitude[rows] = np.exp(rng.normal(0, spread))
    amplitude[_ARM_ROWS] *= np.exp(rng.normal(0, 0.03, size=(len(_ARM_ROWS), 1)))
    return amplitude
