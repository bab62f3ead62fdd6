"""The directory format: for skeletons of one's own, without any pickle.

    my_data/
        splits.json           {"train": ["clip_a", "day2/clip_b"], "test": ["clip_c"]}
        classes.json          ["wave", "jump"]      (optional: class names, in order of label)
        clip_a.npz            one file a clip, .npz or .json; subfolders are part of the name
        day2/clip_b.json

A clip has the keys (the same in both kinds of file; arrays are nested lists in JSON)

| key | |
|---|---|
| `keypoint` | [M, T, V, 2] pixels (x, y); a joint that was not found is (0, 0) |
| `score` | [M, T, V], 0 to 1; optional, scores are then 1 where a joint is not (0, 0) |
| `frame_size` | [height, width] in pixels |
| `label` | integer, 0-based |

3-D skeletons are `keypoint` [M, T, V, 3] (metres; x right, y up, z away from the camera) without
`frame_size`; they are projected with the camera of the config. The reader's option `third_channel`
('depth' or 'score') says what three channels are where that is not plain. Write a clip with

    np.savez_compressed("clip_a.npz", keypoint=keypoint, score=score, frame_size=(h, w), label=3)
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from posec3d_jax.data import axes
from posec3d_jax.data.axes import THIRD_CHANNELS
from posec3d_jax.data.projection import describe
from posec3d_jax.data.readers.files import read_samples
from posec3d_jax.data.readers.views import project_scored
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample, load_json, load_npz, number_array
from posec3d_jax.skeletons.skeleton import Skeleton

SPLITS, CLASSES = "splits.json", "classes.json"


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    third_channel: str = "",
) -> SkeletonDataset:
    """Read a folder in the format above.

    Raises FileNotFoundError without clips or without splits.json, ValueError where that or
    classes.json is not as above. A clip that cannot be used is left out, with an error in `report`.
    """
    if third_channel not in THIRD_CHANNELS:
        raise ValueError(f"third_channel {third_channel!r} is not one of {THIRD_CHANNELS}")
    files = sorted(file for kind in ("npz", "json") for file in path.rglob(f"*.{kind}"))
    files = [f for f in files if f.is_file() and f not in (path / SPLITS, path / CLASSES)]
    if not files or not (path / SPLITS).is_file():
        what = f"{SPLITS}, which lists the clips of each split" if files else ".npz or .json clips"
        raise FileNotFoundError(f"{path}: expected {what} (docs/own_data.md has the format)")
    class_names = load_classes(path / CLASSES)
    name_of = partial(_name, folder=path)
    return SkeletonDataset(
        name=path.name,
        skeleton=skeleton,
        class_names=class_names,
        splits=load_splits(path / SPLITS),
        sequences=read_samples(
            files,
            partial(read_clip, folder=path, camera=camera, third_channel=third_channel),
            report,
            lambda file: (name_of(file), str(file)),
        ),
        total=len(files),
        notes=(f"clips with 3-D keypoints, if any, are {describe(camera)}",),
        splits_file=str(path / SPLITS),
    )


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _load(file: Path):
    """A JSON file without which nothing can be read."""
    try:
        return load_json(file)
    except BadSample as bad:
        raise ValueError(f"{file}: {bad}") from bad


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def load_splits(file: Path) -> dict[str, tuple[str, ...]]:
    """The clips of each split; ValueError where the file is not as above."""
    splits = _load(file)
    if not isinstance(splits, dict) or not all(map(_is_names, splits.values())):
        expected = '{"train": ["clip_a", ...], "test": [...]}'
        raise ValueError(f"{file}: expected a list of clip names for each split: {expected}")
    return {split: tuple(names) for split, names in splits.items()}


def load_classes(file: Path) -> tuple[str, ...]:
    """The class names, () without the file; ValueError where it is not as above."""
    if not file.is_file():
        return ()
    names = _load(file)
    if not _is_names(names):
        raise ValueError(f'{file}: expected a list of class names: ["wave", "jump", ...]')
    return tuple(names)


def read_clip(
    file: Path, folder: Path, camera: Mapping, third_channel: str = "", label: int | None = None
) -> SkeletonSequence:
    """The clip in a file; `label` stands for one that it lacks.

    Raises:
      BadSample: a key is missing, or what it holds cannot be used.
    """
    contents = load_npz(file) if file.suffix == ".npz" else load_json(file)
    if isinstance(contents, dict) and label is not None:
        contents = {"label": label, **contents}
    for key in ("keypoint", "label"):
        if not isinstance(contents, dict) or key not in contents:
            raise BadSample("missing_key", f"the file has no {key!r}", key)
    keypoint = number_array(contents["keypoint"], "keypoint")
    score = contents.get("score")
    score = None if score is None else number_array(score, "score")
    frame_size = contents.get("frame_size")
    if keypoint.ndim == 4 and keypoint.shape[3] == 3:
        flat = ["frame_size"] if frame_size is not None else []
        if axes.third_channel(keypoint, third_channel, flat) == "score":
            keypoint, score = keypoint[..., :2], keypoint[..., 2]
        else:
            keypoint, score = project_scored(keypoint, score, camera, "score")
            frame_size = camera["image_size"]
    if frame_size is None:
        raise BadSample("missing_key", "pixels need the frame's (height, width)", "frame_size")
    label = contents["label"]
    label = label.item() if isinstance(label, np.ndarray) and label.ndim == 0 else label
    return SkeletonSequence(_name(file, folder), keypoint, score, frame_size, label, str(file))
