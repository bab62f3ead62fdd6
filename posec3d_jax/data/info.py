"""What a prepared data set says about itself: info.json, the table of its clips, its splits.

A prepared data set is a folder:
    info.json    DatasetInfo
    clips.npz    ClipTable and the splits, as clip numbers (splits may overlap; clips are stored once)
    report.json  findings and statistics of `posec3d prepare`
    tfds/        the skeletons as a TFDS data set in ArrayRecord files, or
    pack/        the skeletons as two .npy arrays
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.skeletons import Skeleton, get_skeleton

INFO_FILE, CLIPS_FILE, REPORT_FILE = "info.json", "clips.npz", "report.json"
STORAGES = ("tfds", "pack")


class DataError(ValueError):
    """The data, or what the config says of them, is unusable; the message says what to do."""


@dataclass(frozen=True)
class DatasetInfo:
    """The facts of a prepared data set."""

    name: str
    skeleton: Skeleton
    num_classes: int
    class_names: tuple[str, ...] = ()  # () when nobody named them
    splits: Mapping[str, int] = field(default_factory=dict)  # split name -> number of clips
    num_clips: int = 0  # stored; less than the sum of overlapping splits
    max_frames: int = 0
    max_persons: int = 0
    format: str = ""  # the reader
    storage: str = "pack"
    keypoint_dtype: str = "float32"
    notes: tuple[str, ...] = ()
    fingerprint: str = ""  # sha256 over the source and how it was read
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClipTable:
    """Everything about the stored clips but their skeletons; small enough to stay in memory."""

    names: list[str]
    labels: np.ndarray  # int32 [N]
    lengths: np.ndarray  # int32 [N], frames
    persons: np.ndarray  # int32 [N]
    frame_size: np.ndarray  # float32 [N, 2], (height, width) pixels
    track_scores: np.ndarray  # float32 [sum(persons)], total score of each person, clip after clip

    def __len__(self) -> int:
        return len(self.names)

    def rows(self) -> np.ndarray:
        """int64 [N + 1]: where each clip's persons x frames begin when laid end to end."""
        return np.concatenate([[0], np.cumsum(self.persons.astype(np.int64) * self.lengths)])

    def take(self, clips: np.ndarray) -> "ClipTable":
        """The table of the clips with these numbers, in this order."""
        bounds = np.concatenate([[0], np.cumsum(self.persons)])
        scores = [self.track_scores[bounds[i] : bounds[i + 1]] for i in clips]
        return ClipTable(
            [self.names[i] for i in clips],
            self.labels[clips],
            self.lengths[clips],
            self.persons[clips],
            self.frame_size[clips],
            np.concatenate([np.zeros(0, np.float32), *scores]),
        )

    def selection(self, max_persons: int) -> np.ndarray:
        """Which persons of each clip are used: int32 [N, max_persons], -1 where there is none.

        Where there are too many, those with the highest total score over the whole clip are kept, in
        the order of the file.
        """
        if max_persons < 1:
            raise DataError(f"data.max_persons is {max_persons}; expected at least 1")
        numbers = np.arange(max_persons, dtype=np.int32)[None]
        chosen = np.where(numbers < self.persons[:, None], numbers, -1)
        bounds = np.concatenate([[0], np.cumsum(self.persons)])
        for i in np.flatnonzero(self.persons > max_persons):
            scores = self.track_scores[bounds[i] : bounds[i + 1]]
            chosen[i] = np.sort(np.argsort(-scores, kind="stable")[:max_persons])
        return chosen


def table_row(sequence: SkeletonSequence) -> tuple:
    """What the table keeps of one sequence."""
    persons, frames = sequence.keypoint.shape[:2]
    scores = sequence.score.sum(axis=(1, 2), dtype=np.float64)
    return sequence.name, sequence.label, frames, persons, sequence.frame_size, scores


