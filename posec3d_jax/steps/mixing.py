"""Mixup: clips of a batch and their labels, mixed in pairs.

"mixup: Beyond Empirical Risk Minimization" (Zhang et al., 2018). What is mixed is what the network
is shown: volumes, joints or frames.
"""

from typing import Any

import jax
import jax.numpy as jnp


def mix(inputs: Any, targets: jax.Array, key: jax.Array, alpha: float) -> tuple[Any, jax.Array]:
    """Every clip mixed with another of the batch: inputs [B, ...] and targets [B, K].

    A clip keeps a share of Beta(alpha, alpha), its own, of at least a half, so that what it is
    compared with in the metrics stays its own label.
    """
    order_key, share_key = jax.random.split(key)
    order = jax.random.permutation(order_key, len(targets))
    share = jax.random.beta(share_key, alpha, alpha, (len(targets),))
    share = jnp.maximum(share, 1 - share)

    def mixed(x: jax.Array) -> jax.Array:
        part = share.reshape(-1, *[1] * (x.ndim - 1)).astype(x.dtype)
        return part * x + (1 - part) * x[order]

    return jax.tree.map(mixed, inputs), mixed(targets)
