"""RGB frames on the device: crop, resize, flip and normalisation of uint8, bit for bit as OpenCV's.

Frames are uint8 [B, T, H, W, 3]. A batch holds clips of several sizes, each in the top left corner
of arrays of one size; its own size is what counts, and what lies outside of it is black.
"""

import jax
import jax.numpy as jnp
import numpy as np

_BITS = 11  # OpenCV's weights are fractions of 2**11
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def crop_resized(
    frames: jax.Array, frame_size: jax.Array, box: jax.Array, size: tuple[int, int]
) -> jax.Array:
    """The part of each clip in its box, resized: uint8 [B, T, *size, 3].

    OpenCV's bilinear resize of bytes, to the bit: no antialiasing, weights of 11 bits, columns
    first. Positions are quotients of whole numbers below 2**24, which float32 rounds as OpenCV's
    doubles end up after their cast.

    Args:
      frames: uint8 [B, T, H, W, 3].
      frame_size: int [B, 2], height and width of each clip's own frames.
      box: int [B, 4]: left, top, right, bottom in pixels of the frame; may reach beyond it, where
        all is black.
      size: (height, width) to resize to.
    """
    start, extent = box[:, 1::-1], box[:, 3:1:-1] - box[:, 1::-1]  # top and left; height and width
    columns = jax.vmap(lambda n: _taps(n, size[1], clamp=True))(extent[:, 1])
    rows = jax.vmap(lambda n: _taps(n, size[0], clamp=False))(extent[:, 0])
    return jax.vmap(_interpolated)(frames, frame_size, start, extent, rows, columns)


Taps = tuple[jax.Array, jax.Array, jax.Array]  # the lower neighbour and both weights, int32 [n]


def _taps(source: jax.Array, target: int, clamp: bool) -> Taps:
    """Where each of `target` outputs lies among `source` inputs.

    With `clamp`, as of columns, positions beyond the first and last input are moved onto them;
    of rows only the neighbours' numbers are, later, and the weights stay.
    """
    doubled = (2 * jnp.arange(target) + 1) * source - target
    position = doubled.astype(jnp.float32) / jnp.float32(2 * target)
    lower = jnp.floor(position)
    share = position - lower
    lower = lower.astype(jnp.int32)
    if clamp:
        outside = (lower < 0) | (lower >= source - 1)
        lower, share = jnp.clip(lower, 0, source - 1), jnp.where(outside, 0, share)
    one = 1 << _BITS
    weights = (jnp.round(one * w).astype(jnp.int32) for w in (1 - share, share))
    return lower, *weights


def _interpolated(frames, frame_size, start, extent, rows: Taps, columns: Taps) -> jax.Array:
    """One clip [T, H, W, 3] to [T, rows, columns, 3]."""
    lower, v0, v1 = rows
    up, down = (_picked(frames, lower + i, 1, frame_size, start, extent) for i in (0, 1))
    a0, a1 = (_between_columns(part, columns, frame_size, start, extent) for part in (up, down))
    v0, v1 = v0[None, :, None, None], v1[None, :, None, None]
    total = ((v0 * (a0 >> 4)) >> 16) + ((v1 * (a1 >> 4)) >> 16)
    return ((total + 2) >> 2).astype(jnp.uint8)


def _between_columns(x: jax.Array, columns: Taps, frame_size, start, extent) -> jax.Array:
    lower, w0, w1 = columns
    left, right = (
        _picked(x, lower + i, 2, frame_size, start, extent).astype(jnp.int32) for i in (0, 1)
    )
    return w0[None, None, :, None] * left + w1[None, None, :, None] * right


def _picked(x: jax.Array, index: jax.Array, axis: int, frame_size, start, extent) -> jax.Array:
    """Rows (axis 1) or columns (axis 2) of the box by number, the nearest of those that it has;
    black where the box leaves the frame."""
    side = axis - 1
    place = start[side] + jnp.clip(index, 0, jnp.maximum(extent[side] - 1, 0))
    inside = (place >= 0) & (place < frame_size[side])
    picked = jnp.take(x, jnp.clip(place, 0, x.shape[axis] - 1), axis)
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    return jnp.where(inside.reshape(shape), picked, 0)


def flip_frames(frames: jax.Array, chosen: jax.Array) -> jax.Array:
    """Column x to W - 1 - x of the clips where `chosen` [B] holds."""
    return jnp.where(chosen[:, None, None, None, None], frames[:, :, :, ::-1], frames)


def normalised(frames: jax.Array) -> jax.Array:
    """(x - mean) / std of each channel, float32: what networks trained on ImageNet expect.

    Looked up: XLA would multiply by the inverse of a constant, and be off in the last bit.
    """
    every = np.arange(256, dtype=np.float32)[:, None]
    table = jnp.array((every - np.float32(MEAN)) / np.float32(STD))
    return jnp.stack([table[:, c][frames[..., c]] for c in range(3)], -1)
