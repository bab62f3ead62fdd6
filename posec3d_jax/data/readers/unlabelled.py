"""Clips to recognise, from every form that the readers read: a file or a folder, without labels.

| input | is read as |
|---|---|
| `.npz`, `.json` with `keypoint` | a clip of the directory format |
| `.pkl` | PYSKL's annotations, packs or a single sample |
| `.skeleton` | NTU RGB+D's |
| `.npz` of x_train, x_test | the arrays that graph-network projects make of it |
| a pose estimator's file or folder | that tool's, told from the file |
| a folder of any of the first three | each of its files, also in folders below |
| any other file or folder | what the run was trained on: config.data.format |

Options and camera are those of the run (config.data.reader_options, config.data.camera), where they
are the reader's.
"""

import inspect
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from posec3d_jax.data.pose_files import TOOLS, Options
from posec3d_jax.data.pose_files.opening import open_poses
from posec3d_jax.data.pose_files.sequences import Link, ids_of, to_arrays, with_joints
from posec3d_jax.data.readers import READERS, directory, ntu, pyskl, read_dataset
from posec3d_jax.data.records import SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample, load_json
from posec3d_jax.files.kinds import kind_of
from posec3d_jax.files.places import expand
from posec3d_jax.skeletons.skeleton import Skeleton

NOT_CLIPS = (directory.SPLITS, directory.CLASSES)
_ENDINGS = (".npz", ".json", ".pkl", ".skeleton")
_TOLD_BY_FOLDER = ("pyskl", "directory", "ntu_rgbd", "simulated")  # formats of such files

Clips = Iterator[SkeletonSequence]


def read_clips(
    path: str | Path,
    config_data: Any,
    skeleton: Skeleton,
    report: ValidationReport,
    link: Link | None = None,
) -> Clips:
    """The clips of a file or folder, as read; `report` receives those that cannot be used.

    Args:
      path: see the table above.
      config_data: `config.data` of the run: format, reader_options, camera.
      skeleton: the layout that the run's data came in.
      report: gets an error for each clip that is left out.
      link: tells who is who in pose files without ids; None refuses clips that need it.

    Raises:
      FileNotFoundError: there is nothing there.
      ValueError: it is none of these; says what it is.
    """
    path = expand(path)
    if not path.exists():
        raise FileNotFoundError(f"--input is {str(path)!r}, which does not exist")
    if path.is_dir():
        files = _clip_files(path)
        if config_data.format in _TOLD_BY_FOLDER and files:
            return _each(files, path, config_data, skeleton, report, link)
        return _as_trained(path, config_data, skeleton, report, link)
    if not path.is_file():  # a pipe or device might be read without end
        raise ValueError(f"{path} is no regular file; expected a file of clips, or a folder")
    return _each([path], path.parent, config_data, skeleton, report, link)


def _clip_files(folder: Path) -> list[Path]:
    """The files below a folder that hold clips of their own, by name."""
    found = (file for file in folder.rglob("*") if file.suffix in _ENDINGS)
    return sorted(file for file in found if file.is_file() and file.name not in NOT_CLIPS)


def _each(
    files: list[Path],
    folder: Path,
    config_data: Any,
    skeleton: Skeleton,
    report: ValidationReport,
    link: Link | None,
) -> Clips:
    for file in files:
        try:
            yield from _one(file, folder, config_data, skeleton, report, link)
        except ValueError as error:  # a BadSample, or what a reader says of a whole file
            if len(files) == 1 and not isinstance(error, BadSample):
                raise
            kind, key = getattr(error, "kind", "unreadable_file"), getattr(error, "key", "")
            name = file.relative_to(folder).with_suffix("").as_posix()
            report.add(kind, name, str(error), str(file), key)


def _one(
    file: Path,
    folder: Path,
    config_data: Any,
    skeleton: Skeleton,
    report: ValidationReport,
    link: Link | None,
) -> Clips:
    """The clips of one file."""
    given = dict(skeleton=skeleton, camera=config_data.camera, report=report)
    if file.suffix == ".pkl":
        options = _options_of(pyskl.read, config_data)
        yield from pyskl.read(file, **given, **options, unlabelled=True).sequences
    elif file.suffix == ".skeleton":
        options = _options_of(ntu.read_clip, config_data)
        yield ntu.read_clip(file, config_data.camera, **options, label=0)
    elif file.suffix == ".npz" and "x_train" in _names_in(file):
        yield from ntu.read(file, **given).sequences
    elif file.suffix in (".npz", ".json") and _has_keypoint(file):
        options = _options_of(directory.read_clip, config_data)
        yield directory.read_clip(file, folder, config_data.camera, **options, label=0)
    elif file.suffix in (".json", ".csv", ".npy", ".h5"):
        yield _of_a_tool(file, config_data, skeleton, link)
    elif config_data.format in READERS and config_data.format not in _TOLD_BY_FOLDER:
        yield from _as_trained(file, config_data, skeleton, report, link)
    else:
        raise ValueError(f"{file} is {kind_of(file)}; expected one of {', '.join(_ENDINGS)}")


def _names_in(file: Path) -> tuple[str, ...]:
    """The names of an archive's arrays, without reading them; () where it is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist()[:100])
    except (OSError, ValueError, zipfile.BadZipFile):
        return ()


def _has_keypoint(file: Path) -> bool:
    """Whether it is a clip of the directory format, or is to be refused as one."""
    if file.suffix == ".npz":
        return True
    contents = load_json(file)
    return isinstance(contents, Mapping) and "keypoint" in contents


def _options_of(read: Callable, config_data: Any) -> dict[str, Any]:
    """Those of the run's reader options that this reader takes too."""
    known = set(inspect.signature(read).parameters) - {"label", "unlabelled"}
    return {k: v for k, v in dict(config_data.reader_options).items() if k in known}


def _of_a_tool(
    path: Path, config_data: Any, skeleton: Skeleton, link: Link | None
) -> SkeletonSequence:
    """A clip in a pose estimator's file or folder."""
    options = dict(config_data.reader_options)
    size = tuple(options.get("frame_size", ())) or None
    tool = config_data.format if config_data.format in TOOLS else ""
    frames = open_poses(path, Options(frame_size=size), tool)
    index = with_joints(frames, skeleton.joints, dict(options.get("joint_names") or {}))
    keypoint, score = to_arrays(frames, index, ids_of(frames, link))
    return SkeletonSequence(path.stem, keypoint, score, frames.frame_size, 0, str(path))


def _as_trained(
    path: Path, config_data: Any, skeleton: Skeleton, report: ValidationReport, link: Link | None
) -> Clips:
    """A file or folder in the format that the run was trained on."""
    if config_data.format in TOOLS or config_data.format in _TOLD_BY_FOLDER:
        yield _of_a_tool(path, config_data, skeleton, link)
        return
    yield from read_dataset(
        config_data.format,
        path,
        skeleton=skeleton,
        camera=config_data.camera,
        report=report,
        options=config_data.reader_options,
    ).sequences
