"""Built-in clips to try the service with: one of each simulated action, test performers."""

from functools import cache
from typing import Any

from posec3d_jax.data import simulation
from posec3d_jax.data.simulation.scene import Plan, shoot

SEED = 1  # other people than any data set is usually made with
_FIRST = 90  # number of a performer of the test splits


def sample_names() -> list[str]:
    """The simulated actions."""
    return list(simulation.CLASS_NAMES)


@cache
def sample(name: str) -> dict[str, Any]:
    """A clip of that action as a request's body, and 30 frames a second.

    Raises:
      KeyError: there is no such action.
    """
    if name not in simulation.CLASS_NAMES:
        raise KeyError(name)
    action = simulation.CLASS_NAMES.index(name)
    clip = shoot(Plan(action, _FIRST + action % 10, _FIRST, "train"), SEED, action)
    return {
        "keypoint": clip.keypoint.round(1).tolist(),
        "score": clip.score.round(3).tolist(),
        "frame_size": list(clip.frame_size),
    }
