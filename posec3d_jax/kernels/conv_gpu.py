"""Convolution for a GPU: the factorised kernels of these networks as what they really are.

XLA lays out 3-D convolutions channels first, where cuDNN's tensor-core kernels want them last and
so copy every array twice. 2-D convolutions and products stay channels last.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.kernels.stacked_frames import flat_kernel, neighbours

_PIXELS = 4  # of a row that become channels


def conv_gpu(x: jax.Array, kernel: jax.Array, strides: Sequence[int], depthwise: bool) -> jax.Array:
    """x [B, T, H, W, C] * [t, h, w, C / groups, O], padding k // 2.

    Not for (1, 1, 1), which is a product. Copies the input k times for a (k, k, k) kernel: for few
    channels.
    """
    size = kernel.shape[:3]
    if depthwise:
        return _depthwise(x, kernel, strides)
    if size[1:] != (1, 1):
        frames = neighbours(x, size[0], strides[0]) if size[0] > 1 else x[:, :: strides[0]]
        y = _conv_2d(frames.reshape(-1, *frames.shape[2:]), flat_kernel(kernel), strides[1:])
        return y.reshape(*frames.shape[:2], *y.shape[1:])
    x = x[:, :, :: strides[1], :: strides[2]]
    y = _conv_2d(x.reshape(*x.shape[:2], -1, x.shape[-1]), kernel[:, :, 0], (strides[0], 1))
    return y.reshape(*y.shape[:2], *x.shape[2:4], y.shape[-1])


def _conv_2d(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    _, width, _, out = kernel.shape
    unfit = width >= 5 or x.shape[-1] % 8
    if unfit and out <= 32 and tuple(strides) == (1, 1) and x.shape[2] % _PIXELS == 0:
        return _conv_of_pixels(x, kernel)
    x, kernel = _aligned(x, 3, 8), _aligned(kernel, 2, 8)
    return _convolved(x, kernel, strides, [(k // 2, k // 2) for k in kernel.shape[:2]])


def _conv_of_pixels(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """For few channels: some pixels of a row become channels, of the input and of the output.

    Memory holds them side by side already. More arithmetic than asked for, a third for 7 x 7, but
    on matrices that fill tensor cores: 17 joints and 32 channels leave most of them idle.
    """
    x, kernel = _aligned(x, 3, 2), _aligned(kernel, 2, 2)
    n, height, width, channels = x.shape
    rows, out = kernel.shape[0], kernel.shape[-1]
    places = jnp.array(_places(kernel.shape[1]), kernel.dtype)
    kernel = jnp.einsum("bqpw,hwco->hbqcpo", places, kernel, precision=lax.Precision.HIGHEST)
    kernel = kernel.reshape(rows, len(places), _PIXELS * channels, _PIXELS * out)
    x = x.reshape(n, height, width // _PIXELS, _PIXELS * channels)
    y = _convolved(x, kernel, (1, 1), [(k // 2, k // 2) for k in kernel.shape[:2]])
    return y.reshape(n, height, width, out)


def _places(width: int) -> np.ndarray:
    """[b, q, p, w]: 1 where tap w of output pixel p of a block is pixel q of the b-th block."""
    reach = -(-(width // 2) // _PIXELS)  # blocks to the left, and to the right
    b, q, p, w = np.ogrid[-reach : reach + 1, :_PIXELS, :_PIXELS, :width]
    return p + w - width // 2 == _PIXELS * b + q


def _convolved(x: jax.Array, kernel: jax.Array, strides: Sequence[int], pads) -> jax.Array:
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, strides, pads, dimension_numbers=layout)


def _aligned(x: jax.Array, axis: int, multiple: int) -> jax.Array:
    """Zero channels up to a multiple: tensor cores take eight at once, and no 17 joints."""
    missing = [(0, 0)] * x.ndim
    missing[axis] = (0, -x.shape[axis] % multiple)
    return jnp.pad(x, missing)


def _depthwise(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    """A sum of shifted x times one weight each; cuDNN's own are several times slower."""
    wide = jnp.promote_types(x.dtype, jnp.float32)
    size, pads = kernel.shape[:3], [(k // 2, k // 2) for k in kernel.shape[:3]]
    padded = jnp.pad(x, [(0, 0), *pads, (0, 0)])
    total = jnp.zeros((), wide)
    for tap in np.ndindex(size):
        window = tuple(
            slice(a, a + n, s) for a, n, s in zip(tap, x.shape[1:], strides, strict=False)
        )
        weight = per_channel(kernel[tap][0], x)
        total = total + padded[(slice(None), *window)].astype(wide) * weight
    return total.astype(x.dtype)
