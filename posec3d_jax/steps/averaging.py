"""The moving mean of a network's weights over its training (EMA), which is then what is tested.

"Mean teachers are better role models" (Tarvainen and Valpola, 2017), of weights alone: with a high
learning rate single weights jump about, and their mean does not.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from posec3d_jax.steps.state import TrainState


def begin_average(state: TrainState) -> TrainState:
    """The state with a mean that begins at its weights and BatchNorm statistics."""
    copies = {"params": state.params, "batch_stats": state.batch_stats}
    return state.replace(averaged=jax.tree.map(jnp.copy, copies))


def with_average(step: Callable[..., Any], decay: float) -> Callable[..., Any]:
    """The training step, (state, ...) to (state, metrics), after which the mean follows by a bit.

    It keeps the share `decay` of what it was, in the first steps less, (1 + t) / (10 + t) in step
    t from 0 on, so that the fresh weights are forgotten soon.
    """

    def averaging(state: TrainState, *rest: Any) -> tuple[TrainState, Any]:
        after, metrics = step(state, *rest)
        kept = jnp.minimum(decay, (1 + state.step) / (10 + state.step))
        now = {"params": after.params, "batch_stats": after.batch_stats}
        mean = jax.tree.map(lambda old, new: kept * old + (1 - kept) * new, state.averaged, now)
        return after.replace(averaged=mean), metrics

    return averaging
