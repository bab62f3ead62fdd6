"""Readers: one module a file format, each with a `read` that returns a `SkeletonDataset`.

Every reader has the signature `read(path, *, skeleton, camera, report, **options)`: `skeleton` is
the config's layout, held against the file's; `camera` (config.data.camera) projects 3-D data;
`report` receives what was wrong with single samples; the options are config.data.reader_options.
Readers of files without persons' ids also take `link`, which tells who is who.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from posec3d_jax.data.pose_files import TOOLS
from posec3d_jax.data.pose_files.sequences import Link
from posec3d_jax.data.readers import (
    directory,
    ntu,
    nw_ucla,
    penn_action,
    pose_files,
    pyskl,
    sbu,
    utd_mhad,
    utkinect,
)
from posec3d_jax.data.records import SkeletonDataset, ValidationReport
from posec3d_jax.skeletons.skeleton import Skeleton

COMMON = ("path", "skeleton", "camera", "report", "tool", "link", "unlabelled")


def _read_simulated(
    path: Path, *, skeleton: Skeleton, camera: Mapping, report: ValidationReport, **options
) -> SkeletonDataset:
    """The built-in data set; its module is only loaded where it is asked for."""
    from posec3d_jax.data import simulation

    return simulation.read(path, skeleton=skeleton, camera=camera, report=report, **options)


READERS: dict[str, Callable[..., SkeletonDataset]] = {
    "pyskl": pyskl.read,
    "penn_action": penn_action.read,
    "utd_mhad_kinect": utd_mhad.read_kinect,
    "utd_mhad_blazepose": utd_mhad.read_blazepose,
    "nw_ucla": nw_ucla.read,
    "utkinect": utkinect.read,
    "sbu": sbu.read,
    "ntu_rgbd": ntu.read,
    "directory": directory.read,
    **{tool: partial(pose_files.read, tool=tool) for tool in TOOLS},
    "simulated": _read_simulated,
}


def read_dataset(
    name: str,
    path: str | Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    options: Mapping,
    link: Link | None = None,
) -> SkeletonDataset:
    """Open `path` with the reader called `name`, after checking its name and its options.

    `link` tells who is who in pose files without ids; None refuses clips that need it.

    Raises ValueError for an unknown reader or option (naming those there are) and for a layout
    that does not fit, FileNotFoundError for a missing source.
    """
    if name not in READERS:
        raise ValueError(f"config.data.format {name!r} is not one of {', '.join(READERS)}")
    accepted = [p for p in inspect.signature(READERS[name]).parameters if p not in COMMON]
    unknown = [option for option in options if option not in accepted and "options" not in accepted]
    if unknown:
        raise ValueError(
            f"config.data.reader_options has {', '.join(unknown)}, which reader {name!r} does not "
            f"know; its options: {', '.join(accepted) or 'none'}"
        )
    if name != "simulated" and not (str(path) and Path(path).exists()):
        raise FileNotFoundError(f"config.data.source is {str(path)!r}, which does not exist")
    if name != "simulated" and not (Path(path).is_file() or Path(path).is_dir()):
        raise ValueError(f"config.data.source is {str(path)!r}, which is no regular file or folder")
    options = dict(options) | ({"link": link} if name in TOOLS else {})
    return READERS[name](Path(path), skeleton=skeleton, camera=camera, report=report, **options)
