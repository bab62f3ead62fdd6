"""Pooling of each frame by itself."""

import jax
import jax.numpy as jnp
from jax import lax

# Rows, then columns, so that ties go where the two passes of a CPU have them go.
_NEIGHBOURS = tuple((i, j) for j in (-1, 0, 1) for i in (-1, 0, 1))


def max_pool_frames(x: jax.Array, target: str = "portable", stride: int = 1) -> jax.Array:
    """Max over 3 x 3 neighbours of each frame, edges padded; ties to the first.

    XLA's own pooling gradient is an order slower, on a CPU and on a GPU.
    """
    if target == "portable":
        window, pads = (1, 1, 3, 3, 1), ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0))
        return lax.reduce_window(x, -jnp.inf, lax.max, window, (1, 1, stride, stride, 1), pads)
    y = _separable(x) if target == "cpu" else _in_one_pass(x)
    return y if stride == 1 else y[:, :, ::stride, ::stride]


def _separable(x: jax.Array) -> jax.Array:
    """Two passes of pairwise maxima."""
    for axis in (2, 3):
        lowest = jnp.array(-jnp.inf, x.dtype)
        pads = [(0, 0, 0)] * x.ndim
        before = lax.pad(x, lowest, [*pads[:axis], (1, -1, 0), *pads[axis + 1 :]])
        after = lax.pad(x, lowest, [*pads[:axis], (-1, 1, 0), *pads[axis + 1 :]])
        x = jnp.where(before >= x, before, x)
        x = jnp.where(x >= after, x, after)
    return x


@jax.custom_vjp
def _in_one_pass(x: jax.Array) -> jax.Array:
    """All nine neighbours at once; a byte for each value says which one it was."""
    return _largest(x)[0]


def _largest(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    largest, which = x, jnp.zeros(x.shape, jnp.uint8)
    for number, neighbour in enumerate(_NEIGHBOURS):
        value = _from(x, neighbour, -jnp.inf)
        larger = value > largest if number else jnp.ones(x.shape, bool)
        largest = jnp.where(larger, value, largest)
        which = jnp.where(larger, jnp.uint8(number), which)
    # Behind a barrier, lest XLA work all of it out again wherever it is read.
    return lax.optimization_barrier((largest, which))


def _backward(which: jax.Array, gradient: jax.Array) -> tuple[jax.Array]:
    total = jnp.zeros((), jnp.promote_types(gradient.dtype, jnp.float32))
    for number, (i, j) in enumerate(_NEIGHBOURS):
        chosen = _from(which, (-i, -j), len(_NEIGHBOURS)) == number
        total = total + jnp.where(chosen, _from(gradient, (-i, -j), 0), 0)
    return (total.astype(gradient.dtype),)


_in_one_pass.defvjp(_largest, _backward)


def _from(x: jax.Array, neighbour: tuple[int, int], outside: float) -> jax.Array:
    """For each pixel the value that many rows down and columns to the right."""
    down, right = neighbour
    moves = [(0, 0, 0), (0, 0, 0), (-down, down, 0), (-right, right, 0), (0, 0, 0)]
    return lax.pad(x, jnp.array(outside, x.dtype), moves)


def avg_pool_frames(x: jax.Array) -> jax.Array:
    """Mean over 2 x 2 blocks of each frame; an odd last row or column is left out."""
    b, t, h, w, c = x.shape
    x = x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(b, t, h // 2, 2, w // 2, 2, c)
    return x.mean((3, 5))
