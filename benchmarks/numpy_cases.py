"""The references' way of drawing, on one core of the host."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.clips import SKELETON, make_clips
from benchmarks.numpy_renderer import keypoint_volume, limb_volume
from posec3d_jax.skeletons.skeleton import get_skeleton

Case = tuple[Callable[[], Any], dict[str, Any]]


def volume_of(
    keypoint: np.ndarray, score: np.ndarray, size: int, stream: str = "joint"
) -> np.ndarray:
    """Crop to the persons, scale to `size`, draw: [M, T, V, 2] pixels to float32 [C, T, H, W]."""
    low, high = keypoint.min((0, 1, 2)), keypoint.max((0, 1, 2))
    middle, extent = (low + high) / 2, (high - low).max() * 1.25
    keypoint = (keypoint - middle + extent / 2) * (size / extent)
    if stream == "joint":
        return keypoint_volume(keypoint, score, (size, size))
    return limb_volume(keypoint, score, get_skeleton(SKELETON).limbs, (size, size))


def draw(
    batch: int = 1, persons: int = 2, stream: str = "joint", frames: int = 48, size: int = 56
) -> Case:
    """Geometry and drawing of one clip, whatever the batch: the time is a clip's."""
    clips = make_clips(1, persons, frames)
    arguments = clips["keypoint"][0], clips["score"][0], size, stream
    return lambda: volume_of(*arguments), {"clips": 1}


def draw_test(persons: int = 2, clips: int = 10, stream: str = "joint", size: int = 56) -> Case:
    """One test sample: all its clips, and all of them mirrored."""
    sample = make_clips(1, persons, clips * 48)
    keypoint, score = sample["keypoint"][0], sample["score"][0]

    def run():
        drawn = volume_of(keypoint, score, size, stream)
        return np.concatenate([drawn, drawn[..., ::-1]])

    return run, {"clips": 1}


CASES = MappingProxyType({case.__name__: case for case in (draw, draw_test)})
