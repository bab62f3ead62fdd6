"""Crop, resize and flip of keypoints, batched and jitted; the reference's steps on coordinates.

Everywhere: keypoint [B, M, T, V, 2] (x, y) float32, frame size [B, 2] (height, width) in pixels.
What is missing is stored as exact zeros, which crop and flip leave alone. The reference tests x and
y apart, so that a zero x of a visible joint stays, too; `missing='joint'` asks for both.
"""

import jax
import jax.numpy as jnp
import numpy as np


def compact_crop(
    keypoint: jax.Array,
    frame_size: jax.Array,
    *,
    padding: float = 0.25,
    threshold: float = 10.0,
    hw_ratio: float | tuple[float, float] = 1.0,
    allow_imgpad: bool = True,
    missing: str = "coordinate",
) -> tuple[jax.Array, jax.Array]:
    """Moves the origin to the box around all persons of all frames (the paper's centred crop).

    The box is grown by `padding`, then to height / width `hw_ratio` (0 leaves it), and its edges
    are truncated toward zero. A clip whose box is under `threshold` pixels on a side, or that has
    no joint at all, stays as it is. Without `allow_imgpad` (the references' name) the box is
    clipped to the frame. `missing`: see `is_present`.

    Returns keypoint and frame size of the crop.
    """
    box = compact_box(
        keypoint,
        frame_size,
        padding=padding,
        threshold=threshold,
        hw_ratio=hw_ratio,
        allow_imgpad=allow_imgpad,
        missing=missing,
    )
    moved = keypoint - box[:, None, None, None, :2]
    return jnp.where(is_present(keypoint, missing), moved, 0), (box[:, 2:] - box[:, :2])[:, ::-1]


def compact_box(
    keypoint: jax.Array,
    frame_size: jax.Array,
    *,
    padding: float = 0.25,
    threshold: float = 10.0,
    hw_ratio: float | tuple[float, float] = 1.0,
    allow_imgpad: bool = True,
    missing: str = "coordinate",
) -> jax.Array:
    """The box that `compact_crop` crops to: left, top, right, bottom, whole pixels [B, 4]."""
    present = is_present(keypoint, missing)
    low = jnp.where(present, keypoint, jnp.inf).min((1, 2, 3))
    high = jnp.where(present, keypoint, -jnp.inf).max((1, 2, 3))
    small = ~jnp.all(high - low >= threshold, -1)
    low, high = (jnp.where(small[:, None], 0, edge) for edge in (low, high))
    # In float16, which annotation files hold, the reference adds in that type, too.
    total, extent = (_wide(x) for x in (low + high, high - low))
    centre, half = total / 2, extent / 2 * (1 + padding)
    half = _grow_to_ratio(half, hw_ratio)
    first, last = centre - half, centre + half
    if not allow_imgpad:
        limit = frame_size[:, ::-1]
        first, last = jnp.maximum(first, 0), jnp.minimum(last, limit)
    first = jnp.where(small[:, None], 0, jnp.trunc(first))
    last = jnp.where(small[:, None], frame_size[:, ::-1], jnp.trunc(last))
    return jnp.concatenate([first, last], -1)


