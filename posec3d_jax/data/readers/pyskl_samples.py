"""One sample of a PYSKL pickle as a sequence: plain arrays, 3-D, or a compressed pack.

The forms are described in `pyskl.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.data.axes import AXES, third_channel
from posec3d_jax.data.readers.decompress import decompress_pose
from posec3d_jax.data.readers.views import project_scored
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.files.array_pickle import load_pickle
from posec3d_jax.files.arrays import BadSample, brief, check_lists, number_array
from posec3d_jax.files.places import expand

NAME = str | int | np.str_ | np.integer  # what may name a clip or a split
_MOST_WHOLE = 2**53  # any larger number overflows somewhere


@dataclass(frozen=True)
class SampleOptions:
    """What reading a sample takes besides the sample; the options of the `pyskl` reader."""

    file: Path  # of the annotations
    camera: Mapping
    third_channel: str  # '', 'depth' or 'score'
    skeleton_dir: str
    box_thr: float
    valid_ratio: float
    squeeze: bool
    max_person: int
    load_packs: Callable[[Path], object]  # a file of many packs; may remember the last one
    unlabelled: bool = False  # a sample without a label is of class 0


def read_sample(item: tuple[str, dict], options: SampleOptions) -> SkeletonSequence:
    """The sequence of (clip name, sample); `BadSample` says what is wrong with which key."""
    name, sample = item
    if options.unlabelled:
        sample = {"label": 0} | sample
    label = _label(need(sample, "label"))
    if is_packed(sample):
        sample = _unfold(name, sample, options)
    keypoint = number_array(sample["keypoint"], "keypoint")
    score = sample.get("keypoint_score")
    score = None if score is None else number_array(score, "keypoint_score")
    _check_total_frames(sample, keypoint)
    frame_size = sample.get("img_shape")
    if keypoint.ndim == 4 and keypoint.shape[3] == 3:
        flat = [k for k in ("img_shape", "keypoint_score") if sample.get(k) is not None]
        if third_channel(keypoint, options.third_channel, flat) == "score":
            keypoint, score = keypoint[..., :2], keypoint[..., 2]
        else:
            keypoint, score = project_scored(keypoint, score, options.camera, "keypoint_score")
            frame_size = options.camera["image_size"]
    if frame_size is None:
        raise BadSample("missing_key", "pixels need the frame's (height, width)", "img_shape")
    return SkeletonSequence(name, keypoint, score, frame_size, label, str(options.file))


def is_packed(sample: dict) -> bool:
    """Whether the sample has a row a detected person instead of an array of persons and frames.

    The rows are elsewhere, or in the sample itself, as in PYSKL's packs of videos of one's own.
    """
    return "keypoint" not in sample or (
        "frame_inds" in sample and getattr(sample["keypoint"], "ndim", 0) == 3
    )


def key_list(contents: dict) -> str:
    """The keys of a dict, for messages."""
    return ", ".join(brief(key) for key in list(contents)[:20]) or "none"


def need(sample: dict, key: str):
    """`sample[key]`; `BadSample` without it."""
    if key not in sample:
        raise BadSample("missing_key", f"the sample has no {key!r}; it has {key_list(sample)}", key)
    return sample[key]


def whole(sample: dict, key: str) -> int:
    """`sample[key]` as an int; `BadSample` where it is missing, or no number of frames or so."""
    value = need(sample, key)
    if not isinstance(value, int | np.integer) or abs(int(value)) > _MOST_WHOLE:
        raise BadSample("wrong_type", f"{brief(value)} is no whole number", str(key))
    return int(value)


def _label(label):
    """The class as a plain value; the range is checked with the sequence."""
    if isinstance(label, np.ndarray) and label.ndim == 0:
        return label.item()
    if isinstance(label, list | tuple | set | np.ndarray):
        message = f"{brief(label)}: several labels a clip are not supported, expected one integer"
        raise BadSample("multi_label", message, "label")
    return label


def _check_total_frames(sample: dict, keypoint: np.ndarray) -> None:
    if "total_frames" not in sample or keypoint.ndim != 4:
        return
    total, frames = whole(sample, "total_frames"), keypoint.shape[1]
    if total != frames:
        if total == len(keypoint):
            message = (
                f"total_frames is {total}, as the first axis of shape {keypoint.shape} has, which "
                f"should count persons; keypoint.transpose(1, 0, 2, 3) is {AXES}"
            )
            raise BadSample("wrong_axes", message, "keypoint")
        message = f"{total} disagrees with keypoint, which has {frames} frames"
        raise BadSample("wrong_total_frames", message, "total_frames")


def _unfold(name: str, sample: dict, options: SampleOptions) -> dict:
    """A sample whose pack was unfolded into `keypoint` and `keypoint_score`."""
    if "keypoint" not in sample:
        sample = sample | _pack(name, sample, options)
    rows, frames = need(sample, "keypoint"), need(sample, "frame_inds")
    keep = None
    if options.valid_ratio > 0:
        keep = number_array(need(sample, "box_score"), "box_score") >= options.box_thr
    check_lists(frames, "frame_inds")
    if "total_frames" not in sample:
        numbers = number_array(frames, "frame_inds")
        last = int(numbers.max(initial=-1)) if np.isfinite(numbers).all() else -1
        sample = sample | {"total_frames": last + 1}
    try:
        keypoint, score = decompress_pose(
            number_array(rows, "keypoint"),
            np.asarray(frames),
            whole(sample, "total_frames"),
            keep=keep,
            squeeze=options.squeeze,
            max_person=options.max_person,
        )
    except ValueError as error:
        raise BadSample("bad_pack", str(error), "frame_inds") from error
    total = keypoint.shape[1]
    return sample | {"keypoint": keypoint, "keypoint_score": score, "total_frames": total}


def _pack(name: str, sample: dict, options: SampleOptions) -> dict:
    """What the clip's own file, or the file of packs, holds about this clip."""
    clip = sample.get("frame_dir", name)
    if not isinstance(clip, NAME) or not isinstance(sample.get("raw_file", ""), str):
        raise BadSample("wrong_type", "'frame_dir' or 'raw_file' is no text", "frame_dir")
    clip = str(clip)
    own_file = expand(options.skeleton_dir) / f"{clip}.pkl"
    if options.skeleton_dir and _is_file(own_file):
        file, pack = own_file, load_packs(own_file)
    elif "raw_file" in sample:
        file = _find(Path(sample["raw_file"]), options)
        contents = options.load_packs(file)
        pack = contents.get(clip) if isinstance(contents, dict) else None
    elif options.skeleton_dir:
        raise BadSample("missing_pack", f"there is no {own_file}", "keypoint")
    else:
        message = (
            "the sample has no 'keypoint' and no 'raw_file'; if the clips have files of their own, "
            "name their folder in config.data.reader_options.skeleton_dir"
        )
        raise BadSample("missing_key", message, "keypoint")
    if not isinstance(pack, dict):
        raise BadSample("missing_pack", f"{file} holds no dict for this clip", "keypoint")
    return pack


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _find(raw_file: Path, options: SampleOptions) -> Path:
    """`raw_file` as it stands, beside the annotations, or in the folder of the option."""
    folders = [Path(), options.file.parent]
    tried = [folder / raw_file for folder in folders]
    if options.skeleton_dir:
        folder = expand(options.skeleton_dir)
        tried += [folder / raw_file, folder / raw_file.name]
    for file in tried:
        if _is_file(file):
            return file
    places = ", ".join(str(file)[:300] for file in tried)
    message = (
        f"none of {places} exists; name the folder of these files in "
        "config.data.reader_options.skeleton_dir"
    )
    raise BadSample("missing_pack", message, "raw_file")


def load_packs(file: Path):
    """A pickle of packs; `BadSample` where it cannot be read."""
    try:
        return load_pickle(file)
    except ValueError as error:
        raise BadSample("unreadable_file", str(error), "keypoint") from error
