"""Poses of a long video kept on disk between two passes over it."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np

from posec3d_jax.video.windows import PoseFrame


class PoseSpool:
    """A temporary file of frames: filled by `through`, then read again from the first on."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def through(self, frames: Iterable[PoseFrame]) -> Iterator[PoseFrame]:
        """Passes the frames on, and keeps them."""
        for frame in frames:
            for array in (np.float64(frame.time), frame.keypoint, frame.score, frame.ids):
                np.save(self._file, array, allow_pickle=False)
            yield frame

    def __iter__(self) -> Iterator[PoseFrame]:
        """The frames kept."""
        end = self._file.seek(0, 2)
        self._file.seek(0)
        while self._file.tell() < end:
            time, keypoint, score, ids = (np.load(self._file) for _ in range(4))
            yield PoseFrame(float(time), keypoint, score, ids)
