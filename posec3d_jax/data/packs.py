"""Skeletons as two flat arrays, on disk (memory-mapped) or in memory, gathered without a Python loop.

The persons x frames of all clips lie end to end: row = start of the clip + person * frames + frame.
The last row is all zero: absent persons point at it, so padding costs no extra pass.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.data.clips import ClipTable, make_table, table_row
from posec3d_jax.data.info import DataError, DatasetInfo
from posec3d_jax.data.records import SkeletonSequence

KEYPOINT_FILE, SCORE_FILE = "keypoint.npy", "score.npy"


@dataclass(frozen=True, eq=False)
class PackSource:
    """A source over flat arrays. See `sources.Source` for the meaning of its members."""

    info: DatasetInfo
    table: ClipTable  # of this split
    starts: np.ndarray  # int64 [N], first row of each clip
    persons: np.ndarray  # int32 [N, M], the persons to use, -1 for none
    keypoint: np.ndarray  # [R + 1, V, 2], the last row zero
    score: np.ndarray  # [R + 1, V]

    @property
    def names(self) -> list[str]:
        return self.table.names

    @property
    def labels(self) -> np.ndarray:
        return self.table.labels

    @property
    def lengths(self) -> np.ndarray:
        return self.table.lengths

    def __len__(self) -> int:
        return len(self.table)

    def gather(self, index: np.ndarray, frames: np.ndarray) -> dict[str, np.ndarray]:
        """The chosen frames [B, T] of the clips `index` [B]; see `sources.Source.gather`."""
        check_frames(self.lengths[index], frames)
        person, length = self.persons[index][:, :, None], self.lengths[index][:, None, None]
        rows = self.starts[index][:, None, None] + person * length + frames[:, None, :]
        rows = np.where(person < 0, len(self.score) - 1, rows)
        return {
            "keypoint": self.keypoint.take(rows, axis=0).astype(np.float32, copy=False),
            "score": self.score.take(rows, axis=0).astype(np.float32, copy=False),
            "frame_size": self.table.frame_size[index],
            "label": self.labels[index],
        }

    def sequence(self, i: int) -> SkeletonSequence:
        """The whole clip i, with at most `max_persons` persons and no padding."""
        person = self.persons[i][self.persons[i] >= 0, None]
        rows = self.starts[i] + person * int(self.lengths[i]) + np.arange(self.lengths[i])
        height, width = (int(side) for side in self.table.frame_size[i])
        return SkeletonSequence(
            self.names[i],
            self.keypoint[rows].astype(np.float32),
            self.score[rows].astype(np.float32),
            (height, width),
            int(self.labels[i]),
        )


def check_frames(lengths: np.ndarray, frames: np.ndarray) -> None:
    """Refuse frames outside their clip, which would silently read a neighbour's."""
    wrong = (frames < 0) | (frames >= lengths[:, None])
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise IndexError(
            f"frame {frames[row, column]} asked of a clip with {lengths[row]} frames (row {row})"
        )


def write_pack(
    folder: Path, sequences: Iterable[SkeletonSequence], num_joints: int, dtype: str
) -> None:
    """Write sequences to `folder` as a pack, one at a time: memory does not grow with their number."""
    folder.mkdir(parents=True)
    with (
        _NpyAppender(folder / KEYPOINT_FILE, (num_joints, 2), dtype) as keypoint,
        _NpyAppender(folder / SCORE_FILE, (num_joints,), dtype) as score,
    ):
        for sequence in sequences:
            keypoint.add(sequence.keypoint.reshape(-1, num_joints, 2))
            score.add(sequence.score.reshape(-1, num_joints))
        keypoint.add(np.zeros((1, num_joints, 2)))
        score.add(np.zeros((1, num_joints)))


