"""Values a channel beside arrays that end in channels."""

import jax
from jax import lax


def per_channel(values: jax.Array, x: jax.Array) -> jax.Array:
    """`values` [C] as [1, ..., 1, C], to be added to or multiplied with `x` [..., C].

    Said where it is meant: the tests let JAX refuse every other meeting of different ranks, which
    is how a forgotten axis gets into a sum.
    """
    return lax.broadcast_to_rank(values, x.ndim)
