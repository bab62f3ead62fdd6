"""What a prepared data set says about itself (info.json), and its comparison with a config.

A prepared data set is a folder:
    info.json    DatasetInfo
    clips.npz    the table of clips, and the splits as clip numbers: they may overlap
    report.json  findings and statistics of `posec3d prepare`
    tfds/        the skeletons as a TFDS data set in ArrayRecord files, or
    pack/        the skeletons as two .npy arrays
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from posec3d_jax.files.disk import write_json
from posec3d_jax.skeletons.planes import stored_layout
from posec3d_jax.skeletons.skeleton import Skeleton, get_skeleton

INFO_FILE = "info.json"
STORAGES = ("tfds", "pack")
DTYPES = ("float32", "float16")


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
    person_limit: int = 0  # persons a clip was cut to when prepared; 0 where none was cut
    num_bytes: int = 0  # of the folder with the skeletons; tells an incomplete copy
    format: str = ""  # the reader
    storage: str = "pack"
    keypoint_dtype: str = "float32"
    notes: tuple[str, ...] = ()
    fingerprint: str = ""  # sha256 over the source and how it was read
    versions: Mapping[str, str] = field(default_factory=dict)


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write info.json, the last file of a data set: where it is, the data set is whole."""
    facts = {**vars(info), "skeleton": info.skeleton.to_dict()}
    facts = {key: dict(v) if isinstance(v, Mapping) else v for key, v in facts.items()}
    write_json(folder / INFO_FILE, facts)


def read_info(folder: Path) -> DatasetInfo:
    """Read info.json.

    Raises:
      DataError: no such data set, or one that is not whole; says how to prepare it.
    """
    if not str(folder) or str(folder) == ".":
        raise DataError("config.data.dir is empty; set it to the folder of the prepared data set")
    if not (folder / INFO_FILE).is_file():
        found = f"is no (whole) data set: it has no {INFO_FILE}"
        found = found if folder.is_dir() else "does not exist"
        raise DataError(
            f"config.data.dir: {folder} {found}{_interrupted(folder)}; make it with "
            "'posec3d prepare --config=<this config>'"
        )
    try:
        facts = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
        facts["skeleton"] = get_skeleton(facts["skeleton"])
        for key in ("class_names", "notes"):
            facts[key] = tuple(facts[key])
        return _checked(DatasetInfo(**facts))
    except (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        raise DataError(
            f"{folder / INFO_FILE} is damaged or from another version ({error}); make the data set "
            "again with 'posec3d prepare --overwrite'"
        ) from error


def staging_of(folder: Path) -> Path:
    """Where `prepare` writes a data set until it is whole."""
    return folder.with_name(folder.name + ".preparing")


def replaced_by(folder: Path) -> Path:
    """Where `prepare --overwrite` has the earlier data set while the new one takes its name."""
    return folder.with_name(folder.name + ".replaced")


def _interrupted(folder: Path) -> str:
    """What an interrupted `prepare` left beside the folder, in words."""
    words = ""
    if replaced_by(folder).is_dir():
        words += f" (the data set that was there is still in {replaced_by(folder)})"
    if staging_of(folder).is_dir():
        words += f" (a prepare that was interrupted, or is running, left {staging_of(folder)})"
    return words


def _checked(info: DatasetInfo) -> DatasetInfo:
    """ValueError for facts that no `prepare` writes."""
    numbers = [info.num_classes, info.num_clips, info.max_frames, info.max_persons]
    numbers += [info.person_limit, info.num_bytes, *info.splits.values()]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a number that is no whole number")
    if not all(isinstance(text, str) for text in (*info.class_names, *info.notes, info.name)):
        raise ValueError("a name or note that is no text")
    if not isinstance(info.versions, dict) or not isinstance(info.fingerprint, str):
        raise ValueError("versions or fingerprint that are none")
    if info.storage not in STORAGES or info.keypoint_dtype not in DTYPES:
        raise ValueError(
            f"storage {info.storage!r:.80}, keypoint_dtype {info.keypoint_dtype!r:.80}"
        )
    return info


def check_info(info: DatasetInfo, config_data) -> DatasetInfo:
    """Hold a prepared data set against the config, and take from the config what it may change.

    The joints must agree, because the stored arrays are in their order. Limbs and pairs are only
    looked up later, so the config's are used; so are its class names.

    Raises:
      DataError: other joints, another number of classes, or more persons than were stored.
    """
    wanted = stored_layout(config_data)
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
    if config_data.max_persons > info.person_limit > 0:
        raise DataError(
            f"{where} was prepared with at most {info.person_limit} persons a clip, "
            f"config.data.max_persons is {config_data.max_persons}; prepare the data set again"
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
