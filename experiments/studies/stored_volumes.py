"""Volumes of a clip by what was stored of it: the estimator's heatmaps whole, or coordinates.

Both are drawn on one canvas, the square around the people in all frames, and merge persons by
maximum; only where the heat comes from differs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.encoders.geometry import compact_box
from posec3d_jax.encoders.heatmaps import keypoint_heatmaps
from posec3d_jax.files.disk import read_json
from posec3d_jax.poses.heatmap_file import HEATMAPS, read_heatmaps

STORED = ("heatmaps", "coordinates")
_FRAMES = 64  # clips are padded to a multiple of it, so that few programs serve all


@dataclass(frozen=True)
class Clip:
    """One clip as a network could be shown it."""

    volume: np.ndarray  # float16 [T, S, S, V]
    label: int


@dataclass(frozen=True)
class _Poses:
    keypoint: np.ndarray  # float32 [M, T, V, 2] pixels
    score: np.ndarray  # float32 [M, T, V]
    maps: np.ndarray  # uint8 [M, T, H, W, V]
    window: np.ndarray  # float32 [M, T, 4] pixels
    frame_size: np.ndarray  # [2] (height, width)
    label: int


def read_clips(folder: Path, split: str, stored: str, persons: int, size: int) -> Iterator[Clip]:
    """The clips of a split of what `posec3d extract --heatmaps` wrote.

    Args:
      folder: see above.
      split: of splits.json.
      stored: one of STORED.
      persons: how many of a clip are drawn, those of the highest total score.
      size: S.

    Raises:
      FileNotFoundError: the folder has no such split, or was extracted without heatmaps.
    """
    names = read_json(folder / "splits.json").get(split)
    if not names:
        raise FileNotFoundError(f"{folder}/splits.json has no clips of {split!r}")
    for name in names:
        poses = _read(folder, name, persons)
        if poses is not None:
            yield Clip(_volume(poses, stored, size), poses.label)


def _read(folder: Path, name: str, persons: int) -> _Poses | None:
    """None for a clip without anybody."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as clip:
        best = np.sort(np.argsort(-clip["score"].sum((1, 2)), kind="stable")[:persons])
        if not len(best):
            return None
        heatmaps = read_heatmaps(folder / f"{name}{HEATMAPS}")[best]
        keypoint, score = clip["keypoint"][best], clip["score"][best]
        size, label = clip["frame_size"], int(clip["label"])
    return _Poses(keypoint, score, heatmaps.values, heatmaps.window, size, label)


def _volume(poses: _Poses, stored: str, size: int) -> np.ndarray:
    frames = poses.keypoint.shape[1]
    padded = {
        name: np.pad(array, ((0, 0), (0, -frames % _FRAMES)) + ((0, 0),) * (array.ndim - 2))
        for name, array in vars(poses).items()
        if name in ("keypoint", "score", "maps", "window")
    }
    box = compact_box(padded["keypoint"][None], jnp.array(poses.frame_size)[None])[0]
    if stored == "heatmaps":
        volume = _from_heatmaps(padded["maps"], padded["window"], box, size=size)
    else:
        volume = _from_coordinates(padded["keypoint"], padded["score"], box, size=size)
    return np.asarray(volume[:frames], np.float16)


@partial(jax.jit, static_argnames="size")
def _from_coordinates(keypoint, score, box, *, size: int) -> jax.Array:
    low, side = box[:2].reshape(1, 1, 1, 2), (box[2:] - box[:2]).reshape(1, 1, 1, 2)
    placed = (keypoint - low) * size / side
    return keypoint_heatmaps(placed[None], score[None], (size, size))[0]


@partial(jax.jit, static_argnames="size")
def _from_heatmaps(maps, window, box, *, size: int) -> jax.Array:
    """Each person's maps, brought by area to where their window lies on the canvas."""
    height, width = maps.shape[2:4]
    low, side = box[:2].reshape(1, 1, 2), (box[2:] - box[:2]).reshape(1, 1, 2)
    per_pixel = size / side  # (x, y), canvas pixels a picture's pixel
    scale = (window[..., 2:] - window[..., :2]) * per_pixel / jnp.array([[[width, height]]])
    # A place is index / side of the map, and of the canvas: pixels count from their index.
    shift = (window[..., :2] - low) * per_pixel + 0.5 - 0.5 * scale

    def place(one, scale, shift):
        shape = (size, size, one.shape[-1])
        image = one.astype(jnp.float32) / 255
        return jax.image.scale_and_translate(
            image, shape, (0, 1), scale[::-1], shift[::-1], "linear", antialias=True
        )

    seen = (scale > 0).all(-1)
    scale = jnp.where(seen[..., None], scale, 1)
    placed = jax.vmap(jax.vmap(place))(maps, scale, shift)
    return jnp.where(seen[..., None, None, None], placed, 0).max(0)
