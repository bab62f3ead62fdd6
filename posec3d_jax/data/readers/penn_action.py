"""Penn Action: 2326 videos of 15 actions, 13 joints by hand, one MATLAB file a video.

Source: Zhang, Zhu, Derpanis, "From Actemes to Action" (ICCV 2013), folder `labels/*.mat`. Splits
are the official `train` flag: `train` (1) and `test` (-1). Classes are in alphabetical order.

About a fifth of the joints are marked invisible: hidden ones the annotators guessed, and ones
outside the image, which mostly sit on its border. `visibility` (0 or 1) is the score, so an
invisible joint is not drawn; it is made missing altogether (exact zeros), because its coordinates
would still widen the crop. `invisible_score` > 0 keeps those inside the image, with that score.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from posec3d_jax.data.readers.files import find_files, read_samples, require_layout
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample, brief, load_mat, number_array, scalar
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.skeletons.skeleton import Skeleton

CLASSES = CLASS_NAMES["penn_action"]
SPLITS = {1: "train", -1: "test"}
KEYS, TEXT = ("action", "train", "x", "y", "visibility", "dimensions"), ("action", "train")


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    invisible_score: float = 0.0,
) -> SkeletonDataset:
    """Read the folder of `.mat` files (or one above it); `camera` is not used, the data is 2-D.

    Raises FileNotFoundError without such files, ValueError for another layout than penn_13. A file
    that is damaged or lacks a key is left out, with an error in `report`.
    """
    require_layout(skeleton, "penn_13", "Penn Action")
    files = find_files(Path(path), "[0-9][0-9][0-9][0-9].mat", "Penn Action's labels/*.mat")
    splits: dict[str, list[str]] = {split: [] for split in SPLITS.values()}
    read_one = partial(_read_file, splits=splits, invisible_score=invisible_score)
    # The split of a clip is inside its file, so all are read at once: 2326 clips, 20 MB.
    sequences = tuple(read_samples(files, read_one, report))
    kept = "missing" if not invisible_score else f"in the image: score {invisible_score}"
    return SkeletonDataset(
        name="penn_action",
        skeleton=skeleton,
        class_names=CLASSES,
        splits={split: tuple(names) for split, names in splits.items()},
        sequences=sequences,
        total=len(files),
        notes=(f"joints marked invisible are {kept}",),
    )


def _read_file(
    file: Path, splits: dict[str, list[str]], invisible_score: float
) -> SkeletonSequence:
    """One clip, whose name is also entered into its split."""
    contents = load_mat(file, KEYS)
    action, flag = str(scalar(contents, "action")), scalar(contents, "train")
    if action not in CLASSES:
        raise BadSample("unknown_class", f"action {action!r}, expected one of {CLASSES}", "action")
    if flag not in SPLITS:
        raise BadSample("unknown_split", f"train flag {flag!r}, expected 1 or -1", "train")
    x, y, visible, size = (number_array(contents[key], key) for key in KEYS if key not in TEXT)
    if not x.shape == y.shape == visible.shape:
        shapes = f"x {x.shape}, y {y.shape}, visibility {visible.shape}"
        raise BadSample("wrong_shape", f"shapes differ: {shapes}", "visibility")
    if size.size != 3 or not np.isfinite(size).all():
        message = f"{brief(size)}, expected height, width, frames"
        raise BadSample("wrong_shape", message, "dimensions")
    height, width, _ = (int(side) for side in size.ravel())
    keypoint = np.stack([x, y], axis=-1).astype(np.float32)
    inside = np.all((keypoint > 1) & (keypoint < (width, height)), axis=-1)
    score = np.where(visible > 0, 1.0, np.where(inside, invisible_score, 0.0)).astype(np.float32)
    keypoint[score == 0] = 0
    splits[SPLITS[flag]].append(file.stem)
    return SkeletonSequence(
        name=file.stem,
        keypoint=keypoint[None],
        score=score[None],
        frame_size=(height, width),
        label=CLASSES.index(action),
        file=str(file),
    )
