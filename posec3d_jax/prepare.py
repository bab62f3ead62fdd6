"""Turns annotation files into a prepared data set: read, check, convert, write, report."""

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from posec3d_jax.data.conversion import convert, number_splits, until_error
from posec3d_jax.data.readers import read_dataset
from posec3d_jax.data.readers.views import camera_of
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.data.statistics import JointCount, statistics, summary
from posec3d_jax.data.stored.clips import CLIPS_FILE, ClipTable, make_table, table_row, write_clips
from posec3d_jax.data.stored.destination import check_destination
from posec3d_jax.data.stored.fingerprint import describe, lacking
from posec3d_jax.data.stored.info import (
    INFO_FILE,
    DataError,
    DatasetInfo,
    replaced_by,
    staging_of,
    write_info,
)
from posec3d_jax.data.stored.leakage import leaks_of_splits
from posec3d_jax.data.stored.packs import write_pack
from posec3d_jax.data.stored.sources import PACK_FOLDER, TFDS_FOLDER
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.files.bucket_locks import working_in
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.disk import filling, payload_size, write_whole
from posec3d_jax.files.places import expand
from posec3d_jax.poses.linking import link
from posec3d_jax.skeletons.planes import planes_of
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.video.frame_store import FOLDER as FRAMES_FOLDER
from posec3d_jax.video.preparing import Videos, videos_of

REPORT_FILE = "report.json"
_WRITTEN = {INFO_FILE, CLIPS_FILE, REPORT_FILE, PACK_FOLDER, TFDS_FOLDER, FRAMES_FOLDER}
_LISTED = 20  # errors spelt out in a message
_EVERY = 2.0  # seconds between two lines of progress


def prepare(
    config_data,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
    frames: int = 0,
    report_path: Path | None = None,
    progress: Callable[[str], None] = print,
) -> dict:
    """Write the data set that `config.data` describes to `config.data.dir`.

    Everything is written to a folder beside it, which takes its name at the end: a run that fails
    or is killed leaves no half data set. Clips are handled one at a time, so memory does not grow
    with their number (unless the reader's format has to be read whole).

    Args:
      config_data: `config.data`, see config/keys/data.py.
      skip_bad: leave bad samples out and count them, instead of refusing the data set.
      overwrite: replace a data set that is there.
      frames: also store the clips' RGB frames, as JPEGs of this short side; 0 for none. Where
        `config.data.video_root` is set, videos are checked either way.
      report_path: also write the report to this file, the only one written if there are errors.
      progress: called with lines for a person.

    Returns:
      The report, as in report.json: findings, statistics, notes, joints the remap lacks, and the
      time taken.

    Raises:
      DataError: bad samples (the first are listed), a config that does not fit the data, or a
        folder that is in the way.
      LockedError, DiskError: another process prepares that folder, or nothing can be written there.
      ValueError, FileNotFoundError: what the reader finds wrong with the source as a whole.
    """
    out = local_folder(config_data.dir)
    check_destination(config_data, out, overwrite, _WRITTEN)
    lock = out.absolute().with_name(out.absolute().name + ".lock")
    with working_in(out, lock, f"posec3d prepare, from {_source(config_data)}", own=(".",)):
        # Again, for whoever held it may have written it.
        check_destination(config_data, out, overwrite, _WRITTEN)
        return _prepare(config_data, out, skip_bad, frames, report_path, progress)