class _NpyAppender:
    """Grows a .npy file row by row: the header keeps room for the final count and is written twice."""

    def __init__(self, path: Path, row: tuple[int, ...], dtype: str):
        self._path, self._row, self._dtype = path, row, np.dtype(dtype)
        self._count = 0

    def __enter__(self) -> "_NpyAppender":
        self._file = self._path.open("wb")
        self._header()
        return self

    def __exit__(self, *_) -> None:
        end = self._file.tell()
        self._file.seek(0)
        self._header()
        self._file.truncate(end)
        self._file.close()

    def _header(self) -> None:
        # numpy pads the header so that the first axis can grow to 21 digits in place
        descr = np.lib.format.dtype_to_descr(self._dtype)
        shape = (self._count, *self._row)
        np.lib.format.write_array_header_1_0(
            self._file, {"descr": descr, "fortran_order": False, "shape": shape}
        )

    def add(self, rows: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self._count += len(rows)


def open_pack(
    folder: Path, info: DatasetInfo, table: ClipTable, clips: np.ndarray, max_persons: int
) -> PackSource:
    """Memory-map a pack and look at some of its clips.

    Args:
      folder: where `write_pack` wrote.
      info: facts of the data set.
      table: of all stored clips.
      clips: int [N], the clips of the split.
      max_persons: M.
    """
    arrays = []
    for file, row in ((KEYPOINT_FILE, (2,)), (SCORE_FILE, ())):
        expected = (int(table.rows()[-1]) + 1, info.skeleton.num_joints, *row)
        try:
            array = np.load(folder / file, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise DataError(
                f"{folder / file} cannot be read ({error}); make the data set again with "
                "'posec3d prepare --overwrite'"
            ) from error
        if array.shape != expected:
            raise DataError(
                f"{folder / file} has shape {array.shape}, clips.npz calls for {expected}; make the "
                "data set again with 'posec3d prepare --overwrite'"
            )
        arrays.append(array.view(np.ndarray))
    split = table.take(clips)
    return PackSource(info, split, table.rows()[clips], split.selection(max_persons), *arrays)


def pack_in_memory(
    info: DatasetInfo,
    table: ClipTable,
    chunks: Iterable[Sequence[SkeletonSequence]],
    max_persons: int,
) -> PackSource:
    """Fill a pack in memory from sequences that arrive in the table's order, in chunks.

    The arrays are allocated once, at their final size and in the data set's dtype; the sequences
    have their persons chosen already (see `ClipTable.selection`).
    """
    persons = np.minimum(table.persons, max_persons)
    starts = np.concatenate([[0], np.cumsum(persons.astype(np.int64) * table.lengths)])
    joints = info.skeleton.num_joints
    keypoint = np.zeros((starts[-1] + 1, joints, 2), info.keypoint_dtype)
    score = np.zeros((starts[-1] + 1, joints), info.keypoint_dtype)
    i = 0
    for chunk in chunks:
        for sequence in chunk:
            rows = slice(starts[i], starts[i + 1])
            keypoint[rows] = sequence.keypoint.reshape(-1, joints, 2)
            score[rows] = sequence.score.reshape(-1, joints)
            i += 1
    numbers = np.arange(max_persons, dtype=np.int32)[None]
    chosen = np.where(numbers < persons[:, None], numbers, -1)
    return PackSource(info, table, starts[:-1], chosen, keypoint, score)


def from_sequences(
    info: DatasetInfo, sequences: Sequence[SkeletonSequence], max_persons: int
) -> PackSource:
    """A source in memory over sequences that are there already (a prediction, a test)."""
    table = make_table(table_row(sequence) for sequence in sequences)
    arrays = {
        "keypoint": [s.keypoint.reshape(-1, *s.keypoint.shape[2:]) for s in sequences],
        "score": [s.score.reshape(-1, s.score.shape[2]) for s in sequences],
    }
    joints = info.skeleton.num_joints
    arrays["keypoint"].append(np.zeros((1, joints, 2), np.float32))
    arrays["score"].append(np.zeros((1, joints), np.float32))
    flat = {key: np.concatenate(parts) for key, parts in arrays.items()}
    return PackSource(
        info,
        table,
        table.rows()[:-1],
        table.selection(max_persons),
        flat["keypoint"],
        flat["score"],
    )
