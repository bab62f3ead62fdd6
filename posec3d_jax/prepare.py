"""Turns annotation files into a prepared data set: read, check, convert, write, report."""

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np

from posec3d_jax.data.clips import ClipTable, make_table, table_row, write_clips
from posec3d_jax.data.info import INFO_FILE, STORAGES, DataError, DatasetInfo, write_info
from posec3d_jax.data.packs import write_pack
from posec3d_jax.data.readers import read_dataset
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.data.sources import PACK_FOLDER, TFDS_FOLDER
from posec3d_jax.data.statistics import JointCount, statistics, summary
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.skeletons import Skeleton, apply_remap, get_skeleton, remap

REPORT_FILE = "report.json"
DTYPES = ("float32", "float16")
_LISTED = 20  # errors spelt out in a message
_EVERY = 2.0  # seconds between two lines of progress
_PIECE = 1 << 20  # bytes read at once for the fingerprint


def prepare(
    config_data,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
    report_path: Path | None = None,
    progress: Callable[[str], None] = print,
) -> dict:
    """Write the data set that `config.data` describes to `config.data.dir`.

    Everything is written to a folder beside it, which takes its name at the end: a run that fails or
    is killed leaves no half data set. Clips are handled one at a time, so memory does not grow with
    their number (unless the reader's format has to be read whole).

    Args:
      config_data: `config.data`, see configs/base.py.
      skip_bad: leave bad samples out and count them, instead of refusing the data set.
      overwrite: replace a data set that is there.
      report_path: also write the report to this file, the only one written if there are errors.
      progress: called with lines for a person.

    Returns:
      The report, as in report.json: findings, statistics, notes, joints the remap lacks, and the
      time taken.

    Raises:
      DataError: bad samples (the first are listed), a config that does not fit the data, or a
        folder that is in the way.
      ValueError, FileNotFoundError: what the reader finds wrong with the source as a whole.
    """
    started = time.monotonic()
    out = Path(config_data.dir)
    _check_config(config_data, out, overwrite)
    findings = ValidationReport()
    dataset = read_dataset(
        config_data.format,
        config_data.source,
        skeleton=get_skeleton(config_data.skeleton),
        camera=config_data.camera,
        report=findings,
        options=config_data.reader_options,
    )
    info = _describe(config_data, dataset)
    staging = out.with_name(out.name + ".preparing")
    shutil.rmtree(staging, ignore_errors=True)  # what an interrupted run left
    staging.mkdir(parents=True)
    progress(f"reading {config_data.source or config_data.format}: {dataset.total} clips")
    try:
        report = _fill(staging, config_data, dataset, info, findings, skip_bad, progress)
        report["seconds"] = round(time.monotonic() - started, 1)
        refused = len(findings.errors) and not skip_bad
        for path in ([] if refused else [staging / REPORT_FILE]) + [report_path] * bool(
            report_path
        ):
            Path(path).write_text(json.dumps(report, indent=1) + "\n")
        if refused:
            raise DataError(_refusal(config_data, findings))
        _move(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    progress(report["summary"])
    progress(f"written to {out} in {report['seconds']:g} s")
    return report


def _check_config(config_data, out: Path, overwrite: bool) -> None:
    if not config_data.dir:
        raise DataError("config.data.dir is empty; set it to the folder to write")
    if config_data.storage not in STORAGES:
        raise DataError(
            f"config.data.storage is {config_data.storage!r}; expected one of {STORAGES}"
        )
    if config_data.keypoint_dtype not in DTYPES:
        raise DataError(
            f"config.data.keypoint_dtype is {config_data.keypoint_dtype!r}; expected one of {DTYPES}"
        )
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / INFO_FILE).is_file():
        raise DataError(
            f"{out} exists and is no data set; empty it yourself, or choose another config.data.dir"
        )
    if not overwrite:
        raise DataError(f"{out} holds a data set already; --overwrite replaces it")