def _prepare(
    config_data,
    out: Path,
    skip_bad: bool,
    frames: int,
    report_path: Path | None,
    progress: Callable[[str], None],
) -> dict:
    """The work of `prepare`, once the place is ours."""
    started = time.monotonic()
    findings = ValidationReport()
    dataset = read_dataset(
        config_data.format,
        expand(config_data.source) if config_data.source else "",
        skeleton=get_skeleton(config_data.skeleton),
        camera=camera_of(config_data),
        report=findings,
        options=config_data.reader_options,
        link=link,
    )
    if config_data.planes:
        dataset = replace(dataset, skeleton=planes_of(dataset.skeleton))
    info = describe(config_data, dataset)
    staging = staging_of(out)
    shutil.rmtree(staging, ignore_errors=True)  # what an interrupted run left
    staging.mkdir(parents=True)
    progress(f"reading {_source(config_data)}: {dataset.total} clips")
    try:
        with filling(out), videos_of(config_data, staging, frames) as videos:
            made = config_data, dataset, info, videos
            report = _fill(staging, *made, findings, skip_bad, progress)
        report["seconds"] = round(time.monotonic() - started, 1)
        text = json.dumps(report, indent=1) + "\n"
        if report_path:
            write_whole(Path(report_path), text)
        if findings.errors and not skip_bad:
            raise DataError(_refusal(config_data, findings))
        write_whole(staging / REPORT_FILE, text)
        _move(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    progress(report["summary"])
    progress(f"written to {out} in {report['seconds']:g} s")
    return report


def _fill(
    staging: Path,
    config_data,
    dataset: SkeletonDataset,
    info: DatasetInfo,
    videos: Videos | None,
    findings: ValidationReport,
    skip_bad: bool,
    progress: Callable[[str], None],
) -> dict:
    """Write the data set to `staging` and return the report; with errors it is not finished."""
    rows: list[tuple] = []
    joints = JointCount(np.zeros(info.skeleton.num_joints, np.int64))
    checked = check_dataset(
        dataset,
        num_classes=info.num_classes,
        max_persons=config_data.max_persons,
        report=findings,
    )
    watched = _watched(checked, dataset.total, progress)
    clips = convert(watched, dataset.skeleton, info.skeleton, info.keypoint_dtype, findings)
    if videos is not None:
        info = replace(info, notes=(*info.notes, *filter(None, [videos.note])))
        clips = videos.usable(clips, findings.add)
    clips = clips if skip_bad else until_error(clips, findings)
    _write(staging, _noted(clips, rows, joints), info)
    report = {
        "notes": list(info.notes),
        "joints_lacking": lacking(dataset.skeleton, info.skeleton),
    }
    if not findings.errors or skip_bad:
        if not rows:
            raise DataError(f"{_source(config_data)}: no usable clip in it\n{findings.summary()}")
        table = make_table(rows)
        splits = number_splits(dataset.splits, table.names, findings)
        _tell_leaks(config_data, table, splits, findings)
        if "too_many_persons" in findings.counts():
            info = replace(info, person_limit=config_data.max_persons)
        figures = _finish(staging, info, table, splits, joints)
        lines = f"{summary(info, figures)}\n{findings.summary()}"
        report |= {"statistics": figures, "summary": lines}
    return report | {"findings": findings.to_dict()}


def _tell_leaks(
    config_data, table: ClipTable, splits: dict[str, np.ndarray], findings: ValidationReport
) -> None:
    """A warning for each configured split that shares clips with the one that is trained on."""
    tested = {config_data.val_split, config_data.test_split}
    place = Path(config_data.dir)
    leaks = leaks_of_splits(table, splits, config_data.train_split, tested, place)
    for split, line in leaks.items():
        findings.add("leaking_split", "", line, key=split, severity="warning")


def _noted(
    sequences: Iterable[SkeletonSequence], rows: list[tuple], joints: JointCount
) -> Iterator[SkeletonSequence]:
    """Pass sequences on, entering each into the table's rows and the count of joints."""
    for sequence in sequences:
        rows.append(table_row(sequence))
        joints.add(sequence)
        yield sequence


def _finish(
    staging: Path,
    info: DatasetInfo,
    table: ClipTable,
    splits: dict[str, np.ndarray],
    joints: JointCount,
) -> dict:
    """Write the table of clips and info.json; returns the statistics."""
    payload = staging / (PACK_FOLDER if info.storage == "pack" else TFDS_FOLDER)
    info = replace(
        info,
        splits={name: len(clips) for name, clips in splits.items()},
        num_clips=len(table),
        max_frames=int(table.lengths.max()),
        max_persons=int(table.persons.max()),
        num_bytes=payload_size(payload),
    )
    write_clips(staging, table, splits)
    write_info(staging, info)
    return statistics(info, table, splits, joints)


def _write(staging: Path, sequences: Iterable[SkeletonSequence], info: DatasetInfo) -> None:
    if info.storage == "pack":
        write_pack(staging / PACK_FOLDER, sequences, info.skeleton.num_joints, info.keypoint_dtype)
        return
    try:
        from posec3d_jax.data.stored.tfds_builder import write_tfds
    except ModuleNotFoundError as error:
        raise DataError(
            f"config.data.storage is 'tfds', but {error.name} is not installed: install "
            "it, or set --config.data.storage=pack"
        ) from error
    write_tfds(staging / TFDS_FOLDER, sequences, info)


def _watched(
    sequences: Iterable[SkeletonSequence], total: int, progress: Callable[[str], None]
) -> Iterator[SkeletonSequence]:
    """Pass sequences on, telling now and then how far it is."""
    started = reported = time.monotonic()
    for done, sequence in enumerate(sequences, 1):
        yield sequence
        now = time.monotonic()
        if now - reported > _EVERY:
            rate = done / (now - started)
            left = max(total - done, 0) / rate
            progress(f"{done} of {total} clips, {rate:.0f} clips/s, {left:.0f} s left")
            reported = now


def _source(config_data) -> str:
    """What the clips come from, for messages."""
    return config_data.source or config_data.format


def _refusal(config_data, findings: ValidationReport) -> str:
    errors = findings.errors
    listed = "\n".join(f"  {error}" for error in errors[:_LISTED])
    more = f"\n  ... and {len(errors) - _LISTED} more" if len(errors) > _LISTED else ""
    return (
        f"{_source(config_data)}: {len(errors)} errors, nothing was written\n"
        f"{listed}{more}\n{findings.summary(limit=0)}\n"
        "Correct them, or leave these samples out with --skip_bad."
    )


def _move(staging: Path, out: Path) -> None:
    """Give the finished folder its name; an old data set goes only when the new one is whole."""
    if not out.exists():
        staging.rename(out)
        return
    old = replaced_by(out)
    shutil.rmtree(old, ignore_errors=True)
    out.rename(old)
    staging.rename(out)
    shutil.rmtree(old)
