"""Where joints come to lie in what is drawn: crop, resize, flip, in the reference's order.

The one place where the geometry of the reference's training and test pipelines is written down.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from posec3d_jax.encoders import geometry as g
from posec3d_jax.skeletons.skeleton import Skeleton

Placed = tuple[jax.Array, jax.Array]  # keypoint [B, M, T, V, 2] in drawn pixels, score [B, M, T, V]
_MIRRORS = {"W-x": 0, "W-1-x": 1}  # how far left of the width the mirror image of column 0 lies


@dataclass(frozen=True)
class Geometry:
    """The keys of `config.geometry`, which says what they mean.

    Raises ValueError for a word that there is not.
    """

    compact: bool
    padding: float
    threshold: float
    hw_ratio: float | tuple[float, float]
    allow_imgpad: bool
    missing: str
    train_resize: int
    test_resize: str
    crop_area: tuple[float, float]
    crop_aspect: tuple[float, float]
    flip: float
    train_mirror: str
    test_mirror: str

    def __post_init__(self):
        for key in ("train_mirror", "test_mirror"):
            _check(key, getattr(self, key), tuple(_MIRRORS))
        _check("missing", self.missing, ("coordinate", "joint"))
        _check("test_resize", self.test_resize, ("square", "center_crop"))

    @property
    def mirrors_pixels(self) -> bool:
        """Whether a mirrored test view is the plain one with its columns in reverse."""
        return self.test_mirror == "W-1-x"


def _check(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        expected = " or ".join(map(repr, known))
        raise ValueError(f"config.geometry.{key} is {value!r}; expected {expected}")


def place_for_training(
    keypoint: jax.Array,
    score: jax.Array,
    frame_size: jax.Array,
    key: jax.Array,
    *,
    geometry: Geometry,
    skeleton: Skeleton,
    size: tuple[int, int],
) -> Placed:
    """Crops to the persons, crops at random and flips at random; numbers come from `key`.

    Args: keypoint float [B, M, T, V, 2], score [B, M, T, V] and frame_size [B, 2] (height, width)
    in pixels of the clip; `size` (height, width) of what is drawn.
    """
    crop_key, flip_key = jax.random.split(key)
    keypoint, frame_size = _compact(keypoint, frame_size, geometry)
    if geometry.train_resize:
        keypoint, frame_size = g.resize_short_side(keypoint, frame_size, geometry.train_resize)
    if geometry.crop_area != (1.0, 1.0):
        shape = {"area": geometry.crop_area, "aspect": geometry.crop_aspect}
        keypoint, frame_size = g.random_resized_crop(crop_key, keypoint, frame_size, **shape)
    keypoint, frame_size = g.resize(keypoint, frame_size, jnp.array(size))
    chosen = jax.random.bernoulli(flip_key, geometry.flip, (len(frame_size),))
    width = frame_size[:, 1] - _MIRRORS[geometry.train_mirror]
    missing = geometry.missing
    return g.flip(keypoint, score, width, skeleton.flip_joints, chosen, missing=missing)


def place_for_test(
    keypoint: jax.Array, frame_size: jax.Array, *, geometry: Geometry, size: tuple[int, int]
) -> tuple[jax.Array, jax.Array]:
    """Crops to the persons over all frames, and resizes: keypoint and frame size [B, 2]."""
    keypoint, frame_size = _compact(keypoint, frame_size, geometry)
    if geometry.test_resize == "square":
        return g.resize(keypoint, frame_size, jnp.array(size))
    keypoint, frame_size = g.resize_short_side(keypoint, frame_size, min(size))
    return g.center_crop(keypoint, frame_size, size)


def with_mirrored_frames(
    placed: Placed, frame_size: jax.Array, *, geometry: Geometry, skeleton: Skeleton
) -> Placed:
    """Twice the frames: all as they are, then all mirrored about the width itself ('W-x')."""
    everyone, missing = jnp.ones(frame_size.shape[0], bool), geometry.missing
    mirrored = g.flip(*placed, frame_size[:, 1], skeleton.flip_joints, everyone, missing=missing)
    keypoint, score = (jnp.concatenate(pair, 2) for pair in zip(placed, mirrored, strict=True))
    return keypoint, score


def _compact(keypoint: jax.Array, frame_size: jax.Array, geometry: Geometry):
    if not geometry.compact:
        return keypoint, frame_size
    names = ("padding", "threshold", "hw_ratio", "allow_imgpad", "missing")
    return g.compact_crop(keypoint, frame_size, **{n: getattr(geometry, n) for n in names})
