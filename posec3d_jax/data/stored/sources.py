"""Opens a split of a prepared data set as a random-access source: streamed from TFDS, or arrays."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.clips import ClipTable, read_clips
from posec3d_jax.data.stored.info import DataError, DatasetInfo, check_info, read_info
from posec3d_jax.data.stored.packs import PackSource, check_frames, open_pack, pack_in_memory
from posec3d_jax.data.stored.selection import few_of_each, joined, regroup
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.disk import payload_size

# Where prepare puts the arrays, below the folder of the data set.
PACK_FOLDER, TFDS_FOLDER = "pack", "tfds"
TFDS_NAME, TFDS_VERSION, TFDS_SPLIT = "skeletons", "1.0.0", "clips"
_OWN_FEATURES = "tensorflow_datasets.core.features."
_AGAIN = "make the data set again with 'posec3d prepare --overwrite'"
_CHUNK = 512  # clips read at once when a split is loaded into memory


class Source(Protocol):
    """Clips by number, from 0 to len - 1."""

    info: DatasetInfo
    table: ClipTable

    @property
    def names(self) -> list[str]: ...

    @property
    def labels(self) -> np.ndarray:
        """int32 [N]."""

    @property
    def lengths(self) -> np.ndarray:
        """int32 [N], frames of each clip."""

    def __len__(self) -> int: ...

    def gather(self, index: np.ndarray, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Chosen frames of chosen clips; safe to call from several threads.

        Args:
          index: int [B], clip numbers.
          frames: int [B, T], frames of each.

        Returns:
          keypoint float32 [B, M, T, V, 2] in pixels, score float32 [B, M, T, V], frame_size float32
          [B, 2] (height, width) and label int32 [B]. Missing persons are zero.

        Raises:
          IndexError: a frame outside its clip.
        """

    def sequence(self, i: int) -> SkeletonSequence:
        """The whole clip i, with at most `max_persons` persons and no padding."""


