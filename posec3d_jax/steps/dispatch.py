"""Calls to the device that take a training step, or several where the host would be the slower one.

The numbers are those of single steps: each has its own batch, random numbers and metrics.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from posec3d_jax.machine import host
from posec3d_jax.machine.sharding import by_clip, replicated

Batch = dict[str, np.ndarray]


def compiled(train_step: Callable, mesh: Mesh) -> Callable:
    """`train_step`, (state, batch, key, pack) to (state, metrics), on the devices of `mesh`.

    It also takes a stack of K batches, and then returns the metrics of each step [K]. Batches are
    shared by the devices, the rest is whole on each; the state is given away.
    """
    whole = replicated(mesh)

    def jit(function: Callable, axis: int) -> Callable:
        return jax.jit(
            function,
            in_shardings=(whole, by_clip(mesh, axis), whole, whole),
            out_shardings=(whole, whole),
            donate_argnums=0,
            compiler_options=host.compiler_options(),
        )

    def scan(state: Any, batches: Any, *rest: Any) -> tuple[Any, dict[str, jax.Array]]:
        return jax.lax.scan(lambda state, batch: train_step(state, batch, *rest), state, batches)

    by_rank = {1: jit(train_step, 0), 2: jit(scan, 1)}
    return lambda state, batch, *rest: by_rank[batch["label"].ndim](state, batch, *rest)
