"""Gaussian heatmap volumes from keypoints, drawn on the device (paper, section 3.1).

Values are the reference's, including its oddities (each checked in `tests/test_heatmaps.py`):
gaussians are cut at three sigma by windows whose edges truncate toward zero, are not normalised,
persons merge by maximum, and a limb shorter than one pixel becomes a blob of its first joint.
"""

import jax
import jax.numpy as jnp
import numpy as np


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
    score = jnp.where(score >= epsilon, score, 0)
    across = _profile(keypoint[..., 0], size[1], sigma)
    down = _profile(keypoint[..., 1], size[0], sigma) * score[..., None, :]
    return _max_over_persons(lambda y, x: y[:, :, :, None] * x[:, :, None], down, across)


def _profile(centre: jax.Array, length: int, sigma: float) -> jax.Array:
    """exp(-(i - c)^2 / 2 sigma^2) inside the window of c, else 0: [..., V] to [..., length, V]."""
    inside = _inside(length, centre, centre, sigma)
    distance = jnp.arange(length, dtype=centre.dtype)[:, None] - centre[..., None, :]
    return jnp.where(inside, jnp.exp(jnp.square(distance) / (-2 * sigma**2)), 0)


def _inside(length: int, low: jax.Array, high: jax.Array, sigma: float) -> jax.Array:
    """[..., V] to [..., length, V]: the columns from int(low - 3 sigma) to int(high + 3 sigma).

    The reference adds in double precision and truncates toward zero; a sum in float32 is off by a
    column where it is nearly an integer (14.2 + 1.8). So each column's bounds on low and high are
    worked out beforehand, in doubles.
    """
    until, since = (jnp.array(bound)[:, None] for bound in _bounds(length, sigma, low.dtype))
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


def _max_over_persons(draw, *arrays: jax.Array) -> jax.Array:
    """Folds `draw` over the person axis (1), so that only one person's volume exists at a time."""
    volume = draw(*(a[:, 0] for a in arrays))
    for person in range(1, arrays[0].shape[1]):
        volume = jnp.maximum(volume, draw(*(a[:, person] for a in arrays)))
    return jnp.maximum(volume, 0)


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
    if short_limb not in ("start", "lower"):
        raise ValueError(f"config.volume.short_limb is {short_limb!r}; expected 'start' or 'lower'")
    start, end = keypoint[..., limbs[:, 0], :], keypoint[..., limbs[:, 1], :]
    start_score = score[..., limbs[:, 0]]
    height = jnp.minimum(start_score, score[..., limbs[:, 1]])
    short = jnp.square(end - start).sum(-1) < 1
    end = jnp.where(short[..., None], start, end)
    own = start_score if short_limb == "start" else height
    peak = jnp.where(height >= epsilon, jnp.where(short, own, height), 0)

    def draw(start, end, peak):
        return _ridge(start, end, peak, size, sigma)

    return _max_over_persons(draw, start, end, peak)


def _ridge(start, end, peak, size, sigma) -> jax.Array:
    """peak * exp(-d^2 / 2 sigma^2), d the distance to the segment: [B, T, H, W, L]."""
    x = jnp.arange(size[1], dtype=start.dtype)[None, :, None]
    y = jnp.arange(size[0], dtype=start.dtype)[:, None, None]
    (ax, ay), (bx, by) = _coordinates(start), _coordinates(end)
    dx, dy = bx - ax, by - ay
    length = jnp.square(dx) + jnp.square(dy)
    along = ((x - ax) * dx + (y - ay) * dy) / jnp.where(length == 0, 1, length)
    along = jnp.clip(along, 0, 1)
    distance = jnp.square(x - ax - along * dx) + jnp.square(y - ay - along * dy)
    low, high = jnp.minimum(start, end), jnp.maximum(start, end)
    across = _inside(size[1], low[..., 0], high[..., 0], sigma)[..., None, :, :]
    down = _inside(size[0], low[..., 1], high[..., 1], sigma)[..., :, None, :]
    inside, peak = down & across, peak[..., None, None, :]
    return jnp.where(inside, peak * jnp.exp(distance / (-2 * sigma**2)), 0)


def _coordinates(point: jax.Array) -> tuple[jax.Array, jax.Array]:
    """[..., L, 2] to x and y, each [..., 1, 1, L], to broadcast over rows and columns."""
    return point[..., None, None, :, 0], point[..., None, None, :, 1]


def flip_volume(volume: jax.Array, channels: jax.Array) -> jax.Array:
    """Mirrors [..., H, W, C] left to right and swaps the channels of left and right.

    Test-time doubling of the reference: column x goes to W - 1 - x. (Its training flip sends the
    coordinate x to W - x, one pixel apart.)
    """
    return volume[..., ::-1, :][..., channels]
