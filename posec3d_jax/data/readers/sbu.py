"""SBU Kinect Interaction (clean version): 282 clips of 8 interactions of two persons.

Source: Yun et al., "Two-person interaction detection using body-pose features" (CVPRW 2012). Files
`<pair>/<class>/<take>/skeleton_pos.txt`, comma-separated: frame number, then 15 joints of the first
person and 15 of the second, (x, y, z) each. x and y are shares of the image's width and height (y
points down), so they are scaled to `frame_size`, by default the Kinect's colour image; z is
dropped, and the camera of the config is not used.

The five published folds (by pair of actors) are the splits `fold1_train`, `fold1_test`, ... Clips
are named pair_class_take.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from posec3d_jax.data.readers.files import read_samples, require_layout
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample, load_table
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.skeletons.skeleton import Skeleton

CLASSES = CLASS_NAMES["sbu"]
TEST_PAIRS = (
    ("s01s02", "s03s04", "s05s02", "s06s04"),
    ("s02s03", "s02s07", "s03s05", "s05s03"),
    ("s01s03", "s01s07", "s07s01", "s07s03"),
    ("s02s01", "s02s06", "s03s02", "s03s06"),
    ("s04s02", "s04s03", "s04s06", "s06s02", "s06s03"),
)


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    frame_size: tuple[int, int] = (480, 640),
) -> SkeletonDataset:
    """Read every `skeleton_pos.txt` below `path`; `frame_size` is (height, width) in pixels.

    Raises FileNotFoundError without such files, ValueError for another layout than sbu_15. A file
    that cannot be read, or lies in no folder of a known pair and class, is left out, with an error
    in `report`.
    """
    require_layout(skeleton, "sbu_15", "SBU")
    files = sorted(path.rglob("*/*/*/skeleton_pos.txt"))
    if not files:
        raise FileNotFoundError(f"{path}: expected <pair>/<class>/<take>/skeleton_pos.txt below it")
    names = [_name(file) for file in files]
    height, width = frame_size
    return SkeletonDataset(
        name="sbu",
        skeleton=skeleton,
        class_names=CLASSES,
        splits=_folds(names),
        sequences=read_samples(
            files,
            partial(_read_file, frame_size=(height, width)),
            report,
            lambda file: (_name(file), str(file)),
        ),
        total=len(files),
        notes=(f"x and y scaled to {height} x {width} pixels (height x width), z dropped",),
    )


def _name(file: Path) -> str:
    return "_".join(file.parts[-4:-1])


def _folds(names: list[str]) -> dict[str, tuple[str, ...]]:
    splits = {}
    for fold, pairs in enumerate(TEST_PAIRS, 1):
        splits[f"fold{fold}_train"] = tuple(n for n in names if n.split("_")[0] not in pairs)
        splits[f"fold{fold}_test"] = tuple(n for n in names if n.split("_")[0] in pairs)
    return splits


def _read_file(file: Path, frame_size: tuple[int, int]) -> SkeletonSequence:
    pair, action = file.parts[-4:-2]
    if pair not in sum(TEST_PAIRS, ()):
        raise BadSample("unknown_split", f"pair {pair!r} is in none of the published folds")
    if not action.isdigit() or not 1 <= int(action) <= len(CLASSES):
        raise BadSample("unknown_class", f"folder {action!r}, expected 01 to 08")
    rows = load_table(file, 91, ",")
    points = rows[:, 1:].reshape(-1, 2, 15, 3).transpose(1, 0, 2, 3)
    keypoint = points[..., :2] * frame_size[::-1]
    score = np.any(points != 0, axis=-1).astype(np.float32)
    return SkeletonSequence(_name(file), keypoint, score, frame_size, int(action) - 1, str(file))
