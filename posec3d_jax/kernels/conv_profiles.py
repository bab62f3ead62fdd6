"""Convolution of a volume that was not painted: its rows and columns meet the kernel one by one.

A joint's map is the product of a row profile and a column profile, so of a (k, k) kernel's k^2 taps
only k + k have to be worked out: columns with the kernel's rows first, then the rows. Persons add
up as long as no two of them touch the same pixel with the same joint; a frame where they do is
painted and convolved as any other.
"""

from collections.abc import Callable
from functools import partial
from itertools import combinations

import jax
import jax.numpy as jnp
from jax import lax

from posec3d_jax.kernels.conv_2d import conv_2d, weight_gradient

Strides = tuple[int, int]


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def conv_profiles(
    rows: jax.Array, columns: jax.Array, kernel: jax.Array, strides: Strides
) -> jax.Array:
    """2-D convolution of frames that are maxima over persons of rows x columns.

    Args:
      rows: [N, M, H, C], not negative.
      columns: [N, M, W, C], not negative.
      kernel: [h, w, C, O], odd sizes; padding is half of them.
      strides: along H and W.

    Returns:
      [N, H', W', O]. Only the kernel has a gradient.
    """
    return lax.map(lambda frame: _of_frame(*frame, kernel, strides), (rows, columns))


def _forward(rows, columns, kernel, strides: Strides):
    if rows.perturbed or columns.perturbed:
        raise NotImplementedError(
            "profiles have no gradients: give the network a painted volume to differentiate by it"
        )
    rows, columns, kernel = rows.value, columns.value, kernel.value
    return conv_profiles(rows, columns, kernel, strides), (rows, columns, kernel)


def _backward(strides: Strides, saved, gradient: jax.Array):
    rows, columns, kernel = saved

    def step(total, frame):
        return total + _kernel_gradient(*frame, kernel.shape[:2], strides), None

    wide = jnp.promote_types(kernel.dtype, jnp.float32)
    total = lax.scan(step, jnp.zeros(kernel.shape, wide), (rows, columns, gradient))[0]
    return jnp.zeros_like(rows), jnp.zeros_like(columns), total.astype(kernel.dtype)


conv_profiles.defvjp(_forward, _backward, symbolic_zeros=True)


def _of_frame(rows: jax.Array, columns: jax.Array, kernel: jax.Array, strides: Strides):
    """[M, H, C], [M, W, C] to [H', W', O]."""

    def from_profiles(rows, columns):
        across = _windows(columns, kernel.shape[1], strides[1])
        rows = _windows(rows, kernel.shape[0], strides[0])
        met = sum(  # [M, C, h, W', O]
            across[:, tap].transpose(0, 2, 1)[:, :, None, :, None]
            * kernel[:, tap].transpose(1, 0, 2)[None, :, :, None, :]
            for tap in range(kernel.shape[1])
        )
        met = met.reshape(-1, *met.shape[3:])
        return lax.dot_general(_flat(rows), met, (((1,), (0,)), ((), ())))

    def painted(rows, columns):
        return conv_2d(_paint(rows, columns), kernel, strides)[0]

    return _choose_form(from_profiles, painted, rows, columns)


def _kernel_gradient(rows, columns, gradient, size: tuple[int, int], strides: Strides):
    """[h, w, C, O] of one frame, from the gradient [H', W', O]."""
    wide = jnp.promote_types(gradient.dtype, jnp.float32)

    def from_profiles(rows, columns, gradient):
        persons, channels = rows.shape[0], rows.shape[2]
        across = _windows(columns, size[1], strides[1])
        rows = _windows(rows, size[0], strides[0])
        met = lax.dot_general(_flat(rows), gradient, (((0,), (0,)), ((), ())))
        met = met.reshape(persons, channels, size[0], *met.shape[1:])
        return jnp.einsum("mxwc,mcywo->yxco", across, met, preferred_element_type=wide)

    def painted(rows, columns, gradient):
        return weight_gradient(_paint(rows, columns), gradient[None], size, strides)

    return _choose_form(from_profiles, painted, rows, columns, gradient)


def _windows(profile: jax.Array, size: int, stride: int) -> jax.Array:
    """[M, L, C] to [M, size, L', C]: what each tap of the kernel sees."""
    length = profile.shape[1]
    padded = jnp.pad(profile, ((0, 0), (size // 2, size // 2), (0, 0)))
    return jnp.stack([padded[:, tap : tap + length : stride] for tap in range(size)], 1)


def _flat(rows: jax.Array) -> jax.Array:
    """[M, h, H', C] to [H', M C h]."""
    return rows.transpose(2, 0, 3, 1).reshape(rows.shape[2], -1)


def _choose_form(
    from_profiles: Callable, painted: Callable, rows: jax.Array, columns: jax.Array, *more
):
    """`from_profiles` of those who are there, as long as no two of them touch; else `painted`."""
    if len(rows) == 1:
        return from_profiles(rows, columns, *more)
    several = (rows[1:] > 0).any()
    case = jnp.where(_touching(rows, columns), 2, several.astype(int))
    alone = lambda rows, columns, *more: from_profiles(rows[:1], columns[:1], *more)  # noqa: E731
    return lax.switch(case, [alone, from_profiles, painted], rows, columns, *more)


def _touching(rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Whether any two persons have a pixel in common in any channel."""
    pairs = [
        ((rows[i] * rows[j] > 0).any(0) & (columns[i] * columns[j] > 0).any(0)).any()
        for i, j in combinations(range(len(rows)), 2)
    ]
    return jnp.stack(pairs).any()


def _paint(rows: jax.Array, columns: jax.Array) -> jax.Array:
    """One frame [1, H, W, C], the maximum over persons."""
    return (rows[:, :, None] * columns[:, None]).max(0, keepdims=True)
