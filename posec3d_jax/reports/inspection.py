"""What is in a prepared data set: facts and findings as text, clips as pictures."""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.clips import ClipTable, read_clips
from posec3d_jax.data.stored.info import DataError, DatasetInfo, read_info
from posec3d_jax.data.stored.sources import Source
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.locks import holding
from posec3d_jax.files.places import expand
from posec3d_jax.reports.drawing import draw_skeletons, draw_volume, save_figure
from posec3d_jax.runs import records

REPORT_FILE = "report.json"
REPORT_PARTS = {
    "statistics": {"frame_sizes", "missing_joints", "absent_share", "empty_clips"},
    "findings": {"counts", "num_errors", "num_warnings", "errors", "warnings"},
}
REMEDY = "make the data set again with 'posec3d prepare --overwrite'"
LISTED = 20  # findings of a kind, or classes with equal counts, that the text spells out


def inspect_dataset(folder: str | Path) -> dict[str, Any]:
    """The facts of a data set that `posec3d prepare` wrote, as plain JSON-able values.

    Returns:
      name, folder, format, storage, keypoint_dtype, clips, notes, fingerprint, versions;
      layout: name, joints, limbs (pairs of joint names), pairs (left, right names);
      splits: split -> {clips, frames, persons}, the last two as {min, median, max};
      classes: in label order, {name, clips: split -> number};
      frame_sizes, missing_joints (joint -> share of bodies lacking it), absent_share, empty_clips:
      as in report.json; findings: counts by kind, errors and warnings with the sample's name.

    Raises:
      DataError: there is no whole data set in the folder; the message says how to make one.
    """
    folder = local_folder(folder)
    info = read_info(folder)
    table, splits = read_clips(folder)
    report = _read_report(folder)
    statistics = report["statistics"]
    names = info.class_names or tuple(str(k) for k in range(info.num_classes))
    per_split = {
        split: np.bincount(table.labels[clips], minlength=len(names))
        for split, clips in splits.items()
    }
    taken = ("frame_sizes", "missing_joints", "absent_share", "empty_clips")
    return dict(
        name=info.name,
        folder=str(folder),
        format=info.format,
        storage=info.storage,
        keypoint_dtype=info.keypoint_dtype,
        clips=len(table),
        layout=_layout(info),
        splits={split: _split(table, clips) for split, clips in splits.items()},
        classes=[
            dict(name=name, clips={split: int(counts[k]) for split, counts in per_split.items()})
            for k, name in enumerate(names)
        ],
        **{key: statistics[key] for key in taken},
        findings=report["findings"],
        notes=list(info.notes),
        fingerprint=info.fingerprint,
        versions=dict(info.versions),
    )


def _read_report(folder: Path) -> dict[str, Any]:
    path = folder / REPORT_FILE
    if not path.is_file():
        raise DataError(f"{folder} has no {REPORT_FILE}; {REMEDY}")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (RecursionError, ValueError) as error:
        raise DataError(f"{path} is damaged ({error}); {REMEDY}") from error
    found = {part: report.get(part) if isinstance(report, dict) else None for part in REPORT_PARTS}
    lacking = [
        part
        for part, keys in REPORT_PARTS.items()
        if not isinstance(found[part], dict) or not keys <= set(found[part])
    ]
    if lacking:
        raise DataError(f"{path} lacks {' and '.join(lacking)}; {REMEDY}")
    return report


def _layout(info: DatasetInfo) -> dict[str, Any]:
    joints = info.skeleton.joints
    return dict(
        name=info.skeleton.name,
        joints=list(joints),
        limbs=[[joints[a], joints[b]] for a, b in info.skeleton.limbs],
        pairs=[[joints[a], joints[b]] for a, b in info.skeleton.pairs],
    )


def _split(table: ClipTable, clips: np.ndarray) -> dict[str, Any]:
    return dict(
        clips=len(clips),
        frames=_spread(table.lengths[clips]),
        persons=_spread(table.persons[clips]),
    )


def _spread(values: np.ndarray) -> dict[str, float]:
    if not len(values):
        return dict(min=0, median=0.0, max=0)
    return dict(min=int(values.min()), median=float(np.median(values)), max=int(values.max()))


def describe(facts: Mapping[str, Any]) -> str:
    """The facts of `inspect_dataset` as text tables for a terminal.

    Raises DataError where report.json holds something else than `prepare` writes.
    """
    try:
        return _describe(facts)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        path = Path(facts["folder"]) / REPORT_FILE
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}); {REMEDY}") from error


def _describe(facts: Mapping[str, Any]) -> str:
    layout = facts["layout"]
    sizes = facts["frame_sizes"]
    shown = ", ".join(f"{size} ({n})" for size, n in list(sizes.items())[:4])
    parts = [
        f"{facts['name']}: {facts['clips']} clips, {len(facts['classes'])} classes\n"
        f"  in {facts['folder']} ({facts['storage']}, {facts['keypoint_dtype']}), "
        f"read as {facts['format']}",
        f"layout {layout['name']}: {len(layout['joints'])} joints, {len(layout['limbs'])} limbs, "
        f"{len(layout['pairs'])} left/right pairs",
        f"frame sizes (height x width): {shown}{', ...' if len(sizes) > 4 else ''}",
        _split_table(facts["splits"]),
        _class_table(facts["classes"], list(facts["splits"])),
        _joint_table(facts),
        _finding_text(facts),
    ]
    return "\n\n".join(parts + [f"note: {note}" for note in facts["notes"]])


