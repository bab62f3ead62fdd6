"""Heatmaps beside a clip: what the pose estimator saw of each joint, for whoever wants it whole.

The file is an .npz by another name, so that nobody takes it for a clip.
"""

import io
from pathlib import Path

import numpy as np

from posec3d_jax.files.arrays import load_npz
from posec3d_jax.files.disk import write_whole
from posec3d_jax.poses.estimator import Heatmaps

HEATMAPS = ".heatmaps"  # suffix


def write_heatmaps(file: Path, heatmaps: Heatmaps) -> None:
    """Writes heatmaps of the tracks of a clip, values [M, T, H, W, V] and windows [M, T, 4]."""
    write_arrays(file, values=heatmaps.values, window=heatmaps.window)


def read_heatmaps(file: Path) -> Heatmaps:
    """What `write_heatmaps` wrote.

    Raises:
      BadSample: the file is damaged, or no such.
    """
    arrays = load_npz(file)
    return Heatmaps(arrays["values"], arrays["window"])


def write_arrays(file: Path, **arrays: np.ndarray) -> None:
    """Writes a compressed .npz, whole or not at all; folders are made."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, buffer.getvalue())
