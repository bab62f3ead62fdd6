"""PYSKL's annotation file of a folder of clips in the directory format."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from posec3d_jax.files.disk import write_whole


def write_pyskl(folder: Path, splits: Mapping[str, Sequence[str]], file: Path) -> None:
    """Writes `{'split': ..., 'annotations': ...}` of the clips of the splits, in order of name.

    The whole file is made in memory, as its readers take it.

    Raises:
      DiskError: it cannot be written.
    """
    names = sorted({name for clips in splits.values() for name in clips})
    contents = {
        "split": {split: list(clips) for split, clips in splits.items()},
        "annotations": [_annotation(folder, name) for name in names],
    }
    write_whole(file, pickle.dumps(contents, protocol=4))


def _annotation(folder: Path, name: str) -> dict:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as clip:
        height, width = (int(side) for side in clip["frame_size"])
        return {
            "frame_dir": name,
            "label": int(clip["label"]),
            "img_shape": (height, width),
            "original_shape": (height, width),
            "total_frames": clip["keypoint"].shape[1],
            "keypoint": clip["keypoint"].astype(np.float16),
            "keypoint_score": clip["score"].astype(np.float16),
        }
