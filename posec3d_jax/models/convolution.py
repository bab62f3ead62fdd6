"""Convolution over [B, T, H, W, C], in the formulation that is fastest on the running backend.

Accelerators get one 3-D convolution. XLA's CPU backend is several times slower at those than at
what the factorised kernels of these networks really are, so on a CPU
  (1, 1, 1) is a matrix product,
  (1, k, k) is a 2-D convolution over B * T frames, with its own weight gradient,
  (k, 1, 1) is one matrix product and k shifted sums,
  (k, k, k) is a 2-D convolution over k stacked frames, or k shifted sums of 2-D convolutions,
  depth-wise kernels are sums of shifted products.
All are equal in value; `tests/test_convolution.py` holds them to the plain form in float64.
Padding is always k // 2 on both sides, as in the reference networks.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

# Bytes of column matrices that a weight-gradient step may keep: about a core's second-level cache.
_CACHE_BYTES = 3 << 20


def convolve(
    x: jax.Array, kernel: jax.Array, strides: Sequence[int] = (1, 1, 1), *, plain: bool = False
) -> jax.Array:
    """Convolves `x` [B, T, H, W, C] with `kernel` [t, h, w, C / groups, O], odd sizes.

    A kernel with one input channel and x with O channels is depth-wise. `plain` forces XLA's own
    3-D convolution on every backend.
    """
    strides = tuple(strides)
    depthwise = kernel.shape[3] == 1 and x.shape[-1] == kernel.shape[4] and x.shape[-1] > 1
    if plain or jax.default_backend() != "cpu":
        return _conv_3d(x, kernel, strides, x.shape[-1] if depthwise else 1)
    size = kernel.shape[:3]
    if depthwise:
        return _depthwise(x, kernel, strides)
    if size == (1, 1, 1):
        return _pointwise(x[:, :: strides[0], :: strides[1], :: strides[2]], kernel[0, 0, 0])
    x = x[:, :: strides[0]] if size[0] == 1 else x
    if size[0] == 1:
        return _per_frame(x, kernel[0], strides[1:])
    if size[1:] == (1, 1):
        y = _temporal(x[:, :, :: strides[1], :: strides[2]], kernel[:, 0, 0])
        return y[:, :: strides[0]]
    few_channels = x.shape[-1] < 32  # k copies of the input then weigh less than of the output
    if few_channels or strides[0] > 1:
        return _stacked_frames(x, kernel, strides)
    return _summed_frames(x, kernel, strides[1:])


def _conv_3d(x: jax.Array, kernel: jax.Array, strides: Sequence[int], groups: int) -> jax.Array:
    return lax.conv_general_dilated(
        x,
        kernel,
        strides,
        [(k // 2, k // 2) for k in kernel.shape[:3]],
        dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
        feature_group_count=groups,
    )


def _pointwise(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jnp.dot(x.reshape(-1, x.shape[-1]), kernel).reshape(*x.shape[:-1], kernel.shape[-1])


def _temporal(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """[k, C, O] over time: all taps in one product, then k shifted sums of its outputs."""
    taps, channels, _ = kernel.shape
    return _shifted_sum(_pointwise(x, kernel.transpose(1, 0, 2).reshape(channels, -1)), taps)


def _shifted_sum(y: jax.Array, taps: int) -> jax.Array:
    """[B, T, H, W, taps O], each tap's share of the output a frame apart, to [B, T, H, W, O]."""
    frames, pad, out = y.shape[1], taps // 2, y.shape[-1] // taps
    y = jnp.pad(y, ((0, 0), (pad, pad), (0, 0), (0, 0), (0, 0)))
    return sum(y[:, i : i + frames, ..., i * out : (i + 1) * out] for i in range(taps))


