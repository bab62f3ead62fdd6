"""NTU RGB+D 60 and 120 as published: a folder of .skeleton files, or NTU60_CS.npz and its like.

Source: Shahroudy et al., "NTU RGB+D" (CVPR 2016), and Liu et al., "NTU RGB+D 120" (TPAMI 2019).
A file SsssCcccPpppRrrrAaaa.skeleton (setup, camera, performer, repetition, action) has 25 joints of
every tracked body and frame: metres, and the pixels of the colour image. Two bodies at most are
chosen as the published pre-processing does, see `ntu_bodies.py`; frames without anybody are left
out. The splits follow from the names: xsub (by performer), xview (by camera), xset (by setup), each
with _train and _val. Options:

* `coordinates` is 'color' (2-D pixels of the 1920 x 1080 image) or '3d' (projected with
  config.data.camera).
* `missing` is a text file of names to leave out, one a line: the data set's authors publish those
  of clips whose skeletons are missing or incomplete.

An .npz holds x_train, x_test [N, T, 2 * 25 * 3] (metres, zeros behind the end) and y_train, y_test
[N, K] (one 1 each); its splits are train and test, and its clips are called train_000000.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from posec3d_jax.data.projection import describe
from posec3d_jax.data.readers import ntu_arrays
from posec3d_jax.data.readers.files import read_samples, require_layout
from posec3d_jax.data.readers.ntu_bodies import choose_bodies, parse_bodies
from posec3d_jax.data.readers.views import project_scored
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.files.places import expand
from posec3d_jax.files.text import load_text
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.skeletons.skeleton import Skeleton

COLOR_SIZE = (1080, 1920)  # height, width
COORDINATES = ("color", "3d")
_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
# Performers who are trained on; those up to 40 are NTU60's.
TRAIN_SUBJECTS = frozenset(
    (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38, 45, 46, 47, 49, 50)
    + (52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94)
    + (95, 97, 98, 100, 103)
)
TRAIN_CAMERAS = frozenset((2, 3))


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    coordinates: str = "color",
    missing: str = "",
) -> SkeletonDataset:
    """Read a folder of .skeleton files, one of them, or an .npz; the options are explained above.

    Raises:
      FileNotFoundError: no .skeleton file below the folder, or no list of missing ones.
      ValueError: another layout than ntu_25, an unknown option's value, an .npz of another form.
    """
    require_layout(skeleton, "ntu_25", "NTU RGB+D")
    if coordinates not in COORDINATES:
        raise ValueError(f"coordinates {coordinates!r} is not one of {COORDINATES}")
    if path.suffix == ".npz":
        return ntu_arrays.read(path, skeleton, camera)
    files = [path] if path.is_file() else sorted(path.rglob("*.skeleton"))
    if not files:
        raise FileNotFoundError(f"{path}: expected .skeleton files in it or below it")
    left_out = _missing(missing)
    files = [file for file in files if file.stem not in left_out]
    known = [file.stem for file in files if _NAME.fullmatch(file.stem)]
    actions = [int(_NAME.fullmatch(name)[5]) for name in known]
    notes = (f"{len(left_out)} names of {missing} left out",) if missing else ()
    notes += (describe(camera),) if coordinates == "3d" else ("pixels of the colour image",)
    return SkeletonDataset(
        name="ntu_rgbd",
        skeleton=skeleton,
        class_names=CLASS_NAMES["ntu120" if max(actions, default=0) > 60 else "ntu60"],
        splits=splits_of(known),
        sequences=_with_bodies(files, camera, coordinates, report),
        total=len(files),
        notes=notes,
    )


def splits_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """xsub, xview and xset of clips called as the data set calls them."""
    rules: dict[str, Callable[[tuple[int, ...]], bool]] = {
        "xsub": lambda facts: facts[2] in TRAIN_SUBJECTS,
        "xview": lambda facts: facts[1] in TRAIN_CAMERAS,
        "xset": lambda facts: facts[0] % 2 == 0,
    }
    splits: dict[str, list[str]] = {f"{r}_{part}": [] for r in rules for part in ("train", "val")}
    for name in names:
        facts = tuple(map(int, _NAME.fullmatch(name).groups()))
        for rule, trains in rules.items():
            splits[f"{rule}_{'train' if trains(facts) else 'val'}"].append(name)
    return {split: tuple(clips) for split, clips in splits.items()}


def _missing(file: str) -> set[str]:
    """The names in a list of missing skeletons; what is no name, such as its heading, is not."""
    if not file:
        return set()
    path = expand(file)
    if not path.is_file():
        raise FileNotFoundError(f"config.data.reader_options.missing is {file!r}: no such file")
    return {match[0] for match in _NAME.finditer(load_text(path))}


def _with_bodies(
    files: list[Path], camera: Mapping, coordinates: str, report: ValidationReport
) -> Iterable[SkeletonSequence]:
    return read_samples(files, partial(read_clip, camera=camera, coordinates=coordinates), report)


def read_clip(
    file: Path, camera: Mapping, coordinates: str = "color", label: int | None = None
) -> SkeletonSequence:
    """The clip in a .skeleton file; `label` stands for that of a file with another name.

    Raises:
      BadSample: the file is damaged, has nobody in it, or a name without an action.
    """
    found = _NAME.fullmatch(file.stem)
    if found is None and label is None:
        message = "the name should be SsssCcccPpppRrrrAaaa: it says which action it is"
        raise BadSample("bad_name", message, "name")
    label = int(found[5]) - 1 if found else label
    bodies = choose_bodies(parse_bodies(file))
    if coordinates == "3d":
        keypoint, score = project_scored(bodies[..., :3], None, camera)
        return SkeletonSequence(file.stem, keypoint, score, camera["image_size"], label, str(file))
    keypoint = bodies[..., 3:].astype(np.float32)
    there = bodies[..., :3].any(axis=-1)
    return SkeletonSequence(
        file.stem, keypoint, there.astype(np.float32), COLOR_SIZE, label, str(file)
    )