def _describe(config_data, dataset: SkeletonDataset) -> DatasetInfo:
    """What is known before the clips are read, held against the config."""
    names = tuple(config_data.class_names) or dataset.class_names
    if names and len(names) != config_data.num_classes:
        raise DataError(
            f"config.data.num_classes is {config_data.num_classes}, but {len(names)} classes are "
            f"named: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
        )
    for key in ("train_split", "val_split", "test_split"):
        if config_data[key] and config_data[key] not in dataset.splits:
            raise DataError(
                f"config.data.{key} is {config_data[key]!r}, but the source has the splits "
                f"{', '.join(map(repr, sorted(dataset.splits))) or '(none)'}"
            )
    skeleton, notes = dataset.skeleton, list(dataset.notes)
    if config_data.remap_to:
        skeleton = get_skeleton(config_data.remap_to)
        lacking = ", ".join(_lacking(dataset.skeleton, skeleton)) or "none"
        notes.append(
            f"joints converted from {dataset.skeleton.name} to {skeleton.name} by name; always "
            f"missing, because {dataset.skeleton.name} lacks them: {lacking}"
        )
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


def _lacking(source: Skeleton, target: Skeleton) -> list[str]:
    """The joints of `target` that `source` does not have."""
    return [joint for joint in target.joints if joint not in source.joints]


def _fill(
    staging: Path,
    config_data,
    dataset: SkeletonDataset,
    info: DatasetInfo,
    findings: ValidationReport,
    skip_bad: bool,
    progress: Callable[[str], None],
) -> dict:
    """Write the data set to `staging` and return the report; with errors the set is not finished."""
    rows: list[tuple] = []
    joints = JointCount(np.zeros(info.skeleton.num_joints, np.int64))
    index = remap(dataset.skeleton, info.skeleton) if config_data.remap_to else None
    checked = check_dataset(
        dataset,
        num_classes=info.num_classes,
        max_persons=config_data.max_persons,
        report=findings,
    )

    def stored() -> Iterator[SkeletonSequence]:
        for sequence in _watched(checked, dataset.total, progress):
            converted = _converted(sequence, index, info.keypoint_dtype, findings)
            if converted is not None:
                rows.append(table_row(converted))
                joints.add(converted)
                yield converted

    _write(staging, stored() if skip_bad else _until_error(stored(), findings), info)
    lacking = _lacking(dataset.skeleton, info.skeleton)
    report = {"notes": list(info.notes), "joints_lacking": lacking}
    if not findings.errors or skip_bad:
        if not rows:
            raise DataError(f"{config_data.source or config_data.format}: no usable clip in it")
        splits = _resolve(dataset, table := make_table(rows), findings)
        report |= _finish(staging, info, table, splits, joints)
        report["summary"] += f"\n{findings.summary()}"
    return report | {"findings": findings.to_dict()}


def _finish(
    staging: Path,
    info: DatasetInfo,
    table: ClipTable,
    splits: dict[str, np.ndarray],
    joints: JointCount,
) -> dict:
    """Write the table of clips and info.json; the statistics for the report."""
    info = replace(
        info,
        splits={name: len(clips) for name, clips in splits.items()},
        num_clips=len(table),
        max_frames=int(table.lengths.max()),
        max_persons=int(table.persons.max()),
    )
    write_clips(staging, table, splits)
    write_info(staging, info)
    figures = statistics(info, table, splits, joints)
    return {"statistics": figures, "summary": summary(info, figures)}


def _until_error(
    sequences: Iterator[SkeletonSequence], findings: ValidationReport
) -> Iterator[SkeletonSequence]:
    """Pass sequences on up to the first error; from there on they are checked and dropped."""
    looked, failed = 0, False
    for sequence in sequences:
        new = findings.findings[looked:]
        looked += len(new)
        failed = failed or any(finding.severity == "error" for finding in new)
        if not failed:
            yield sequence


