"""A folder of pose estimators' own files as a data set: OpenPose, MMPose, MediaPipe, ...

    my_poses/
        labels.csv            clip,class[,split][,height,width]   (optional, see below)
        classes.json          ["wave", "jump"]      (optional: class names, in order of label)
        splits.json           {"train": ["clip_a"], ...}   (optional: instead of a column split)
        clip_a.json ...       one file or one folder a clip, as the tool wrote it

The class of a clip stands in labels.csv, by name or number; `clip` is its path below my_poses
without the ending. Without labels.csv the folder that a clip lies in names its class, and the one
above that its split: my_poses/train/wave/clip_a.json. Clips without a split are in 'all'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from posec3d_jax.data.pose_files import TOOLS, Options, find_clips
from posec3d_jax.data.pose_files.sequences import Link, ids_of, to_arrays, with_joints
from posec3d_jax.data.readers.directory import CLASSES, SPLITS, load_classes, load_splits
from posec3d_jax.data.readers.files import read_samples, splits_by
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.files.text import load_cells
from posec3d_jax.skeletons.skeleton import Skeleton, get_skeleton

LABELS, ALL = "labels.csv", "all"
_COLUMNS = ("clip", "class", "split", "height", "width")


@dataclass(frozen=True)
class _Clip:
    """A clip and what is said of it outside its file."""

    name: str
    path: Path
    class_name: str
    split: str = ALL
    frame_size: tuple[int, int] | None = None


def read(
    path: Path,
    *,
    tool: str,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    frame_size: Sequence[int] = (),
    layout: str | Mapping | None = None,
    joint_names: Mapping[str, str] | None = None,
    link: Link | None = None,
) -> SkeletonDataset:
    """Read the folder; `camera` is not used, the data is 2-D.

    Args:
      path: the folder above.
      tool: whose files, a key of `pose_files.TOOLS`.
      skeleton: the joints to make; the file's are found by their names.
      report: receives a clip that cannot be used, or has no class (errors), and what was mended.
      frame_size: (height, width) of all videos, where neither labels.csv nor the files say it.
      layout: of files that do not name their joints; '' is what the tool writes by default.
      joint_names: the layout's names for the file's, where they differ: {'snout': 'nose'}.
      link: finds out who is who in files without ids; None refuses clips that need it.

    Raises FileNotFoundError without a clip, ValueError where labels.csv is not as above.
    """
    clips = find_clips(path, TOOLS[tool]) if path.is_dir() else []
    clips = [clip for clip in clips if clip not in (path / SPLITS, path / CLASSES, path / LABELS)]
    if not clips:
        kinds = ", ".join((*TOOLS[tool].suffixes, *TOOLS[tool].folders))
        raise FileNotFoundError(f"{path}: expected a folder of {tool} files ({kinds})")
    labelled = _from_table(path, clips, report)
    labelled = _from_folders(path, clips) if labelled is None else labelled
    names, class_names = _classes(labelled, load_classes(path / CLASSES))
    size = tuple(frame_size) or None
    joints = get_skeleton(layout).joints if layout else None
    options = partial(Options, layout=joints)
    read_one = partial(
        _read_clip,
        tool=tool,
        joints=skeleton.joints,
        renamed=joint_names or {},
        link=link,
        options=lambda clip: options(clip.frame_size or size),
        label_of=names.get,
        report=report,
    )
    return SkeletonDataset(
        name=path.name,
        skeleton=skeleton,
        class_names=class_names,
        splits=_splits(path, labelled),
        sequences=read_samples(labelled, read_one, report, lambda c: (c.name, str(c.path))),
        total=len(labelled),
        splits_file=str(path / (SPLITS if (path / SPLITS).is_file() else LABELS)),
    )


def _name(clip: Path, folder: Path) -> str:
    """The path below the folder without ending; Ultralytics' 'labels' go by their folder."""
    if clip.is_dir() and clip.name == "labels" and clip.parent != folder:
        clip = clip.parent
    clip = clip if clip.is_dir() else clip.with_suffix("")
    return clip.relative_to(folder).as_posix()


def _from_folders(folder: Path, clips: Sequence[Path]) -> list[_Clip]:
    labelled = []
    for clip in clips:
        name = _name(clip, folder)
        parts = name.split("/")
        if len(parts) < 2:
            raise ValueError(
                f"{folder}: expected {LABELS} with the columns clip and class, or a folder for "
                f"each class; {clip.name!r} lies beside no {LABELS} and in no such folder"
            )
        labelled.append(_Clip(name, clip, parts[-2], parts[-3] if len(parts) > 2 else ALL))
    return labelled


def _from_table(
    folder: Path, clips: Sequence[Path], report: ValidationReport
) -> list[_Clip] | None:
    """The clips that labels.csv has a line for; None without the file. The others are reported."""
    file = folder / LABELS
    if not file.is_file():
        return None
    try:
        header, *rows = load_cells(file) or [[]]
        rows = [_row(header, row) for row in rows]
    except (BadSample, ValueError) as error:
        raise ValueError(f"{file}: {error}") from error
    said = {row["clip"]: row for row in rows}
    labelled = []
    for clip in clips:
        name = _name(clip, folder)
        if name not in said:
            message = f"it has no line in {LABELS}; add one, or remove the clip"
            report.add("no_label", name, message, str(clip), "class")
            continue
        row = said.pop(name)
        size = (int(row["height"]), int(row["width"])) if row.get("height") else None
        labelled.append(_Clip(name, clip, row["class"], row.get("split") or ALL, size))
    for name in said:
        report.add("missing_clip", name, f"{LABELS} names a clip that is not there", str(file))
    return labelled


def _row(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    row = {key.strip(): cell.strip() for key, cell in zip(header, cells, strict=True)}
    unknown = sorted(set(row) - set(_COLUMNS))
    if unknown or not {"clip", "class"} <= set(row):
        raise ValueError(f"expected the columns clip, class (split, height, width), got {header}")
    if ("height" in row) != ("width" in row) or bool(row.get("height")) != bool(row.get("width")):
        raise ValueError(f"clip {row['clip']!r}: height and width go together")
    return row


def _classes(
    clips: Sequence[_Clip], named: tuple[str, ...]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The label of every class as it is written, and the classes' names in order of label."""
    written = {clip.class_name for clip in clips}
    if written and all(name.isdecimal() for name in written) and not written & set(named):
        return {name: int(name) for name in written}, named
    named = named or tuple(sorted(written))
    return {name: label for label, name in enumerate(named)}, named


def _splits(folder: Path, clips: Sequence[_Clip]) -> dict[str, tuple[str, ...]]:
    if (folder / SPLITS).is_file():
        return load_splits(folder / SPLITS)
    return splits_by(clips, lambda clip: clip.split, lambda clip: clip.name)


def _read_clip(
    clip: _Clip, *, tool: str, joints, renamed, link: Link | None, options, label_of, report
) -> SkeletonSequence:
    label = label_of(clip.class_name)
    if label is None:
        message = f"class {clip.class_name!r} is not in {CLASSES}"
        raise BadSample("unknown_class", message, "class")
    frames = TOOLS[tool].read(clip.path, options(clip))
    for note in frames.notes:
        report.add("mended", clip.name, note, str(clip.path), severity="warning")
    index = with_joints(frames, joints, renamed)
    keypoint, score = to_arrays(frames, index, ids_of(frames, link))
    return SkeletonSequence(clip.name, keypoint, score, frames.frame_size, label, str(clip.path))
