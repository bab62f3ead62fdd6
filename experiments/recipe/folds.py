"""Inner folds: clips of a data set's training split, divided by person or by camera.

What a recipe is chosen by must not be what it is reported on. So the training split alone is
divided once more: `inner_train` and `inner_test` hold other persons (or another camera) each, as
the data set's own splits do, and the test split is left out of the copy.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.data.stored.clips import read_clips, write_clips
from posec3d_jax.data.stored.info import INFO_FILE
from posec3d_jax.data.stored.sources import PACK_FOLDER
from posec3d_jax.files import disk

TRAIN, TEST = "inner_train", "inner_test"


@dataclass(frozen=True)
class Fold:
    """Training clips whose name matches `held_out` are tested; the rest trains."""

    held_out: str  # regular expression
    what: str
    turned: bool = True  # whether clips turned by `extra_yaws` train


_SUBJECTS = {
    "": Fold(r"_s7_", "subjects 1, 3 and 5 train, subject 7 is tested"),
    "@s5": Fold(r"_s5_", "subjects 1, 3 and 7 train, subject 5 is tested"),
    "@s3": Fold(r"_s3_", "subjects 1, 5 and 7 train, subject 3 is tested"),
    "@s1": Fold(r"_s1_", "subjects 3, 5 and 7 train, subject 1 is tested"),
}
FOLDS = {  # by the config's name, and where there are several, what tells them apart
    **{f"utd_mhad_kinect{fold}": _SUBJECTS[fold] for fold in _SUBJECTS},
    **{f"utd_mhad_blazepose{fold}": _SUBJECTS[fold] for fold in _SUBJECTS},
    "nw_ucla": Fold(r"_v0?2", "view 1 trains, view 2 is tested, as recorded"),
    "nw_ucla@recorded": Fold(r"_v0?2", "the same, trained as recorded too", turned=False),
    "penn_action": Fold(r"[02468]$", "training clips with odd numbers train, with even are tested"),
    "utkinect": Fold(r"s05", "subjects 1 to 4 train, subject 5 is tested"),
}


def folder_of(data: Path, name: str) -> Path:
    """The inner fold `name` of FOLDS, divided now unless it was; `data` has prepared data sets."""
    folder = data / f"inner_{name}"
    if not folder.exists():
        divide(data / name.partition("@")[0], folder, FOLDS[name])
    return folder


def divide(prepared: Path, folder: Path, fold: Fold) -> None:
    """A copy in `folder` of the data set in `prepared`, with the inner splits only.

    Clips turned by `extra_yaws` are trained on and never tested, as in the data set's own splits.
    The stored arrays are shared by a link.

    Raises:
      ValueError: the fold leaves nothing to train on or nothing to test.
    """
    table, splits = read_clips(prepared)
    clips = splits["train"]
    held = np.array([bool(re.search(fold.held_out, table.names[i])) for i in clips])
    turned = np.array(["@yaw" in table.names[i] for i in clips])
    inner = {TRAIN: clips[~held & (fold.turned | ~turned)], TEST: clips[held & ~turned]}
    if not all(map(len, inner.values())):
        raise ValueError(f"{prepared}: {fold.held_out!r} does not divide the training split")
    folder.mkdir(parents=True, exist_ok=True)
    write_clips(folder, table, inner)
    disk.write_json(folder / INFO_FILE, disk.read_json(prepared / INFO_FILE))
    link = folder / PACK_FOLDER
    if not link.exists():
        link.symlink_to((prepared / PACK_FOLDER).resolve(), target_is_directory=True)
