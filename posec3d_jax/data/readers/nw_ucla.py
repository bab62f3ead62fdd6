"""Northwestern-UCLA: 1484 clips of 10 actions, seen by three Kinects; one JSON file a clip.

Source: Wang et al., "Cross-view Action Modeling, Learning and Recognition" (CVPR 2014), in the
JSON form that graph networks use (`all_sqe/*.json`): keys `file_name`, `skeletons` [T, 20, 3] in
metres, `label` 1 to 10. Names are a{action}_s{subject}_e{environment}_v{view}. The protocol trains
on views 1 and 2 (`train`) and tests on view 3 (`test`).
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from posec3d_jax.data.projection import describe
from posec3d_jax.data.readers.files import (
    BadSample,
    find_files,
    load_json,
    number_array,
    project_scored,
    read_samples,
    require_layout,
    splits_by,
)
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.label_spaces import CLASS_NAMES
from posec3d_jax.skeletons import Skeleton

VIEW = re.compile(r"_v0*(\d+)$")
SPLITS = {1: "train", 2: "train", 3: "test"}


def read(
    path: Path, *, skeleton: Skeleton, camera: Mapping, report: ValidationReport
) -> SkeletonDataset:
    """Read the folder of `.json` files (or one above it).

    Raises FileNotFoundError without such files, ValueError for another layout than kinect_20. A
    file that is damaged or lacks a key is left out, with an error in `report`.
    """
    require_layout(skeleton, "kinect_20", "NW-UCLA")
    files = find_files(path, "a*_s*_e*_v0[123].json", "NW-UCLA's all_sqe/*.json")
    return SkeletonDataset(
        name="nw_ucla",
        skeleton=skeleton,
        class_names=CLASS_NAMES["nw_ucla"],
        splits=splits_by((file.stem for file in files), _split),
        sequences=read_samples(files, partial(_read_file, camera=camera), report),
        total=len(files),
        notes=(describe(camera),),
    )


def _split(name: str) -> str:
    return SPLITS[int(VIEW.search(name)[1])]


def _read_file(file: Path, camera: Mapping) -> SkeletonSequence:
    contents = load_json(file)
    for key in ("skeletons", "label"):
        if not isinstance(contents, dict) or key not in contents:
            raise BadSample("missing_key", f"the file has no {key!r}", key)
    points = number_array(contents["skeletons"], "skeletons")
    if points.ndim != 3 or points.shape[1:] != (20, 3):
        raise BadSample("wrong_shape", f"shape {points.shape}, expected [T, 20, 3]", "skeletons")
    if not isinstance(contents["label"], int):
        raise BadSample("wrong_type", f"{contents['label']!r} is no integer", "label")
    keypoint, score = project_scored(points[None], None, camera)
    label = contents["label"] - 1
    return SkeletonSequence(file.stem, keypoint, score, camera["image_size"], label, str(file))
