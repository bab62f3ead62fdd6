"""2-D convolution whose gradients are the formulations that XLA runs fastest on a CPU."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

# Bytes of column matrices that a weight-gradient step may keep: about a core's second-level cache.
_CACHE_BYTES = 3 << 20


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv_2d(x: jax.Array, kernel: jax.Array, strides: tuple[int, int]) -> jax.Array:
    """2-D convolution [N, H, W, C] * [h, w, C, O] with gradients of its own."""
    pads = [(k // 2, k // 2) for k in kernel.shape[:2]]
    return lax.conv_general_dilated(
        x, kernel, strides, pads, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _forward(x: jax.Array, kernel: jax.Array, strides: tuple[int, int]):
    return conv_2d(x, kernel, strides), (x, kernel)


def _backward(strides: tuple[int, int], saved, gradient: jax.Array):
    x, kernel = saved
    dx = _input_gradient(gradient, kernel, x.shape[1:3], strides)
    dw = weight_gradient(x, gradient, kernel.shape[:2], strides)
    return dx, dw.astype(kernel.dtype)


conv_2d.defvjp(_forward, _backward)


def _input_gradient(
    g: jax.Array, kernel: jax.Array, size: Sequence[int], strides: tuple[int, int]
) -> jax.Array:
    """Gradient of the input [N, *size, C] from the output's [N, H', W', O].

    With a stride every input pixel of the same phase (row and column modulo the stride) sees the
    same few taps, so all phases are the channels of one small convolution at the output's size.
    XLA's own form convolves over an array that is mostly the zeros between the output's pixels.
    """
    taps, befores = zip(*map(phase_taps, kernel.shape[:2], strides), strict=True)
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


def phase_taps(size: int, stride: int) -> tuple[np.ndarray, int]:
    """Along one axis: which tap of the kernel an input pixel sees an output through.

    Output o holds input q = stride * i + phase at tap q + size // 2 - stride * o. Returns those
    taps for every o - i that occurs and every phase, `size` standing for none; and -min(o - i).
    """
    pad = size // 2
    first, last = -((size - 1 - pad) // stride), (stride - 1 + pad) // stride
    shift = np.arange(first, last + 1)[:, None]
    taps = np.arange(stride) + pad - stride * shift
    return np.where((taps >= 0) & (taps < size), taps, size), -first


def weight_gradient(
    x: jax.Array, g: jax.Array, size: tuple[int, int], strides: tuple[int, int]
) -> jax.Array:
    """Gradient of the kernel [h, w, C, O] from input and output gradient, a few frames at a time.

    A chunk of frames stays in cache while its columns are made and multiplied; XLA's own gradient
    walks memory once per tap.
    """
    n, height, width, channels = x.shape
    row = height * width * (size[1] * channels + size[0] * g.shape[-1]) * x.dtype.itemsize
    chunk = divisor_at_most(n, max(1, _CACHE_BYTES // row))
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


def divisor_at_most(n: int, limit: int) -> int:
    return next(d for d in range(min(n, limit), 0, -1) if n % d == 0)