def _split_table(splits: Mapping[str, Any]) -> str:
    columns = ("split", "clips", "frames min", "median", "max", "persons min", "median", "max")
    rows = [
        (name, split["clips"], *split["frames"].values(), *split["persons"].values())
        for name, split in splits.items()
    ]
    return _text_table(columns, rows)


def _class_table(classes: Sequence[Mapping[str, Any]], splits: list[str]) -> str:
    rows = [
        (k, each["name"], *(each["clips"][split] for split in splits))
        for k, each in enumerate(classes)
    ]
    return _text_table(("", "class", *splits), rows)


def _joint_table(facts: Mapping[str, Any]) -> str:
    """How often each joint is missing, where there is a body at all."""
    rows = [
        (k, joint, f"{100 * share:.1f} %", "#" * round(40 * share))
        for k, (joint, share) in enumerate(facts["missing_joints"].items())
    ]
    empty = facts["empty_clips"]
    text = _text_table(("", "joint", "missing", ""), rows)
    text += f"\nperson-frames without a body: {100 * facts['absent_share']:.1f} %"
    named = f" ({', '.join(empty['names'][:LISTED])})" if empty["count"] else ""
    return f"{text}\nclips without a single joint: {empty['count']}{named}"


def _finding_text(facts: Mapping[str, Any]) -> str:
    """Errors (samples left out) and warnings (samples kept), by kind, with the samples' names."""
    findings = facts["findings"]
    lines = [
        f"findings: {findings['num_errors']} errors (samples left out), "
        f"{findings['num_warnings']} warnings (samples kept)"
    ]
    listed = findings["errors"] + findings["warnings"]
    for kind, count in findings["counts"].items():
        members = [finding for finding in listed if finding["kind"] == kind]
        lines.append(f"  {kind}: {count}")
        for finding in members[:LISTED]:
            where = f"{finding['file']}: " if finding["file"] else ""
            lines.append(f"    {where}{finding['sample'] or '(all)'}: {finding['message']}")
        if count > LISTED:
            lines.append(f"    ... and {count - LISTED} more, see {REPORT_FILE}")
    return "\n".join(lines)


def _text_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Aligned columns: numbers to the right, text to the left."""
    cells = [[f"{v:g}" if isinstance(v, float) else str(v) for v in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    right = [
        all(re.fullmatch(r"[\d.]+( %)?", cell[i]) for cell in cells) for i in range(len(widths))
    ]
    lines = []
    for row in [list(columns), *cells]:
        aligned = zip(row, widths, right, strict=True)
        text = "  ".join(v.rjust(w) if r else v.ljust(w) for v, w, r in aligned)
        lines.append(f"  {text}".rstrip())
    return "\n".join(lines)


def pick_clips(source: Source, names: Sequence[str] = (), num: int = 4) -> list[int]:
    """Numbers of the clips with these names; without names, `num` clips of as many classes.

    Raises:
      DataError: a name that is not in the split, with the nearest that is.
    """
    if names:
        number = {name: i for i, name in enumerate(source.names)}
        for name in names:
            if name not in number:
                near = difflib.get_close_matches(name, number, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise DataError(f"there is no clip {name!r} among the {len(number)} clips{hint}")
        return [number[name] for name in names]
    # Ordered by how many clips of their class come before: first one of each class, then a second.
    order = np.argsort(source.labels, kind="stable")
    _, starts, counts = np.unique(source.labels[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(starts, counts)
    return np.sort(order[np.argsort(rank, kind="stable")][:num]).tolist()


def draw_clips(
    source: Source,
    indices: Sequence[int],
    out_dir: str | Path,
    volume_fn: Callable[[SkeletonSequence], np.ndarray] | None = None,
    kind: str = "keypoints",
) -> list[Path]:
    """Draws clips as skeletons, and as volumes where there is a function that makes them.

    Args:
      source: an opened split.
      indices: clip numbers, 0 to len(source) - 1.
      out_dir: gets skeleton_<number>_<name>.png and volume_<number>_<name>.png; made if missing.
      volume_fn: a clip to its volume, float [T, H, W, C].
      kind: what the volume's channels are, see `drawing.draw_volume`.

    Returns:
      The files written.

    Raises:
      DataError: a number that is not a clip's.
      LockedError, DiskError: another process draws there, or nothing can be written there.
    """
    out = expand(out_dir)
    with holding(out / "inspect.lock", out, records.command()):
        return _draw(source, indices, out, volume_fn, kind)


def _draw(
    source: Source,
    indices: Sequence[int],
    out: Path,
    volume_fn: Callable[[SkeletonSequence], np.ndarray] | None,
    kind: str,
) -> list[Path]:
    files = []
    for i in indices:
        if not 0 <= i < len(source):
            raise DataError(f"there is no clip number {i}; the split has 0 to {len(source) - 1}")
        sequence = source.sequence(i)
        title = f"{sequence.name}: {_class_name(source.info, sequence.label)}"
        stem = f"{i:05d}_{re.sub(r'[^A-Za-z0-9._-]+', '_', sequence.name)[:80]}.png"
        figure = draw_skeletons(sequence, source.info.skeleton, title=title)
        files.append(save_figure(figure, out / f"skeleton_{stem}"))
        if volume_fn is not None:
            figure = draw_volume(volume_fn(sequence), source.info.skeleton, kind, title=title)
            files.append(save_figure(figure, out / f"volume_{stem}"))
    return files


def _class_name(info: DatasetInfo, label: int) -> str:
    return info.class_names[label] if info.class_names else f"class {label}"
