"""Depth-wise 3-D convolution for a CPU: shifted products in the forward and in both gradients."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.kernels.conv_2d import divisor_at_most, phase_taps

Size = tuple[int, int, int]

# Rows of an image that one step of the weight gradient takes: enough work to pay for the step, few
# enough to stay in cache.
_ROWS = 28


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv_depthwise(x: jax.Array, kernel: jax.Array, strides: Size) -> jax.Array:
    """[B, T, H, W, C] * [t, h, w, 1, C], padding k // 2: a sum of shifted x times one weight."""
    return _shifted_products(_pad(x, kernel), kernel, strides)


def _forward(x: jax.Array, kernel: jax.Array, strides: Size):
    """The same behind barriers, lest XLA compute the sum anew for everything that reads it."""
    padded = lax.optimization_barrier(_pad(x, kernel))
    y = _shifted_products(padded, kernel, strides)
    return lax.optimization_barrier(y), (padded, kernel)


def _backward(strides: Size, saved, gradient: jax.Array):
    padded, kernel = saved
    gradient = lax.optimization_barrier(gradient)
    dx = _input_gradient(gradient, kernel, _unpadded(padded, kernel), strides)
    dw = _weight_gradient(padded, gradient, kernel.shape[:3], strides)
    return lax.optimization_barrier(dx), dw.astype(kernel.dtype)


conv_depthwise.defvjp(_forward, _backward)


def _pad(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jnp.pad(x, ((0, 0), *((k // 2, k // 2) for k in kernel.shape[:3]), (0, 0)))


def _unpadded(padded: jax.Array, kernel: jax.Array) -> Size:
    return tuple(n - k // 2 * 2 for n, k in zip(padded.shape[1:], kernel.shape[:3], strict=False))


def _shifted_products(padded: jax.Array, kernel: jax.Array, strides: Size) -> jax.Array:
    size, total = _unpadded(padded, kernel), 0
    for tap in np.ndindex(kernel.shape[:3]):
        total = total + _window(padded, tap, size, strides) * per_channel(kernel[tap][0], padded)
    return total


def _window(x: jax.Array, start: Sequence[int], size: Size, strides: Size = (1, 1, 1)) -> jax.Array:
    index = tuple(slice(a, a + n, s) for a, n, s in zip(start, size, strides, strict=True))
    return x[(slice(None), *index)]


def _input_gradient(g: jax.Array, kernel: jax.Array, size: Size, strides: Size) -> jax.Array:
    """[B, *size, C] from the output's gradient: a sum of shifted g for each phase of the stride."""
    taps, befores = zip(*map(phase_taps, kernel.shape[:3], strides), strict=True)
    pads = [(b, len(t) - 1 - b) for b, t in zip(befores, taps, strict=True)]
    padded = jnp.pad(g, ((0, 0), *pads, (0, 0)))
    phases = []
    for phase in np.ndindex(strides):
        total = jnp.zeros((), g.dtype)
        for shift in np.ndindex(*map(len, taps)):
            tap = tuple(t[i, p] for t, i, p in zip(taps, shift, phase, strict=True))
            if all(i < k for i, k in zip(tap, kernel.shape, strict=False)):
                weight = per_channel(kernel[tap][0], g)
                total = total + _window(padded, shift, g.shape[1:4]) * weight
        phases.append(jnp.broadcast_to(total, g.shape))
    y = jnp.stack(phases).reshape(*strides, *g.shape).transpose(3, 4, 0, 5, 1, 6, 2, 7)
    b, frames, t, height, h, width, w, channels = y.shape
    y = y.reshape(b, frames * t, height * h, width * w, channels)
    return _window(y, (0, 0, 0), size)


def _weight_gradient(x: jax.Array, g: jax.Array, size: Size, strides: Size) -> jax.Array:
    """[t, h, w, 1, C] of padded x: the sum of shifted x times g for each tap, frames by chunks.

    W and C together are the lanes of the sums, reduced over W only at the end: rows of both are
    then contiguous. With a stride along W x is split into its phases first. Taps along T and H are
    a loop and not written out, for the sake of the time to compile.
    """
    channels, (batch, frames, height, width) = x.shape[-1], g.shape[:4]
    x = jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, -x.shape[3] % strides[2]), (0, 0)))
    x = x.reshape(*x.shape[:3], -1, strides[2], channels).transpose(4, 0, 1, 2, 3, 5)
    x = x.reshape(*x.shape[:4], -1)
    chunk, lanes = divisor_at_most(frames, max(1, _ROWS // height)), width * channels
    starts = np.stack(np.mgrid[:batch, : frames * strides[0] : chunk * strides[0]], -1)
    extent = [(n - 1) * s + 1 for n, s in zip((chunk, height), strides, strict=False)]
    rows = [(i, j, i * strides[0], j * strides[1]) for i, j in np.ndindex(chunk, height)]
    taps, wide = np.array([*np.ndindex(size[:2])]), jnp.promote_types(x.dtype, jnp.float32)

    def of_chunk(totals, pair):
        (clip, frame), g = pair

        def of_tap(_, tap):
            start = (0, clip, frame + tap[0], tap[1], 0)
            window = lax.dynamic_slice(x, start, (strides[2], 1, *extent, x.shape[-1]))[:, 0]
            sums = []
            for phase, shift in zip(*reversed(np.divmod(range(size[2]), strides[2])), strict=True):
                shifted = window[phase, ..., shift * channels : shift * channels + lanes]
                products = [shifted[t, h].astype(wide) * g[i, j] for i, j, t, h in rows]
                sums.append(sum(products))
            return None, sums

        sums = lax.scan(of_tap, None, taps)[1]
        return [a + b for a, b in zip(totals, sums, strict=True)], None

    zero = [jnp.zeros((len(taps), lanes), wide)] * size[2]
    chunks = (starts.reshape(-1, 2), g.reshape(-1, chunk, height, lanes))
    totals = jnp.stack(lax.scan(of_chunk, zero, chunks)[0], 1)
    return totals.reshape(*size, width, channels).sum(3)[..., None, :]