@dataclass(frozen=True, eq=False)
class TfdsSource:
    """Reads records from ArrayRecord files as they are asked for."""

    info: DatasetInfo
    table: ClipTable  # of this split
    records: np.ndarray  # int64 [N], position of each clip in the TFDS data
    persons: np.ndarray  # int32 [N, M], the persons to use, -1 for none
    data: Sequence[bytes]  # TFDS's data source of all clips, not decoded

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
        """The chosen frames [B, T] of the clips `index` [B]; see `Source.gather`."""
        check_frames(self.lengths[index], frames)
        shape = (*self.persons[index].shape, frames.shape[1], self.info.skeleton.num_joints)
        keypoint, score = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
        for row, (points, scores) in enumerate(self.arrays(index)):
            chosen = self._chosen(index[row])[:, None]
            keypoint[row, : len(chosen)] = points[chosen, frames[row]]
            score[row, : len(chosen)] = scores[chosen, frames[row]]
        return {
            "keypoint": keypoint,
            "score": score,
            "frame_size": self.table.frame_size[index],
            "label": self.labels[index],
        }

    def sequence(self, i: int) -> SkeletonSequence:
        """The whole clip i, with at most `max_persons` persons and no padding."""
        points, scores = next(self.arrays(np.array([i])))
        chosen = self._chosen(i)
        return self.table.sequence(i, points[chosen], scores[chosen])

    def arrays(self, clips: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Keypoint [persons, T, V, 2] and score [persons, T, V] of each clip, as stored.

        The records are fetched together. Of each only the two arrays are decoded: having TFDS
        decode every feature takes four times as long.
        """
        from google.protobuf.message import DecodeError
        from tensorflow_datasets.proto import tf_example_pb2  # here, as in _open_tfds

        joints, dtype = self.info.skeleton.num_joints, self.info.keypoint_dtype
        numbers = self.records[clips].tolist()
        try:
            records = self.data.__getitems__(numbers)
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"the stored clips cannot be read ({error}); {_AGAIN}") from error
        for i, record in zip(clips, records, strict=True):
            shape = (int(self.table.persons[i]), int(self.lengths[i]), joints)
            try:
                features = tf_example_pb2.Example.FromString(record).features.feature
                points = np.frombuffer(features["keypoint/value"].bytes_list.value[0], dtype)
                scores = np.frombuffer(features["score/value"].bytes_list.value[0], dtype)
                arrays = points.reshape(*shape, 2), scores.reshape(shape)
            except (DecodeError, IndexError, ValueError) as error:
                raise DataError(f"clip {self.names[i]!r} is damaged ({error}); {_AGAIN}") from error
            yield arrays

    def _chosen(self, i: int) -> np.ndarray:
        return self.persons[i][self.persons[i] >= 0]


def open_source(config_data, split: str, per_class: int = 0, seed: int = 0) -> Source:
    """Open one split of the prepared data set that `config.data` names.

    With storage 'tfds' the clips are streamed from disk, or loaded into memory once when
    `in_memory` is set. A pack is memory-mapped either way: the system keeps in memory what is used.

    Args:
      config_data: `config.data`, see config/keys/data.py.
      split: name of a split, or of several joined by '+'.
      per_class: only so many clips of each class; 0 for all.
      seed: which ones those are.

    Raises:
      DataError: no data set there, or a damaged one; a split that it does not have or that is
        empty; joints, classes or a number of classes that differ from the config's.
    """
    folder = local_folder(config_data.dir)
    info = read_info(folder)
    table, splits = read_clips(folder)
    clips = joined(splits, split, folder)
    if config_data.classes:
        info, table, clips = regroup(info, table, clips, config_data.classes)
    info = check_info(info, config_data)
    clips = few_of_each(table.labels, clips, per_class, seed) if per_class else clips
    if not len(clips):
        raise DataError(f"split {split!r} of the data set in {folder} has no clips")
    payload = folder / (PACK_FOLDER if info.storage == "pack" else TFDS_FOLDER)
    if (found := payload_size(payload)) != info.num_bytes:
        raise DataError(
            f"{payload} holds {found} bytes, {info.num_bytes} were written: an incomplete copy? "
            "Copy it again, or make the data set again with 'posec3d prepare --overwrite'"
        )
    if info.storage == "pack":
        return open_pack(payload, info, table, clips, config_data.max_persons)
    source = _open_tfds(payload, info, table, clips, config_data.max_persons)
    return load(source) if config_data.in_memory else source


def _open_tfds(
    payload: Path, info: DatasetInfo, table: ClipTable, clips: np.ndarray, max_persons: int
) -> TfdsSource:
    try:
        import tensorflow_datasets as tfds  # here, because packs are read without it
    except ModuleNotFoundError as error:
        raise DataError(
            f"the data set in {payload.parent} is stored by TFDS, which is not installed: install "
            "tensorflow-datasets, or prepare it with --config.data.storage=pack"
        ) from error
    place = payload / TFDS_NAME / TFDS_VERSION
    try:
        _check_features(place / "features.json")
        data = tfds.builder_from_directory(place).as_data_source(
            TFDS_SPLIT, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES
        )
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # TFDS, protobuf and ArrayRecord raise whatever they like
        raise DataError(
            f"{place} cannot be opened ({type(error).__name__}: {str(error)[:300]}); make the data "
            "set again with 'posec3d prepare --overwrite'"
        ) from error
    if len(data) != len(table):
        raise DataError(
            f"{payload} holds {len(data)} clips, the table lists {len(table)}; make the data set "
            "again with 'posec3d prepare --overwrite'"
        )
    split = table.take(clips)
    return TfdsSource(info, split, clips.astype(np.int64), split.selection(max_persons), data)


def _check_features(path: Path) -> None:
    """ValueError for a feature of another module than TFDS's: TFDS would import it by its name."""
    stack = [json.loads(path.read_text(encoding="utf-8"))]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            name = value.get("pythonClassName", value.get("type", _OWN_FEATURES))
            if isinstance(name, str) and "." in name and not name.startswith(_OWN_FEATURES):
                raise ValueError(f"features.json names the class {name!r:.200}")
            stack += value.values()
        elif isinstance(value, list):
            stack += value


def load(source: TfdsSource) -> PackSource:
    """The same clips in memory; besides them only one chunk of records is held."""
    numbers = np.arange(len(source))
    clips = (
        arrays
        for first in range(0, len(source), _CHUNK)
        for arrays in source.arrays(numbers[first : first + _CHUNK])
    )
    return pack_in_memory(source.info, source.table, clips, source.persons.shape[1])
