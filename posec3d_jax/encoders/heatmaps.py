"""Gaussian heatmap volumes from keypoints, drawn on the device (paper, section 3.1).

Values are the reference's, including its oddities (each checked in `tests/test_heatmaps.py`):
gaussians are cut at three sigma by windows whose edges truncate toward zero, are not normalised,
persons merge by maximum, and a limb shorter than one pixel becomes a blob of its first joint.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from posec3d_jax.kernels.strokes import Arrays, Strokes, paint


def keypoint_heatmaps(
    keypoint: jax.Array,
    score: jax.Array,
    size: tuple[int, int],
    *,
    sigma: float = 0.6,
    epsilon: float = 1e-3,
) -> jax.Array:
    """One gaussian a joint, the maximum over persons.

    Args:
      keypoint: [B, M, T, V, 2] (x, y) in pixels of the volume, finite.
      score: [B, M, T, V] heights of the gaussians; joints below `epsilon` are not drawn.
      size: (H, W) of the volume.
      sigma: standard deviation in pixels of the volume.

    Returns:
      [B, T, H, W, V] in the dtype of `keypoint`.
    """
    return paint(keypoint_strokes(keypoint, score, size, sigma=sigma, epsilon=epsilon))


def keypoint_strokes(
    keypoint: jax.Array, score: jax.Array, size: tuple[int, int], *, sigma: float, epsilon: float
) -> Strokes:
    """What `keypoint_heatmaps` paints: a gaussian is the product of its two profiles."""
    height = jnp.where(score >= epsilon, score, 0)
    down = _profile(keypoint[..., 1], size[0], sigma)
    across = _profile(keypoint[..., 0], size[1], sigma)
    return Strokes(_gaussian, height, (down,), (across,))


def _gaussian(rows: Arrays, columns: Arrays, whole: Arrays) -> jax.Array:
    return rows[0] * columns[0]


def _profile(centre: jax.Array, length: int, sigma: float) -> jax.Array:
    """exp(-(i - c)^2 / 2 sigma^2) inside the window of c, else 0: [..., V] to [..., length, V]."""
    inside = _inside(length, centre, centre, sigma)
    distance = _distance(length, centre)
    return jnp.where(inside, jnp.exp(jnp.square(distance) / (-2 * sigma**2)), 0)


def _per_row(values: jax.Array, x: jax.Array) -> jax.Array:
    """`values` [length] as [..., length, 1], to meet `x` [..., 1, V]."""
    return lax.broadcast_to_rank(values[:, None], x.ndim + 1)


def _distance(length: int, start: jax.Array) -> jax.Array:
    """Of each row or column from `start`, signed: [..., V] to [..., length, V]."""
    index = jnp.arange(length, dtype=start.dtype)
    return _per_row(index, start) - start[..., None, :]


def _inside(length: int, low: jax.Array, high: jax.Array, sigma: float) -> jax.Array:
    """[..., V] to [..., length, V]: the columns from int(low - 3 sigma) to int(high + 3 sigma).

    The reference adds in double precision and truncates toward zero; a sum in float32 is off by a
    column where it is nearly an integer (14.2 + 1.8). So each column's bounds on low and high are
    worked out beforehand, in doubles.
    """
    until, since = (_per_row(jnp.array(bound), low) for bound in _bounds(length, sigma, low.dtype))
    return (low[..., None, :] < until) & (high[..., None, :] >= since)


def _bounds(length: int, sigma: float, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Column i is inside where low < until[i] and high >= since[i]; both rounded up to `dtype`."""
    column, reach = np.arange(length), 3 * sigma
    until, since = column + 1 + reach, column - reach
    # -0.2 truncates to 0: column 0 is reached from one pixel further away than any other.
    since[0] = np.nextafter(-1 - reach, np.inf)
    return _rounded_up(until, dtype), _rounded_up(since, dtype)


def _rounded_up(value: np.ndarray, dtype) -> np.ndarray:
    nearest = value.astype(dtype)
    return np.where(nearest >= value, nearest, np.nextafter(nearest, np.inf, dtype=dtype))


def limb_heatmaps(
    keypoint: jax.Array,
    score: jax.Array,
    limbs: jax.Array,
    size: tuple[int, int],
    *,
    sigma: float = 0.6,
    epsilon: float = 1e-3,
    short_limb: str = "start",
) -> jax.Array:
    """One gaussian ridge a limb: the height is the lower score of its two joints.

    Args are those of `keypoint_heatmaps`; `limbs` is int [L, 2]. A limb shorter than a pixel is
    drawn as its first joint: with that joint's own score (`short_limb` 'start', as the reference
    does), or with the 'lower' of the two. Returns [B, T, H, W, L].
    """
    options = {"sigma": sigma, "epsilon": epsilon, "short_limb": short_limb}
    return paint(limb_strokes(keypoint, score, limbs, size, **options))


def limb_strokes(
    keypoint: jax.Array,
    score: jax.Array,
    limbs: jax.Array,
    size: tuple[int, int],
    *,
    sigma: float,
    epsilon: float,
    short_limb: str,
) -> Strokes:
    """What `limb_heatmaps` paints."""
    start, end = keypoint[..., limbs[:, 0], :], keypoint[..., limbs[:, 1], :]
    start_score = score[..., limbs[:, 0]]
    height = jnp.minimum(start_score, score[..., limbs[:, 1]])
    short = jnp.square(end - start).sum(-1) < 1
    end = jnp.where(short[..., None], start, end)
    own = start_score if short_limb == "start" else height
    height = jnp.where(height >= epsilon, jnp.where(short, own, height), 0)
    step = end - start
    per_length = step / jnp.where(short, 1, jnp.square(step).sum(-1))[..., None]
    (columns, rows) = (
        _limb_profiles(size[1 - i], start[..., i], end[..., i], per_length[..., i], sigma)
        for i in (0, 1)
    )
    ridge = partial(_ridge, sigma=sigma)
    return Strokes(ridge, height, rows, columns, whole=(step[..., 0], step[..., 1]))


def _limb_profiles(
    length: int, start: jax.Array, end: jax.Array, per_length: jax.Array, sigma: float
) -> Arrays:
    """Along one axis [..., length, L]: in the window or not, distance from the start, share of
    the way to the end that the distance makes up."""
    inside = _inside(length, jnp.minimum(start, end), jnp.maximum(start, end), sigma)
    distance = _distance(length, start)
    return inside.astype(distance.dtype), distance, distance * per_length[..., None, :]


def _ridge(rows: Arrays, columns: Arrays, whole: Arrays, *, sigma: float) -> jax.Array:
    """exp(-d^2 / 2 sigma^2), d the distance to the segment."""
    along = jnp.clip(rows[2] + columns[2], 0, 1)
    away = jnp.square(columns[1] - along * whole[0]) + jnp.square(rows[1] - along * whole[1])
    return rows[0] * columns[0] * jnp.exp(away / (-2 * sigma**2))