def make_table(rows: Iterable[tuple]) -> ClipTable:
    """The table from its rows (see `table_row`)."""
    columns = list(zip(*rows, strict=True)) or [()] * 6
    names, labels, lengths, persons, sizes, scores = columns
    return ClipTable(
        list(names),
        np.asarray(labels, np.int32),
        np.asarray(lengths, np.int32),
        np.asarray(persons, np.int32),
        np.asarray(sizes, np.float32).reshape(-1, 2),
        np.concatenate([np.zeros(0), *scores]).astype(np.float32),
    )


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write info.json, the last file of a data set: where it is, the data set is whole."""
    facts = {**vars(info), "skeleton": info.skeleton.to_dict()}
    facts = {key: dict(v) if isinstance(v, Mapping) else v for key, v in facts.items()}
    (folder / INFO_FILE).write_text(json.dumps(facts, indent=2) + "\n")


def write_clips(folder: Path, table: ClipTable, splits: Mapping[str, np.ndarray]) -> None:
    """Write clips.npz: the table, and each split as int32 clip numbers."""
    columns = {key: v for key, v in vars(table).items() if key != "names"}
    names = np.asarray([name.encode() for name in table.names], dtype=np.bytes_)
    numbers = {f"split/{name}": np.asarray(v, np.int32) for name, v in splits.items()}
    np.savez(folder / CLIPS_FILE, names=names, **columns, **numbers)


def read_info(folder: Path) -> DatasetInfo:
    """Read info.json.

    Raises:
      DataError: no such data set, or one that is not whole; says how to prepare it.
    """
    if not str(folder) or str(folder) == ".":
        raise DataError("config.data.dir is empty; set it to the folder of the prepared data set")
    if not (folder / INFO_FILE).is_file():
        found = "is only half a data set" if folder.is_dir() else "does not exist"
        raise DataError(
            f"config.data.dir: {folder} {found} (no {INFO_FILE}); make it with "
            "'posec3d prepare --config=<this config>'"
        )
    try:
        facts = json.loads((folder / INFO_FILE).read_text())
        facts["skeleton"] = get_skeleton(facts["skeleton"])
        for key in ("class_names", "notes"):
            facts[key] = tuple(facts[key])
        return DatasetInfo(**facts)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / INFO_FILE} is damaged or from another version ({error}); make the data set "
            "again with 'posec3d prepare --overwrite'"
        ) from error


def read_clips(folder: Path) -> tuple[ClipTable, dict[str, np.ndarray]]:
    """Read clips.npz: the table of all clips, and the splits as int32 clip numbers."""
    if not (folder / CLIPS_FILE).is_file():
        raise DataError(
            f"{folder} has no {CLIPS_FILE}: make it again with 'posec3d prepare --overwrite'"
        )
    with np.load(folder / CLIPS_FILE) as arrays:
        table = {key: arrays[key] for key in arrays.files if not key.startswith("split/")}
        splits = {key[6:]: arrays[key] for key in arrays.files if key.startswith("split/")}
    table["names"] = [name.decode() for name in table["names"].tolist()]
    return ClipTable(**table), splits


def check_info(info: DatasetInfo, config_data) -> DatasetInfo:
    """Hold a prepared data set against the config, and take from the config what it may change.

    The joints must agree, because the stored arrays are in their order. Limbs and pairs are only
    looked up later, so the config's are used; so are its class names.

    Raises:
      DataError: other joints, or another number of classes.
    """
    wanted = get_skeleton(config_data.remap_to or config_data.skeleton)
    where = f"the data set in {config_data.dir}"
    if wanted.joints != info.skeleton.joints:
        raise DataError(
            f"{where} has the joints of {info.skeleton.name!r} ({info.skeleton.num_joints}), the "
            f"config those of {wanted.name!r} ({wanted.num_joints}): {_difference(info, wanted)}; "
            "correct config.data.skeleton or prepare the data set again"
        )
    if config_data.num_classes != info.num_classes:
        raise DataError(
            f"{where} has {info.num_classes} classes, config.data.num_classes is "
            f"{config_data.num_classes}; correct the config or prepare the data set again"
        )
    names = tuple(config_data.class_names) or info.class_names
    if names and len(names) != info.num_classes:
        raise DataError(
            f"config.data.class_names has {len(names)} names; expected {info.num_classes}"
        )
    return replace(info, skeleton=wanted, class_names=names)


def _difference(info: DatasetInfo, wanted: Skeleton) -> str:
    """The first joint at which two layouts part."""
    for i, (have, want) in enumerate(zip(info.skeleton.joints, wanted.joints, strict=False)):
        if have != want:
            return f"joint {i} is {have!r} and {want!r}"
    return "one has more joints than the other"
