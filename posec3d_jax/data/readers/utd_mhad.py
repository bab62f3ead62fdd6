"""UTD-MHAD: 861 clips of 27 actions by 8 subjects, as Kinect skeletons or as BlazePose ones.

Source: Chen, Jafari, Kehtarnavaz, "UTD-MHAD" (ICIP 2015). Clips are named a{action}_s{subject}_
t{trial}; the usual protocol trains on the odd subjects (`train`) and tests on the even ones.

The Kinect's left and right are mirrored against the depth video, and so against the poses that
BlazePose finds in it. `swap_sides` (on) exchanges them, so that the two agree joint by joint.
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
from posec3d_jax.files.arrays import BadSample, load_mat, load_npz
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.skeletons.skeleton import Skeleton

CLIP = re.compile(r"a(?P<action>\d+)_s(?P<subject>\d+)_t(?P<trial>\d+)")
VIDEO_SIZE = (240, 320)  # of the depth video, (height, width)


def read_kinect(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    swap_sides: bool = True,
    extra_yaws: Sequence[float] = (),
    every: int = 1,
) -> SkeletonDataset:
    """Read the folder of `a*_s*_t*_skeleton.mat` files (`d_skel` [20, 3, T], metres).

    To put the skeletons on the depth video, project them with its camera: kind 'perspective',
    image_size (240, 320), focal 285.63. `extra_yaws`: see `views.py`. `every` keeps each so manieth
    frame; BlazePose's file has every third.

    Raises FileNotFoundError without such files and ValueError for another layout than
    kinect_20_utd; a damaged file is left out, with an error in `report`.
    """
    require_layout(skeleton, "kinect_20_utd", "UTD-MHAD's Kinect")
    files = find_files(path, "a[0-9]*_s[0-9]*_t[0-9]*_skeleton.mat", "UTD-MHAD's Skeleton/*.mat")
    joints = skeleton.flip_joints if swap_sides else slice(None)
    sides = "left and right swapped, as in the depth video" if swap_sides else "sides as stored"
    views = with_views(files, extra_yaws, lambda file: _split(file.stem))
    return SkeletonDataset(
        name="utd_mhad_kinect",
        skeleton=skeleton,
        class_names=CLASS_NAMES["utd_mhad"],
        splits=splits_by(views, lambda view: _split(view[0].stem), _name),
        sequences=read_samples(
            views,
            partial(_read_view, camera=camera, joints=joints, every=every),
            report,
            lambda view: (_name(view), str(view[0])),
        ),
        total=len(views),
        notes=(*view_notes(camera, extra_yaws), sides, *[f"every {every} frames"] * (every > 1)),
    )


def read_blazepose(
    path: Path, *, skeleton: Skeleton, camera: Mapping, report: ValidationReport
) -> SkeletonDataset:
    """Read an `.npz` file (or the only one in a folder) with an array [T, 33, 3] a clip.

    The channels are x and y in pixels of the depth video and the visibility, which is the score;
    frames without a detection are zeros. `camera` is not used. Raises FileNotFoundError without
    such a file, ValueError for another layout than blazepose_33 or a damaged file.
    """
    require_layout(skeleton, "blazepose_33", "UTD-MHAD's BlazePose file")
    if path.is_dir():
        (path,) = find_files(path, "*blazepose*.npz", "one file *blazepose*.npz")
    try:
        clips = load_npz(path)
    except BadSample as bad:
        raise ValueError(f"{path}: {bad}") from bad
    names = [name for name in clips if CLIP.fullmatch(name)]
    read_one = partial(_read_array, clips=clips, file=path)
    return SkeletonDataset(
        name="utd_mhad_blazepose",
        skeleton=skeleton,
        class_names=CLASS_NAMES["utd_mhad"],
        splits=splits_by(names, _split),
        sequences=read_samples(names, read_one, report, lambda name: (name, str(path))),
        total=len(names),
        notes=("poses of the depth video, every third frame",),
    )


def _name(view: tuple[Path, float]) -> str:
    file, yaw = view
    return view_name(file.stem.removesuffix("_skeleton"), yaw)


def _read_view(view: tuple[Path, float], camera: Mapping, joints, every: int) -> SkeletonSequence:
    file, yaw = view
    points = load_mat(file, ("d_skel",))["d_skel"]
    if points.ndim != 3 or points.shape[:2] != (20, 3):
        raise BadSample("wrong_shape", f"shape {points.shape}, expected [20, 3, T]", "d_skel")
    points = points.transpose(2, 0, 1)[None, ::every, joints]
    keypoint, score = project_scored(points, None, turned_camera(camera, yaw))
    label = _label(file.stem)
    return SkeletonSequence(_name(view), keypoint, score, camera["image_size"], label, str(file))


def _read_array(name: str, clips: dict, file: Path) -> SkeletonSequence:
    array = clips[name]
    if array.ndim != 3 or array.shape[2] != 3:
        raise BadSample("wrong_shape", f"shape {array.shape}, expected [T, 33, 3]", name)
    keypoint, score = array[None, ..., :2], array[None, ..., 2]
    return SkeletonSequence(name, keypoint, score, VIDEO_SIZE, _label(name), str(file))


def _label(name: str) -> int:
    return int(CLIP.match(name)["action"]) - 1


def _split(name: str) -> str:
    return "train" if int(CLIP.match(name)["subject"]) % 2 else "test"
