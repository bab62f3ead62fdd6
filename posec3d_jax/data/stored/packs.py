"""Skeletons as two flat arrays, memory-mapped or in memory, gathered without a Python loop.

The persons x frames of all clips lie end to end: row = start of the clip + person * frames + frame.
The last row is all zero: absent persons point at it, so padding costs no extra pass.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.clips import ClipTable, make_table, table_row
from posec3d_jax.data.stored.info import DataError, DatasetInfo
from posec3d_jax.files.arrays import NPZ_ERRORS

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
        rows = self.rows(index, frames)
        return {
            "keypoint": self.keypoint.take(rows, axis=0).astype(np.float32, copy=False),
            "score": self.score.take(rows, axis=0).astype(np.float32, copy=False),
            "frame_size": self.table.frame_size[index],
            "label": self.labels[index],
        }

    def rows(self, index: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Where the chosen frames [B, T] of the clips `index` [B] lie: int64 [B, M, T]."""
        check_frames(self.lengths[index], frames)
        person, length = self.persons[index][:, :, None], self.lengths[index][:, None, None]
        rows = self.starts[index][:, None, None] + person * length + frames[:, None, :]
        return np.where(person < 0, len(self.score) - 1, rows)

    def sequence(self, i: int) -> SkeletonSequence:
        """The whole clip i, with at most `max_persons` persons and no padding."""
        person = self.persons[i][self.persons[i] >= 0, None]
        rows = self.starts[i] + person * int(self.lengths[i]) + np.arange(self.lengths[i])
        return self.table.sequence(i, self.keypoint[rows], self.score[rows])


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
    """Write sequences to `folder` as a pack, one at a time, so that memory does not grow."""
    folder.mkdir(parents=True)
    with (
        _growing_npy(folder / KEYPOINT_FILE, (num_joints, 2), dtype) as add_keypoint,
        _growing_npy(folder / SCORE_FILE, (num_joints,), dtype) as add_score,
    ):
        for sequence in sequences:
            add_keypoint(sequence.keypoint.reshape(-1, num_joints, 2))
            add_score(sequence.score.reshape(-1, num_joints))
        add_keypoint(np.zeros((1, num_joints, 2)))
        add_score(np.zeros((1, num_joints)))


@contextmanager
def _growing_npy(
    path: Path, row: tuple[int, ...], dtype: str
) -> Iterator[Callable[[np.ndarray], None]]:
    """A .npy file that grows row by row through the function this gives.

    numpy pads a header so that the first axis can grow to 21 digits in place: it is written again
    once the number of rows is known.
    """
    count = 0
    with path.open("wb") as file:

        def header() -> None:
            descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
            facts = {"descr": descr, "fortran_order": False, "shape": (count, *row)}
            np.lib.format.write_array_header_1_0(file, facts)

        def add(rows: np.ndarray) -> None:
            nonlocal count
            file.write(np.ascontiguousarray(rows, dtype=dtype).data)
            count += len(rows)

        header()
        yield add
        file.seek(0)
        header()


def open_pack(
    folder: Path, info: DatasetInfo, table: ClipTable, clips: np.ndarray, max_persons: int
) -> PackSource:
    """Memory-map a pack and look at some of its clips.

    Args:
      folder: where `write_pack` wrote.
      info: facts of the data set.
      table: of all stored clips.
      clips: int [N], the clips of the split.
      max_persons: M of a batch.

    Raises:
      DataError: an array that cannot be read, or that has not the size that the table calls for.
    """
    rows = table.rows()
    joints = info.skeleton.num_joints
    dtype = np.dtype(info.keypoint_dtype)
    keypoint = _open_array(folder / KEYPOINT_FILE, (int(rows[-1]) + 1, joints, 2), dtype)
    score = _open_array(folder / SCORE_FILE, (int(rows[-1]) + 1, joints), dtype)
    split = table.take(clips)
    return PackSource(info, split, rows[clips], split.selection(max_persons), keypoint, score)


def _open_array(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r")
    except NPZ_ERRORS as error:
        raise DataError(
            f"{path} cannot be read ({error}); make the data set again with "
            "'posec3d prepare --overwrite'"
        ) from error
    found = getattr(array, "shape", None), getattr(array, "dtype", None)
    if found != (shape, dtype):
        raise DataError(
            f"{path} has shape {found[0]} and dtype {found[1]}, the table of clips calls for "
            f"{shape} and {dtype}; make the data set again with 'posec3d prepare --overwrite'"
        )
    return array.view(np.ndarray)


def pack_in_memory(
    info: DatasetInfo,
    table: ClipTable,
    clips: Iterable[tuple[np.ndarray, np.ndarray]],
    max_persons: int,
) -> PackSource:
    """Fill a pack in memory, allocated once, at its final size and in the data set's dtype.

    Args:
      info: facts of the data set.
      table: of the clips that come.
      clips: keypoint [M, T, V, 2] and score [M, T, V] of each, in the table's order; all persons.
      max_persons: M of a batch; only the persons chosen are kept.
    """
    selection = table.selection(max_persons)
    persons = (selection >= 0).sum(axis=1, dtype=np.int32)
    starts = np.concatenate([[0], np.cumsum(persons.astype(np.int64) * table.lengths)])
    joints = info.skeleton.num_joints
    keypoint = np.zeros((starts[-1] + 1, joints, 2), info.keypoint_dtype)
    score = np.zeros((starts[-1] + 1, joints), info.keypoint_dtype)
    for i, (points, scores) in enumerate(clips):
        rows, chosen = slice(starts[i], starts[i + 1]), selection[i, : persons[i]]
        keypoint[rows] = points[chosen].reshape(-1, joints, 2)
        score[rows] = scores[chosen].reshape(-1, joints)
    numbers = np.arange(max_persons, dtype=np.int32)[None]
    stored = np.where(numbers < persons[:, None], numbers, -1)
    return PackSource(info, table, starts[:-1], stored, keypoint, score)


def compact(source: PackSource) -> PackSource:
    """The same clips in memory, without what lies between them: other splits, unused persons."""
    used = (source.persons >= 0).sum(1)
    frames = [np.arange(length)[None] for length in source.lengths]
    rows = [source.rows(np.array([i]), t)[0, : used[i]].ravel() for i, t in enumerate(frames)]
    rows = np.concatenate([*rows, [len(source.score) - 1]])
    starts = np.concatenate([[0], np.cumsum(used * source.lengths)[:-1]])
    numbers = np.arange(source.persons.shape[1], dtype=np.int32)[None]
    persons = np.where(numbers < used[:, None], numbers, -1)
    arrays = source.keypoint.take(rows, axis=0), source.score.take(rows, axis=0)
    return PackSource(source.info, source.table, starts, persons, *arrays)


def from_sequences(
    info: DatasetInfo, sequences: Sequence[SkeletonSequence], max_persons: int
) -> PackSource:
    """A source in memory over sequences that are there already (a prediction, a test)."""
    table = make_table(table_row(sequence) for sequence in sequences)
    return pack_in_memory(info, table, ((s.keypoint, s.score) for s in sequences), max_persons)
