"""What is known of a data set before its clips are read, and where it comes from."""

import hashlib
import platform
from contextlib import suppress
from importlib import metadata

from posec3d_jax.data.records import SkeletonDataset
from posec3d_jax.data.stored.info import DataError, DatasetInfo
from posec3d_jax.data.stored.selection import parts
from posec3d_jax.data.validation import LONGEST_NAME
from posec3d_jax.files.arrays import brief
from posec3d_jax.files.places import expand
from posec3d_jax.skeletons.planes import stored_layout
from posec3d_jax.skeletons.skeleton import Skeleton

_PACKAGES = ("posec3d-jax", "numpy", "tensorflow-datasets", "array-record")
_PIECE = 1 << 20  # bytes read at once
# What of config.data decides the contents of the data set, besides the source itself.
_DECIDES = ("format", "reader_options", "camera", "skeleton", "remap_to", "max_persons")


def describe(config_data, dataset: SkeletonDataset) -> DatasetInfo:
    """The facts that config and reader give, held against each other.

    Raises:
      DataError: class names that do not fit the number of classes, or a split that the config names
        and the source does not have.
    """
    names = tuple(config_data.class_names) or tuple(dataset.class_names)
    if names and len(names) != config_data.num_classes:
        raise DataError(
            f"config.data.num_classes is {config_data.num_classes}, but {len(names)} classes are "
            f"named: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"class name {twice!r} is given to two classes; expected unique names")
    for kind, given in (("class", names), ("split", dataset.splits)):
        for name in given:
            if not str(name).isprintable() or len(str(name)) > LONGEST_NAME:
                raise DataError(f"{kind} name {brief(name)} is too long, or cannot be printed")
    _check_splits(config_data, dataset)
    skeleton, notes = dataset.skeleton, list(dataset.notes)
    if config_data.remap_to:
        skeleton = stored_layout(config_data)
        note = f"joints converted from {dataset.skeleton.name} to {skeleton.name} by name"
        if missing := lacking(dataset.skeleton, skeleton):
            note += f"; not in the source, so always missing: {', '.join(missing)}"
        notes.append(note)
    return DatasetInfo(
        name=dataset.name,
        skeleton=skeleton,
        num_classes=config_data.num_classes,
        class_names=names,
        format=config_data.format,
        storage=config_data.storage,
        keypoint_dtype=config_data.keypoint_dtype,
        notes=tuple(notes),
        fingerprint=fingerprint(config_data),
        versions=_versions(),
    )


def _check_splits(config_data, dataset: SkeletonDataset) -> None:
    wanted = {
        "train_split": config_data.train_split,
        "val_split": config_data.val_split,
        "test_split": config_data.test_split,
    }
    for key, split in wanted.items():
        if split and any(part not in dataset.splits for part in parts(split, dataset.splits)):
            raise DataError(
                f"config.data.{key} is {split!r}, but the source has the splits "
                f"{', '.join(map(repr, sorted(dataset.splits))) or '(none)'}"
            )


def lacking(source: Skeleton, target: Skeleton) -> list[str]:
    """The joints of `target` that `source` does not have."""
    return [joint for joint in target.joints if joint not in source.joints]


def fingerprint(config_data) -> str:
    """sha256 over the source and how it is read, to tell whether a data set is of these files.

    A single file counts with all its bytes; of a folder's files (there may be videos among them)
    the names, the sizes and the first megabyte.
    """
    digest = hashlib.sha256()
    for key in _DECIDES:
        digest.update(f"{key}={getattr(config_data, key)}\n".encode())
    if config_data.planes:
        digest.update(b"planes\n")
    if config_data.normalize:
        digest.update(f"normalize {config_data.normalize}\n".encode())
    source = expand(config_data.source)
    if config_data.source and source.is_file():
        with source.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    elif config_data.source:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(source)} {path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(_PIECE))
    return digest.hexdigest()


def clips_fingerprint(source) -> str:
    """sha256 over the clips of an opened split, the same however they are stored.

    What is known of each clip counts, with the total score of its persons, and so does where the
    data set came from; the coordinates themselves are not read.

    Args:
      source: a `data.stored.sources.Source`.
    """
    digest = hashlib.sha256(f"{source.info.fingerprint} {source.info.skeleton.joints}".encode())
    digest.update(source.info.keypoint_dtype.encode())
    digest.update("\n".join(source.names).encode())
    table = source.table
    for column in (table.labels, table.lengths, table.persons, table.frame_size):
        digest.update(column.tobytes())
    digest.update(table.track_scores.tobytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions
