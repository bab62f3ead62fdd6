"""PYSKL's and mmaction2's annotation pickles, in all their forms.

The file is a dict `{'split': {name: [clip, ...]}, 'annotations': [sample, ...]}`, or the bare list
of samples, or a single one (which become one split called `all`). A sample is a dict:

| key | |
|---|---|
| `frame_dir` | str, names the clip (`filename` instead where the first sample has that key) |
| `label` | int, 0-based |
| `total_frames` | int, T; optional, must agree with the arrays |
| `img_shape` | (height, width) of the frames, pixels |
| `keypoint` | [M, T, V, 2] pixels (x, y), float16 in published files; exact zeros are missing |
| `keypoint_score` | [M, T, V]; optional, scores are then 1 where a joint is not missing |

A `keypoint` with three channels and neither score nor `img_shape` is a 3-D skeleton (metres, y up)
and is projected. With three channels and one of the two it might as well be (x, y, score), and so
it might where the numbers look like pixels with a score: the option `third_channel` ('depth' or
'score') has to say which.

Kinetics' compressed packs have `frame_inds` [N] (and `box_score` [N], `valid`) in place of
`keypoint`. The rows [N, V, 3] are in the sample's own `keypoint` (as PYSKL's script for videos of
one's own leaves them), or in `<skeleton_dir>/<frame_dir>.pkl` (mmaction2), or in the
file `raw_file`, `{frame_dir: {'keypoint': ...}}` (PYSKL), which is looked for as it stands, then
beside the annotation file, then in `skeleton_dir`, there also by its last name alone. Options of
packs, named as in the references:

* `valid_ratio` > 0 keeps only clips in which `valid[box_thr] / total_frames` reaches it, and uses
  only rows whose `box_score` reaches `box_thr`. At 0, which the published configs have, `box_thr`
  has no effect at all.
* `squeeze` leaves out frames without anybody; `max_person` cuts the persons of a frame.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from posec3d_jax.data.axes import THIRD_CHANNELS
from posec3d_jax.data.projection import describe
from posec3d_jax.data.readers.files import read_samples
from posec3d_jax.data.readers.pyskl_samples import (
    NAME,
    SampleOptions,
    is_packed,
    key_list,
    load_packs,
    need,
    read_sample,
    whole,
)
from posec3d_jax.data.records import SkeletonDataset, ValidationReport
from posec3d_jax.data.validation import layout_message
from posec3d_jax.files.array_pickle import load_pickle
from posec3d_jax.files.arrays import BadSample, brief
from posec3d_jax.skeletons.skeleton import Skeleton

Splits = dict[str, tuple[str, ...]]
NamedSamples = list[tuple[str, dict]]


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    third_channel: str = "",
    skeleton_dir: str = "",
    box_thr: float = 0.5,
    valid_ratio: float = 0.0,
    squeeze: bool = True,
    max_person: int = 10,
    unlabelled: bool = False,
) -> SkeletonDataset:
    """Read an annotation pickle. The options are explained above.

    `unlabelled` is for clips to recognise: one without a label is of class 0.

    Raises ValueError where the file as a whole cannot be used: a refused or truncated pickle,
    neither of the two forms, or no sample with as many joints as `skeleton`. A sample that cannot
    be used is left out, with an error in `report`.
    """
    path = Path(path)
    if third_channel not in THIRD_CHANNELS:
        raise ValueError(f"third_channel {third_channel!r} is not one of {THIRD_CHANNELS}")
    options = SampleOptions(
        file=path,
        camera=camera,
        third_channel=third_channel,
        skeleton_dir=skeleton_dir,
        box_thr=box_thr,
        valid_ratio=valid_ratio,
        squeeze=squeeze,
        max_person=max_person,
        load_packs=lru_cache(maxsize=1)(load_packs),
        unlabelled=unlabelled,
    )
    annotations, splits = _load(path)
    samples = _named(annotations, path, report)
    _check_layout(samples, skeleton, path)
    if splits is None:
        splits = {"all": tuple(name for name, _ in samples)}
    if valid_ratio > 0:
        samples, splits = _drop_invalid(samples, splits, options, report)
    # A file of packs is large and holds many clips: they are read together, the file once.
    samples.sort(key=lambda item: brief(item[1].get("raw_file", "")))
    read_one = partial(read_sample, options=options)
    return SkeletonDataset(
        name=path.stem,
        skeleton=skeleton,
        class_names=(),
        splits=splits,
        sequences=read_samples(samples, read_one, report, lambda item: (item[0], str(path))),
        total=len(samples),
        notes=_notes(samples, options),
        splits_file=str(path),
        keys={"score": "keypoint_score", "frame_size": "img_shape"},
    )


def _load(file: Path) -> tuple[list, Splits | None]:
    """Annotations and splits (None for a bare list)."""
    if file.is_dir():
        found = ", ".join(sorted(p.name for p in file.glob("*.pkl"))) or "without .pkl files"
        raise ValueError(f"{file} is a folder ({found}); config.data.source should be the pickle")
    annotations, splits = load_pickle(file), None
    if isinstance(annotations, dict) and "keypoint" in annotations:  # a single sample
        return [{"frame_dir": file.stem, **annotations}], None
    if isinstance(annotations, dict):
        if "annotations" not in annotations:
            keys = key_list(annotations)
            expected = "expected 'annotations' and 'split'"
            raise ValueError(f"{file}: a dict with the keys {keys}; {expected}")
        annotations, splits = annotations["annotations"], annotations.get("split")
    if not isinstance(annotations, list | tuple) or not annotations:
        found = "nothing" if isinstance(annotations, list | tuple) else type(annotations).__name__
        raise ValueError(f"{file}: expected a list of annotations (dicts), found {found}")
    if splits is None:
        return list(annotations), None
    if not isinstance(splits, dict) or not all(map(_is_list, splits.values())):
        raise ValueError(f"{file}: 'split' should be a dict from a split's name to a list of clips")
    return list(annotations), {str(k): tuple(map(str, names)) for k, names in splits.items()}


def _is_list(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and value.dtype.kind in "iuU"
    is_list = isinstance(value, list | tuple | set | frozenset)
    return is_list and all(isinstance(name, NAME) for name in value)


def _named(annotations: list, file: Path, report: ValidationReport) -> NamedSamples:
    """(clip name, sample) of every annotation that is a dict and has a name."""
    first = annotations[0]
    key = "filename" if isinstance(first, dict) and "filename" in first else "frame_dir"
    named = []
    for i, sample in enumerate(annotations):
        if not isinstance(sample, dict):
            message = f"expected a dict, found {type(sample).__name__}"
            report.add("wrong_type", f"annotation {i}", message, str(file), "annotations")
        elif key not in sample:
            message = f"no {key!r}, which names the clip; the sample has {key_list(sample)}"
            report.add("missing_key", f"annotation {i}", message, str(file), key)
        elif not isinstance(sample[key], NAME):
            message = f"{brief(sample[key])} is no name"
            report.add("wrong_type", f"annotation {i}", message, str(file), key)
        else:
            present = {k: value for k, value in sample.items() if value is not None}
            named.append((str(sample[key]), present))
    return named


def _check_layout(samples: NamedSamples, skeleton: Skeleton, file: Path) -> None:
    """One error for the file, not one a sample, where no sample has the layout's joints."""
    joints: Counter[int] = Counter()
    for _, sample in samples:
        shape = getattr(sample.get("keypoint"), "shape", ())
        if len(shape) == 4 or (len(shape) == 3 and "frame_inds" in sample):
            joints[shape[-2]] += 1
    if joints and skeleton.num_joints not in joints:
        found = joints.most_common(1)[0][0]
        raise ValueError(f"{file}, key 'keypoint': {layout_message(found, skeleton)}")


def _drop_invalid(
    samples: NamedSamples, splits: Splits, options: SampleOptions, report: ValidationReport
) -> tuple[NamedSamples, Splits]:
    """Without the clips in which too few frames have a skeleton; each is a warning."""
    kept, dropped = [], set()
    for name, sample in samples:
        try:
            ratio = _valid_ratio(sample, options.box_thr)
        except BadSample as bad:
            report.add(bad.kind, name, str(bad), str(options.file), bad.key)
            continue
        if ratio >= options.valid_ratio:
            kept.append((name, sample))
        else:
            message = f"left out: {ratio:.2f} of its frames are valid, less than valid_ratio"
            report.add("below_valid_ratio", name, message, str(options.file), "valid", "warning")
            dropped.add(name)
    left = {s: tuple(n for n in names if n not in dropped) for s, names in splits.items()}
    return kept, left


def _valid_ratio(sample: dict, box_thr: float) -> float:
    """Share of the frames with a person whose box scores at least `box_thr`."""
    valid, total = need(sample, "valid"), whole(sample, "total_frames")
    if not isinstance(valid, dict) or box_thr not in valid:
        known = key_list(valid) if isinstance(valid, dict) else brief(valid)
        raise BadSample("missing_key", f"no count for box_thr {box_thr}, only {known}", "valid")
    return whole(valid, box_thr) / max(total, 1)


def _notes(samples: NamedSamples, options: SampleOptions) -> tuple[str, ...]:
    """What the sequences will have been through, as far as the samples show beforehand."""
    notes = []
    shapes = [getattr(sample.get("keypoint"), "shape", ()) for _, sample in samples]
    if options.third_channel != "score" and any(len(s) == 4 and s[3] == 3 for s in shapes):
        notes.append(describe(options.camera))
    if any(is_packed(sample) for _, sample in samples):
        kept = f"at most {options.max_person} persons a frame"
        frames = ", frames without anybody left out" if options.squeeze else ""
        notes.append(f"compressed poses unfolded: {kept}{frames}")
    return tuple(notes)