def _stacked_frames(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    """(k, k, k): the k neighbouring frames become channels of one 2-D convolution."""
    taps, frames = kernel.shape[0], x.shape[1]
    padded = jnp.pad(x, ((0, 0), (taps // 2, taps // 2), (0, 0), (0, 0), (0, 0)))
    stacked = [padded[:, i : i + frames : strides[0]] for i in range(taps)]
    flat = kernel.transpose(1, 2, 0, 3, 4).reshape(*kernel.shape[1:3], -1, kernel.shape[-1])
    return _per_frame(jnp.concatenate(stacked, -1), flat, strides[1:])


def _summed_frames(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    """(k, k, k): the k slices of the kernel side by side in one 2-D convolution of each frame."""
    flat = kernel.transpose(1, 2, 3, 0, 4).reshape(*kernel.shape[1:4], -1)
    return _shifted_sum(_per_frame(x, flat, strides), kernel.shape[0])


def _depthwise(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    """Sum over the kernel's taps of shifted inputs times one weight a channel."""
    size, pads = kernel.shape[:3], [k // 2 for k in kernel.shape[:3]]
    padded = jnp.pad(x, ((0, 0), *((p, p) for p in pads), (0, 0)))
    total = 0
    for t in range(size[0]):
        for h in range(size[1]):
            for w in range(size[2]):
                window = _window(padded, (t, h, w), x.shape[1:4], strides)
                total = total + window * kernel[t, h, w, 0]
    return total


def _window(
    x: jax.Array, start: Sequence[int], size: Sequence[int], strides: Sequence[int]
) -> jax.Array:
    index = tuple(slice(a, a + n, s) for a, n, s in zip(start, size, strides, strict=True))
    return x[(slice(None), *index)]


def _per_frame(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    frames = x.reshape(-1, *x.shape[2:])
    y = _conv_2d(frames, kernel, tuple(strides))
    return y.reshape(*x.shape[:2], *y.shape[1:])


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _conv_2d(x: jax.Array, kernel: jax.Array, strides: tuple[int, int]) -> jax.Array:
    """2-D convolution [N, H, W, C] * [h, w, C, O] with gradients of its own."""
    pads = [(k // 2, k // 2) for k in kernel.shape[:2]]
    return lax.conv_general_dilated(
        x, kernel, strides, pads, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _conv_2d_forward(x: jax.Array, kernel: jax.Array, strides: tuple[int, int]):
    return _conv_2d(x, kernel, strides), (x, kernel)


def _conv_2d_backward(strides: tuple[int, int], saved, gradient: jax.Array):
    x, kernel = saved
    dx = _input_gradient(gradient, kernel, x.shape[1:3], strides)
    dw = _weight_gradient(x, gradient, kernel.shape[:2], strides)
    return dx, dw.astype(kernel.dtype)


_conv_2d.defvjp(_conv_2d_forward, _conv_2d_backward)


def _input_gradient(
    g: jax.Array, kernel: jax.Array, size: Sequence[int], strides: tuple[int, int]
) -> jax.Array:
    """Gradient of the input [N, *size, C] from the output's [N, H', W', O].

    With a stride every input pixel of the same phase (row and column modulo the stride) sees the
    same few taps, so all phases are the channels of one small convolution at the output's size.
    XLA's own form convolves over an array that is mostly the zeros between the output's pixels.
    """
    taps, befores = zip(*map(_phase_taps, kernel.shape[:2], strides), strict=True)
    padded = jnp.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0)))  # zeros for taps that are not
    phases = padded[taps[0]][:, :, taps[1]].transpose(0, 2, 5, 1, 3, 4)
    h, w, out, i, j, channels = phases.shape
    y = lax.conv_general_dilated(
        g,
        phases.reshape(h, w, out, -1),
        (1, 1),
        [(before, n - 1 - before) for before, n in zip(befores, (h, w), strict=True)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    n, height, width = y.shape[:3]
    y = y.reshape(n, height, width, i, j, channels).transpose(0, 1, 3, 2, 4, 5)
    return y.reshape(n, height * i, width * j, channels)[:, : size[0], : size[1]]


def _phase_taps(size: int, stride: int) -> tuple[np.ndarray, int]:
    """Along one axis: which tap of the kernel an input pixel sees an output through.

    Output o holds input q = stride * i + phase at tap q + size // 2 - stride * o. Returns those
    taps for every o - i that occurs and every phase, `size` standing for none; and -min(o - i).
    """
    pad = size // 2
    first, last = -((size - 1 - pad) // stride), (stride - 1 + pad) // stride
    shift = np.arange(first, last + 1)[:, None]
    taps = np.arange(stride) + pad - stride * shift
    return np.where((taps >= 0) & (taps < size), taps, size), -first


def _weight_gradient(
    x: jax.Array, g: jax.Array, size: tuple[int, int], strides: tuple[int, int]
) -> jax.Array:
    """Gradient of the kernel [h, w, C, O] from input and output gradient, a few frames at a time.

    A chunk of frames stays in cache while its columns are made and multiplied; XLA's own gradient
    walks memory once per tap.
    """
    n, height, width, channels = x.shape
    row = height * width * (size[1] * channels + size[0] * g.shape[-1]) * x.dtype.itemsize
    chunk = _divisor_at_most(n, max(1, _CACHE_BYTES // row))
    products = _tap_products if strides == (1, 1) else partial(_strided_products, strides=strides)

    def step(total, pair):
        return total + products(*pair, size), None

    chunks = (x.reshape(-1, chunk, *x.shape[1:]), g.reshape(-1, chunk, *g.shape[1:]))
    accumulate = jnp.promote_types(x.dtype, jnp.float32)
    zero = jnp.zeros((*size, channels, g.shape[-1]), accumulate)
    return lax.scan(step, zero, chunks)[0]


def _tap_products(x: jax.Array, g: jax.Array, size: tuple[int, int]) -> jax.Array:
    """x shifted along W makes columns [P, w C], g shifted along H makes [P, h O]: one product of
    the two holds every tap, for w + h copies of the data where im2col makes w h."""
    (_, height, width, channels), out = x.shape, g.shape[-1]
    ph, pw = size[0] // 2, size[1] // 2
    x = jnp.pad(x, ((0, 0), (0, 0), (pw, pw), (0, 0)))
    g = jnp.pad(g, ((0, 0), (ph, ph), (0, 0), (0, 0)))
    columns = jnp.concatenate([x[:, :, j : j + width] for j in range(size[1])], -1)
    rows = [g[:, 2 * ph - i : 2 * ph - i + height] for i in range(size[0])]
    product = _transposed_product(columns, jnp.concatenate(rows, -1))
    return product.reshape(size[1], channels, size[0], out).transpose(2, 0, 1, 3)


def _strided_products(
    x: jax.Array, g: jax.Array, size: tuple[int, int], strides: tuple[int, int]
) -> jax.Array:
    """With a stride the rows of x are picked instead: one product for each row of the kernel."""
    (_, height, width, channels), out = x.shape, g.shape[-1]
    ph, pw = size[0] // 2, size[1] // 2
    x = jnp.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    shifted = [x[:, :, j : j + width : strides[1]] for j in range(size[1])]
    columns = jnp.concatenate(shifted, -1)
    taps = [columns[:, i : i + height : strides[0]] for i in range(size[0])]
    products = [_transposed_product(tap, g) for tap in taps]
    return jnp.stack(products).reshape(*size, channels, out)


def _transposed_product(a: jax.Array, b: jax.Array) -> jax.Array:
    """[..., m]^T [..., n] over all leading axes, accumulated in at least float32."""
    accumulate = jnp.promote_types(a.dtype, jnp.float32)
    a, b = a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])
    return jnp.dot(a.T, b, preferred_element_type=accumulate)


def _divisor_at_most(n: int, limit: int) -> int:
    return next(d for d in range(min(n, limit), 0, -1) if n % d == 0)
