"""A convolution over time as one of each frame: its neighbouring frames become channels."""

import jax
import jax.numpy as jnp


def neighbours(x: jax.Array, taps: int, stride: int) -> jax.Array:
    """[B, T, ..., C] to [B, T', ..., taps C], zeros beyond the first and last frame."""
    frames, rest = x.shape[1], [(0, 0)] * (x.ndim - 2)
    padded = jnp.pad(x, [(0, 0), (taps // 2, taps // 2), *rest])
    return jnp.concatenate([padded[:, i : i + frames : stride] for i in range(taps)], -1)


def flat_kernel(kernel: jax.Array) -> jax.Array:
    """[t, h, w, C, O] to [h, w, t C, O]."""
    return kernel.transpose(1, 2, 0, 3, 4).reshape(*kernel.shape[1:3], -1, kernel.shape[-1])