def centre_and_side(keypoint: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Middle [B, 2] (x, y) and longer side [B, 1] of the box around all joints of a clip.

    Joints at exactly (0, 0) are missing; a clip without any, or of a single point, has side 1.
    """
    present = is_present(keypoint, "joint")
    low = jnp.where(present, keypoint, jnp.inf).min((1, 2, 3))
    high = jnp.where(present, keypoint, -jnp.inf).max((1, 2, 3))
    low, high = (jnp.where(jnp.isfinite(edge), edge, 0) for edge in (low, high))
    side = (high - low).max(-1, keepdims=True)
    return (low + high) / 2, jnp.where(side > 0, side, 1)


def _wide(x: jax.Array) -> jax.Array:
    """In at least float32."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def is_present(keypoint: jax.Array, missing: str) -> jax.Array:
    """Where coordinates count, bool like `keypoint`.

    With `missing` 'coordinate' (the references) each that is not zero; with 'joint' both, if either
    is not zero.
    """
    if missing not in ("coordinate", "joint"):
        raise ValueError(
            f"config.geometry.missing is {missing!r}; expected 'coordinate' or 'joint'"
        )
    present = keypoint != 0
    if missing == "joint":
        return jnp.broadcast_to(present.any(-1, keepdims=True), keypoint.shape)
    return present


def _grow_to_ratio(half: jax.Array, hw_ratio: float | tuple[float, float]) -> jax.Array:
    ratio = hw_ratio if isinstance(hw_ratio, tuple | list) else (hw_ratio, hw_ratio)
    if not ratio[0]:
        return half
    height = jnp.maximum(ratio[0] * half[:, 0], half[:, 1])
    width = jnp.maximum(height / ratio[1], half[:, 0])
    return jnp.stack([width, height], -1)


def resize(
    keypoint: jax.Array, frame_size: jax.Array, new_size: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Scales keypoints from `frame_size` to `new_size`, both [B, 2] (height, width)."""
    new_size = jnp.broadcast_to(jnp.asarray(new_size, keypoint.dtype), frame_size.shape)
    # An empty crop cannot be scaled; it holds no joint, so any finite factor will do.
    factor = (new_size / jnp.maximum(frame_size, 1))[:, ::-1]
    return keypoint * factor[:, None, None, None], new_size


def resize_short_side(
    keypoint: jax.Array, frame_size: jax.Array, short: float
) -> tuple[jax.Array, jax.Array]:
    """Scales so that the shorter side has `short` pixels; sizes round half up as the reference."""
    factor = short / jnp.maximum(frame_size.min(-1, keepdims=True), 1)
    return resize(keypoint, frame_size, jnp.floor(frame_size * factor + 0.5))


def center_crop(
    keypoint: jax.Array, frame_size: jax.Array, size: tuple[int, int]
) -> tuple[jax.Array, jax.Array]:
    """Cuts `size` (height, width) out of the middle (mmaction2's NTU60 and FineGYM test chain)."""
    size = jnp.asarray(size, keypoint.dtype)
    start = jnp.floor((frame_size - size[None]) / 2)
    moved = keypoint - start[:, None, None, None, ::-1]
    return moved, jnp.broadcast_to(size, frame_size.shape)


def random_resized_crop(
    key: jax.Array,
    keypoint: jax.Array,
    frame_size: jax.Array,
    *,
    area: tuple[float, float] = (0.56, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> tuple[jax.Array, jax.Array]:
    """Crops a random window of the frame: the first of ten candidates that fits, else a square.

    Shape and place are drawn as the reference draws them (log-uniform aspect, uniform area, whole
    pixels); the numbers come from `key`. Missing joints move with the window, as they do there.
    """
    start, size = random_window(key, frame_size, area=area, aspect=aspect)
    return keypoint - start[:, None, None, None, ::-1], size


def random_window(
    key: jax.Array,
    frame_size: jax.Array,
    *,
    area: tuple[float, float] = (0.56, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> tuple[jax.Array, jax.Array]:
    """Start and size, both [B, 2] (height, width), of the window of `random_resized_crop`."""
    size, start = _candidate_windows(key, frame_size, area, aspect)
    fits = jnp.all(size <= frame_size[:, None], -1)
    first = jnp.argmax(fits, -1)
    short = jnp.broadcast_to(frame_size.min(-1, keepdims=True), frame_size.shape)
    found = fits.any(-1)[:, None]
    pick = jax.vmap(lambda candidates, i: candidates[i])
    size = jnp.where(found, pick(size, first), short)
    return jnp.where(found, pick(start, first), jnp.floor((frame_size - short) / 2)), size


def _candidate_windows(key, frame_size, area, aspect, tries: int = 10):
    """Sizes and starts [B, tries, 2] (height, width) of the candidate windows."""
    keys, shape = jax.random.split(key, 3), (frame_size.shape[0], tries)
    log_low, log_high = np.log(aspect[0]), np.log(aspect[1])
    ratio = jnp.exp(jax.random.uniform(keys[0], shape, minval=log_low, maxval=log_high))
    pixels = frame_size.prod(-1)[:, None]
    pixels = pixels * jax.random.uniform(keys[1], shape, minval=area[0], maxval=area[1])
    size = jnp.round(jnp.sqrt(jnp.stack([pixels / ratio, pixels * ratio], -1)))
    room = jnp.maximum(frame_size[:, None] - size, 0)
    start = jnp.floor(jax.random.uniform(keys[2], size.shape) * (room + 1))
    return size, jnp.minimum(start, room)


def flip(
    keypoint: jax.Array,
    score: jax.Array,
    width: jax.Array,
    joints: np.ndarray,
    chosen: jax.Array,
    *,
    missing: str = "coordinate",
) -> tuple[jax.Array, jax.Array]:
    """Mirrors the clips where `chosen` [B] holds: x to `width` - x, then left for right.

    Args: `width` [B] pixels; `joints` int [V], the permutation that swaps left and right;
    `missing`: see `is_present`, these coordinates stay zero.
    """
    present = is_present(keypoint, missing)[..., 0]
    mirrored = jnp.where(present, width[:, None, None, None] - keypoint[..., 0], 0)
    mirrored = jnp.concatenate([mirrored[..., None], keypoint[..., 1:]], -1)[..., joints, :]
    chosen = chosen[:, None, None, None]
    keypoint = jnp.where(chosen[..., None], mirrored, keypoint)
    return keypoint, jnp.where(chosen, score[..., joints], score)
