"""Convolution over [B, T, H, W, C], in the formulation that is fastest on a target.

A TPU gets one 3-D convolution, a GPU what `conv_gpu.py` says. XLA's CPU backend is several times
slower at those than at what the factorised kernels of these networks really are, so on a CPU
  (1, 1, 1) is a matrix product,
  (1, k, k) is a 2-D convolution over B * T frames, with its own weight gradient,
  (k, 1, 1) is one matrix product and k shifted sums,
  (k, k, k) is a 2-D convolution over k stacked frames, or k shifted sums of 2-D convolutions,
  depth-wise kernels are sums of shifted products, in both gradients too,
  a volume of joints may come as profiles, and is then never painted.
All are equal in value; `tests/test_convolution.py` holds them to the plain form in float64.
Padding is always k // 2 on both sides, as in the reference networks.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from posec3d_jax.kernels.conv_2d import conv_2d
from posec3d_jax.kernels.conv_depthwise import conv_depthwise
from posec3d_jax.kernels.conv_gpu import conv_gpu
from posec3d_jax.kernels.conv_profiles import conv_profiles
from posec3d_jax.kernels.stacked_frames import flat_kernel, neighbours
from posec3d_jax.kernels.strokes import Profiles


def convolve(
    x: jax.Array | Profiles,
    kernel: jax.Array,
    strides: Sequence[int] = (1, 1, 1),
    target: str = "portable",
) -> jax.Array:
    """Convolves `x` [B, T, H, W, C] with `kernel` [t, h, w, C / groups, O], odd sizes.

    A kernel with one input channel and x with O channels is depth-wise. It is used in the dtype of
    x. The portable form is XLA's own 3-D convolution.
    """
    strides, kernel = tuple(strides), kernel.astype(x.dtype)
    depthwise = kernel.shape[3] == 1 and x.shape[-1] == kernel.shape[4] and x.shape[-1] > 1
    if isinstance(x, Profiles):
        return _unpainted(x, kernel, strides)
    size = kernel.shape[:3]
    few_channels = x.shape[-1] < 32  # k copies of the input then weigh less than of the output
    if target in ("cpu", "gpu") and size == (1, 1, 1) and not depthwise:
        return _pointwise(*pointwise_operands(x, kernel, strides))
    if target == "gpu" and (depthwise or 1 in size or few_channels):
        return conv_gpu(x, kernel, strides, depthwise)
    if target != "cpu":
        return _conv_3d(x, kernel, strides, x.shape[-1] if depthwise else 1)
    if depthwise:
        return conv_depthwise(x, kernel, strides)
    x = x[:, :: strides[0]] if size[0] == 1 else x
    if size[0] == 1:
        return _per_frame(x, kernel[0], strides[1:])
    if size[1:] == (1, 1):
        y = _temporal(x[:, :, :: strides[1], :: strides[2]], kernel[:, 0, 0])
        return y[:, :: strides[0]]
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


def pointwise_operands(
    x: jax.Array, kernel: jax.Array, strides: Sequence[int]
) -> tuple[jax.Array, jax.Array]:
    """x [..., I] and the matrix [I, O] whose product a (1, 1, 1) convolution is."""
    return x[:, :: strides[0], :: strides[1], :: strides[2]], kernel[0, 0, 0]


def _pointwise(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jnp.dot(x.reshape(-1, x.shape[-1]), kernel).reshape(*x.shape[:-1], kernel.shape[-1])


def _temporal(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """[k, C, O] over time: all taps in one product, then k shifted sums of its outputs."""
    taps, channels, _ = kernel.shape
    return _shifted_sum(_pointwise(x, kernel.transpose(1, 0, 2).reshape(channels, -1)), taps)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _shifted_sum(y: jax.Array, taps: int) -> jax.Array:
    """[B, T, H, W, taps O], each tap's share of the output a frame apart, to [B, T, H, W, O].

    Shifting each tap by itself fuses into one pass; a padded array would be written out whole.
    """
    out = y.shape[-1] // taps
    shares = (y[..., i * out : (i + 1) * out] for i in range(taps))
    return sum(_moved(share, taps // 2 - i) for i, share in enumerate(shares))


def _shifted_sum_backward(taps: int, saved: None, gradient: jax.Array) -> tuple[jax.Array]:
    shares = [_moved(gradient, i - taps // 2) for i in range(taps)]
    return (jnp.concatenate(shares, -1),)


_shifted_sum.defvjp(lambda y, taps: (_shifted_sum(y, taps), None), _shifted_sum_backward)


def _moved(x: jax.Array, frames: int) -> jax.Array:
    """x [B, T, ...] that many frames later, zeros where there was nothing."""
    edges = [(0, 0, 0), (frames, -frames, 0), *[(0, 0, 0)] * (x.ndim - 2)]
    return lax.pad(x, jnp.zeros((), x.dtype), edges)


def _stacked_frames(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    """(k, k, k): the k neighbouring frames become channels of one 2-D convolution."""
    stacked = neighbours(x, kernel.shape[0], strides[0])
    return _per_frame(stacked, flat_kernel(kernel), strides[1:])


def _unpainted(x: Profiles, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    """Profiles of neighbouring frames become channels, as in `_stacked_frames`."""
    stacked = [
        neighbours(profile.swapaxes(1, 2), kernel.shape[0], strides[0])  # [B, T', M, ..., C]
        for profile in (x.rows, x.columns)
    ]
    frames = [profile.reshape(-1, *profile.shape[2:]) for profile in stacked]
    y = conv_profiles(*frames, flat_kernel(kernel), tuple(strides[1:]))
    return y.reshape(*stacked[0].shape[:2], *y.shape[1:])


def _summed_frames(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    """(k, k, k): the k slices of the kernel side by side in one 2-D convolution of each frame."""
    flat = kernel.transpose(1, 2, 3, 0, 4).reshape(*kernel.shape[1:4], -1)
    return _shifted_sum(_per_frame(x, flat, strides), kernel.shape[0])


def _per_frame(x: jax.Array, kernel: jax.Array, strides: Sequence[int]) -> jax.Array:
    frames = x.reshape(-1, *x.shape[2:])
    y = conv_2d(frames, kernel, tuple(strides))
    return y.reshape(*x.shape[:2], *y.shape[1:])