def _write(staging: Path, sequences: Iterable[SkeletonSequence], info: DatasetInfo) -> None:
    if info.storage == "pack":
        write_pack(staging / PACK_FOLDER, sequences, info.skeleton.num_joints, info.keypoint_dtype)
        return
    try:
        from posec3d_jax.data.tfds_builder import write_tfds  # here: packs do without TFDS
    except ModuleNotFoundError as error:
        raise DataError(
            f"config.data.storage is 'tfds', but {error.name} is not installed: install "
            "posec3d-jax[tfds], or set --config.data.storage=pack"
        ) from error
    write_tfds(staging / TFDS_FOLDER, sequences, info)


def _converted(
    sequence: SkeletonSequence, index: np.ndarray | None, dtype: str, findings: ValidationReport
) -> SkeletonSequence | None:
    """The sequence with the joints that are stored; None where the dtype cannot hold it."""
    largest = np.abs(sequence.keypoint).max()
    if largest > np.finfo(dtype).max:
        findings.add(
            "too_large_for_dtype",
            sequence.name,
            f"a coordinate of {largest:g} does not fit {dtype}; set config.data.keypoint_dtype to "
            "'float32', or correct the data",
            sequence.file,
            "keypoint",
        )
        return None
    if index is None:
        return sequence
    keypoint, score = apply_remap(sequence.keypoint, sequence.score, index)
    return replace(sequence, keypoint=keypoint, score=score)


def _watched(
    sequences: Iterable[SkeletonSequence], total: int, progress: Callable[[str], None]
) -> Iterator[SkeletonSequence]:
    """Pass sequences on, telling now and then how far it is."""
    started = told = time.monotonic()
    for done, sequence in enumerate(sequences, 1):
        yield sequence
        now = time.monotonic()
        if now - told > _EVERY:
            rate = done / (now - started)
            left = max(total - done, 0) / rate
            progress(f"{done} of {total} clips, {rate:.0f} clips/s, {left:.0f} s left")
            told = now


def _resolve(
    dataset: SkeletonDataset, table: ClipTable, findings: ValidationReport
) -> dict[str, np.ndarray]:
    """Splits as clip numbers in the order of the data, each clip once; unknown names are findings."""
    number = {name: i for i, name in enumerate(table.names)}
    splits = {}
    for split, names in dataset.splits.items():
        if len(set(names)) < len(names):
            message = f"{len(names) - len(set(names))} clips are named twice; each counts once"
            findings.add("named_twice_in_split", "", message, key=split, severity="warning")
        splits[split] = np.array(sorted({number[n] for n in names if n in number}), np.int32)
    return splits


def _refusal(config_data, findings: ValidationReport) -> str:
    errors = findings.errors
    listed = "\n".join(f"  {error}" for error in errors[:_LISTED])
    more = f"\n  ... and {len(errors) - _LISTED} more" if len(errors) > _LISTED else ""
    return (
        f"{config_data.source or config_data.format}: {len(errors)} errors, nothing was written\n"
        f"{listed}{more}\n{findings.summary(limit=0)}\n"
        "Correct them, or leave these samples out with --skip_bad."
    )


def _move(staging: Path, out: Path) -> None:
    """Give the finished folder its name; an old data set goes only when the new one is whole."""
    if not out.exists():
        staging.rename(out)
        return
    old = out.with_name(out.name + ".replaced")
    shutil.rmtree(old, ignore_errors=True)
    out.rename(old)
    staging.rename(out)
    shutil.rmtree(old)


def fingerprint(config_data) -> str:
    """sha256 over the source and how it is read, to tell whether a data set is of these files.

    A single file counts with all its bytes; of a folder's files (there may be videos among them) the
    names, the sizes and the first megabyte.
    """
    digest = hashlib.sha256()
    for key in ("format", "skeleton", "remap_to", "camera", "reader_options", "max_persons"):
        digest.update(f"{key}={config_data[key]}\n".encode())
    source = Path(config_data.source)
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


def _versions() -> dict[str, str]:
    packages = ("posec3d-jax", "numpy", "tensorflow-datasets", "array-record")
    found = {dist.metadata["Name"]: dist.version for dist in metadata.distributions()}
    return {"python": platform.python_version()} | {p: found[p] for p in packages if p in found}
