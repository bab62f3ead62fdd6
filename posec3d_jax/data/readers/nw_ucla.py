"""Northwestern-UCLA: 1484 clips of 10 actions, seen by three Kinects; one JSON file a clip.

Source: Wang et al., "Cross-view Action Modeling, Learning and Recognition" (CVPR 2014), in the
JSON form that graph networks use (`all_sqe/*.json`): keys `file_name`, `skeletons` [T, 20, 3] in
metres, `label` 1 to 10. Names are a{action}_s{subject}_e{environment}_v{view}. The protocol trains
on views 1 and 2 (`train`) and tests on view 3 (`test`).
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from posec3d_jax.data.readers.files import find_files, read_samples, require_layout, splits_by
from posec3d_jax.data.readers.views import (
    project_scored,
    turned_camera,
    view_name,
    view_notes,
    with_views,
)
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample, load_json, number_array
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.skeletons.skeleton import Skeleton

VIEW = re.compile(r"_v0*(\d+)$")
SPLITS = {1: "train", 2: "train", 3: "test"}


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    extra_yaws: Sequence[float] = (),
) -> SkeletonDataset:
    """Read the folder of `.json` files (or one above it); `extra_yaws`: see `views.py`.

    Raises FileNotFoundError without such files, ValueError for another layout than kinect_20. A
    file that is damaged or lacks a key is left out, with an error in `report`.
    """
    require_layout(skeleton, "kinect_20", "NW-UCLA")
    files = find_files(path, "a*_s*_e*_v0[123].json", "NW-UCLA's all_sqe/*.json")
    views = with_views(files, extra_yaws, _split)
    return SkeletonDataset(
        name="nw_ucla",
        skeleton=skeleton,
        class_names=CLASS_NAMES["nw_ucla"],
        splits=splits_by(views, lambda view: _split(view[0]), _name),
        sequences=read_samples(
            views,
            partial(_read_view, camera=camera),
            report,
            lambda view: (_name(view), str(view[0])),
        ),
        total=len(views),
        notes=view_notes(camera, extra_yaws),
    )


def _split(file: Path) -> str:
    return SPLITS[int(VIEW.search(file.stem)[1])]


def _name(view: tuple[Path, float]) -> str:
    file, yaw = view
    return view_name(file.stem, yaw)


def _read_view(view: tuple[Path, float], camera: Mapping) -> SkeletonSequence:
    file, yaw = view
    contents = load_json(file)
    for key in ("skeletons", "label"):
        if not isinstance(contents, dict) or key not in contents:
            raise BadSample("missing_key", f"the file has no {key!r}", key)
    points = number_array(contents["skeletons"], "skeletons")
    if points.ndim != 3 or points.shape[1:] != (20, 3):
        raise BadSample("wrong_shape", f"shape {points.shape}, expected [T, 20, 3]", "skeletons")
    if not isinstance(contents["label"], int):
        raise BadSample("wrong_type", f"{contents['label']!r} is no integer", "label")
    keypoint, score = project_scored(points[None], None, turned_camera(camera, yaw))
    label = contents["label"] - 1
    return SkeletonSequence(_name(view), keypoint, score, camera["image_size"], label, str(file))
