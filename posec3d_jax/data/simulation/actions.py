"""The actions by name, in label order."""

from collections.abc import Callable

import numpy as np

from posec3d_jax.data.simulation.arm_actions import (
    clap,
    cross_arms,
    drink,
    lift_overhead,
    punch,
    throw,
    wave,
)
from posec3d_jax.data.simulation.body_actions import (
    bow,
    jump,
    jumping_jack,
    kick,
    march,
    pick_up,
    run,
    side_bend,
    sit_down,
    squat,
    walk,
)
from posec3d_jax.data.simulation.poses import Motion, backwards


def stand_up(rng: np.random.Generator) -> Motion:
    return backwards(sit_down(rng))


def put_down(rng: np.random.Generator) -> Motion:
    return backwards(pick_up(rng))


ACTIONS: dict[str, Callable[[np.random.Generator], Motion]] = {
    action.__name__: action
    for action in (
        walk, run, march, jump, jumping_jack, squat, sit_down, stand_up, pick_up, put_down,
        bow, kick, punch, throw, wave, clap, drink, lift_overhead, cross_arms, side_bend,
    )
}  # fmt: skip
