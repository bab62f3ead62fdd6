"""What to time things on: moving skeletons in memory, and a data set of them on disk."""

from pathlib import Path

import numpy as np

from posec3d_jax.config import base
from posec3d_jax.data.stored.sources import Source, open_source

SKELETON = "coco_17"
FRAME_SIZE = (1080, 1920)  # H, W pixels


def make_clips(batch: int, persons: int, frames: int, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch as the input pipeline delivers it: keypoint [B, M, T, V, 2] and its companions.

    Persons stand about the frame's middle, their joints within 300 pixels, and sway: drawing costs
    what it costs on real clips, where a person fills much of the crop.
    """
    rng = np.random.default_rng(seed)
    middle = rng.uniform((600, 400), (1300, 700), (batch, persons, 1, 1, 2))
    body = rng.uniform((-120, -300), (120, 300), (batch, persons, 1, 17, 2))
    sway = np.cumsum(rng.normal(0, 6, (batch, persons, frames, 17, 2)), axis=2)
    return {
        "keypoint": (middle + body + sway).astype(np.float32),
        "score": rng.uniform(0.4, 1, (batch, persons, frames, 17)).astype(np.float32),
        "frame_size": np.tile(np.array(FRAME_SIZE, np.float32), (batch, 1)),
        "label": rng.integers(0, 60, batch).astype(np.int32),
    }


def open_folder(folder: str | Path) -> Source:
    """The training clips of a generated data set; see `input_pipeline.prepare_generated`."""
    data = base.get_config().data
    data.dir, data.storage, data.max_persons = str(folder), "pack", 2
    return open_source(data, "train")
