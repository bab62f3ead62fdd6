"""The table of a data set's clips (clips.npz): all that is known of them but their skeletons."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.info import DataError
from posec3d_jax.files.arrays import load_npz

CLIPS_FILE = "clips.npz"


@dataclass(frozen=True, eq=False)
class ClipTable:
    """Everything about the stored clips but their skeletons; small enough to stay in memory."""

    names: list[str]
    labels: np.ndarray  # int32 [N]
    lengths: np.ndarray  # int32 [N], frames
    persons: np.ndarray  # int32 [N]
    frame_size: np.ndarray  # float32 [N, 2], (height, width) pixels
    track_scores: np.ndarray  # float32 [sum(persons)], total score of each person, clip by clip
    # uint64 [N], of the keypoints, 0 where there are none; [0] in data sets made before it existed
    digests: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))

    def __len__(self) -> int:
        return len(self.names)

    def rows(self) -> np.ndarray:
        """int64 [N + 1]: where each clip's persons x frames begin when laid end to end."""
        return np.concatenate([[0], np.cumsum(self.persons.astype(np.int64) * self.lengths)])

    def take(self, clips: np.ndarray) -> "ClipTable":
        """The table of the clips with these numbers, in this order."""
        tracks = self._tracks()
        scores = [self.track_scores[tracks[i] : tracks[i + 1]] for i in clips]
        return ClipTable(
            [self.names[i] for i in clips],
            self.labels[clips],
            self.lengths[clips],
            self.persons[clips],
            self.frame_size[clips],
            np.concatenate([np.zeros(0, np.float32), *scores]),
            self.digests[clips] if len(self.digests) else self.digests,
        )

    def selection(self, max_persons: int) -> np.ndarray:
        """Which persons of each clip are used: int32 [N, max_persons], -1 where there is none.

        Where there are too many, those with the highest total score over the whole clip are kept,
        in the order of the file.

        Raises:
          DataError: `max_persons` below 1.
        """
        if max_persons < 1:
            raise DataError(f"config.data.max_persons is {max_persons}; expected at least 1")
        numbers = np.arange(max_persons, dtype=np.int32)[None]
        chosen = np.where(numbers < self.persons[:, None], numbers, -1)
        tracks = self._tracks()
        for i in np.flatnonzero(self.persons > max_persons):
            scores = self.track_scores[tracks[i] : tracks[i + 1]]
            chosen[i] = np.sort(np.argsort(-scores, kind="stable")[:max_persons])
        return chosen

    def sequence(self, i: int, keypoint: np.ndarray, score: np.ndarray) -> SkeletonSequence:
        """Clip i as a sequence, with the arrays given for it (of any float dtype)."""
        return SkeletonSequence(
            name=self.names[i],
            keypoint=keypoint.astype(np.float32),
            score=score.astype(np.float32),
            frame_size=(int(self.frame_size[i, 0]), int(self.frame_size[i, 1])),
            label=int(self.labels[i]),
        )

    def _tracks(self) -> np.ndarray:
        """Where each clip's persons begin in `track_scores`: int64 [N + 1]."""
        return np.concatenate([[0], np.cumsum(self.persons, dtype=np.int64)])


def table_row(sequence: SkeletonSequence) -> tuple:
    """What the table keeps of one sequence."""
    persons, frames = sequence.keypoint.shape[:2]
    scores = sequence.score.sum(axis=(1, 2), dtype=np.float64)
    digest = _digest(sequence.keypoint)
    return sequence.name, sequence.label, frames, persons, sequence.frame_size, scores, digest


def _digest(keypoint: np.ndarray) -> int:
    """A number that equal keypoints share; 0 where no joint is there."""
    if not keypoint.any():
        return 0
    data = np.ascontiguousarray(keypoint, np.float32)
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def make_table(rows: Iterable[tuple]) -> ClipTable:
    """The table from its rows (see `table_row`)."""
    columns = list(zip(*rows, strict=True)) or [()] * 7
    names, labels, lengths, persons, sizes, scores, digests = columns
    return ClipTable(
        list(names),
        np.asarray(labels, np.int32),
        np.asarray(lengths, np.int32),
        np.asarray(persons, np.int32),
        np.asarray(sizes, np.float32).reshape(-1, 2),
        np.concatenate([np.zeros(0), *scores]).astype(np.float32),
        np.asarray(digests, np.uint64),
    )


def write_clips(folder: Path, table: ClipTable, splits: Mapping[str, np.ndarray]) -> None:
    """Write clips.npz: the table, and each split as int32 clip numbers."""
    columns = {key: v for key, v in vars(table).items() if key != "names"}
    names = np.asarray([name.encode() for name in table.names], dtype=np.bytes_)
    numbers = {f"split/{name}": np.asarray(v, np.int32) for name, v in splits.items()}
    np.savez(folder / CLIPS_FILE, names=names, **columns, **numbers)


def _check_table(table: ClipTable, splits: Mapping[str, np.ndarray]) -> None:
    """ValueError unless the columns belong together; what is read later relies on it."""
    count = len(table)
    columns = {
        "labels": (table.labels, (count,), "iu", 0),
        "lengths": (table.lengths, (count,), "iu", 1),
        "persons": (table.persons, (count,), "iu", 1),
        "frame_size": (table.frame_size, (count, 2), "f", 0),
    }
    for name, (values, shape, kinds, least) in columns.items():
        if values.shape != shape or values.dtype.kind not in kinds or not (values >= least).all():
            raise ValueError(f"{name} has shape {values.shape}, {values.dtype}, or is out of range")
    if table.track_scores.shape != (int(table.persons.sum(dtype=np.int64)),):
        raise ValueError("track_scores has not one value a person")
    if table.digests.shape not in ((0,), (count,)) or table.digests.dtype.kind != "u":
        raise ValueError("digests are not one number a clip")
    for split, clips in splits.items():
        numbers = clips.ndim == 1 and clips.dtype.kind in "iu"
        if not numbers or not ((clips >= 0) & (clips < count)).all():
            raise ValueError(f"split {split!r} names clips that are not in the table")


def read_clips(folder: Path) -> tuple[ClipTable, dict[str, np.ndarray]]:
    """Read clips.npz: the table of all clips, and the splits as int32 clip numbers.

    Raises:
      DataError: no such file, or a damaged one.
    """
    path = folder / CLIPS_FILE
    try:
        columns = load_npz(path)
        splits = {key[6:]: columns.pop(key) for key in list(columns) if key.startswith("split/")}
        columns["names"] = [name.decode() for name in columns["names"].tolist()]
        table = ClipTable(**columns)
        _check_table(table, splits)
        return table, splits
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); make the data set again with "
            "'posec3d prepare --overwrite'"
        ) from error
