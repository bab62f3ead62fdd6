"""Checks what a reader yields: refuses what is wrong, mends what is harmless, counts both.

`check_dataset` is what preparing a data set runs; `check_sequence` is its step for one clip.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from posec3d_jax.data.axes import misplaced_axes
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import brief
from posec3d_jax.skeletons.skeleton import SKELETONS, Skeleton

NORMALISED_EXTENT = 2.0  # coordinates no larger than this cannot be pixels of a real frame
LONGEST_NAME = 1000  # characters; names are stored side by side at the width of the longest
LARGEST_SIDE = 1 << 24  # pixels; beyond, float32 does not hold every integer
PLAUSIBLE_SCORE = (-0.5, 2.0)  # heatmap peaks of pose estimators overshoot [0, 1] a little


def check_dataset(
    dataset: SkeletonDataset, *, num_classes: int, max_persons: int, report: ValidationReport
) -> Iterator[SkeletonSequence]:
    """The good sequences of `dataset`, in its order; everything else is in `report` afterwards.

    Besides what `check_sequence` finds: a clip name that occurs twice (error, the later one is
    left out), and, once the last sequence was read, a split that names a clip the data set does
    not have (error `split_unknown_clip`), a split without clips, and clips in no split (warnings).
    """
    limits = dict(
        skeleton=dataset.skeleton,
        num_classes=num_classes,
        max_persons=max_persons,
        keys=dataset.keys,
    )
    seen: set[str] = set()
    for sequence in dataset.sequences:
        if sequence.name in seen:
            message = "this clip name occurs twice; only the first is kept, names must be unique"
            report.add("duplicate_name", sequence.name, message, sequence.file, "name")
            continue
        seen.add(sequence.name)
        checked = check_sequence(sequence, **limits, report=report)
        if checked is not None:
            yield checked
    refused = {finding.sample for finding in report.errors}
    _check_splits(dataset, seen, refused, report)


def check_sequence(
    sequence: SkeletonSequence,
    *,
    skeleton: Skeleton,
    num_classes: int,
    max_persons: int,
    report: ValidationReport,
    keys: Mapping[str, str] = MappingProxyType({}),
) -> SkeletonSequence | None:
    """A sequence that keeps every promise of `SkeletonSequence`, or None where it is refused.

    Refused, with an error in `report`: arrays that are not real numbers, axes in another order,
    shapes other than [M, T, V, 2] and [M, T, V], V not the layout's, no frames, a frame size that
    is not two positive integers (height, width), a label that is not an integer in
    0..num_classes-1, a name that is too long or cannot be printed.
    Kept, with a warning: NaN or infinite joints (become missing: zeros with score 0), no scores
    (1 where a joint is not exact zeros), no person (becomes one missing person), all joints
    missing, a single frame, more than `max_persons` persons (those with the highest total score
    over the whole clip stay, in their order), implausible coordinates or scores (unchanged).
    `keys` says what the file calls our fields, for messages, where it calls them otherwise.
    """
    problem = next(_refusals(sequence, skeleton, num_classes), None)
    if problem is not None:
        kind, key, message = problem
        report.add(kind, sequence.name, message, sequence.file, keys.get(key, key))
        return None
    warn = partial(_warn, report, sequence, keys)
    keypoint, score = _mend_values(sequence, skeleton, warn)
    keypoint, score = _mend_persons(keypoint, score, max_persons, warn)
    if keypoint.shape[1] == 1:
        warn("one_frame", "keypoint", "the clip has a single frame; it is repeated to fill T")
    frame_size = tuple(int(side) for side in sequence.frame_size)
    _check_plausible(keypoint, score, frame_size, warn)
    label = int(sequence.label)
    return replace(sequence, keypoint=keypoint, score=score, frame_size=frame_size, label=label)


def _warn(
    report: ValidationReport,
    sequence: SkeletonSequence,
    keys: Mapping[str, str],
    kind: str,
    key: str,
    message: str,
) -> None:
    report.add(kind, sequence.name, message, sequence.file, keys.get(key, key), severity="warning")


def _refusals(
    sequence: SkeletonSequence, skeleton: Skeleton, num_classes: int
) -> Iterator[tuple[str, str, str]]:
    """What makes the sequence unusable, as (kind, key, message), the most basic first."""
    keypoint, score = sequence.keypoint, sequence.score
    if not 0 < len(sequence.name) <= LONGEST_NAME or not sequence.name.isprintable():
        message = f"{brief(sequence.name)} is not 1 to {LONGEST_NAME} printable characters"
        yield "bad_name", "name", message
    for key, array in (("keypoint", keypoint), ("score", score)):
        if array is not None or key == "keypoint":
            if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
                got = f"dtype {array.dtype}" if isinstance(array, np.ndarray) else type(array)
                yield "wrong_type", key, f"expected an array of real numbers, found {got}"
    if fault := misplaced_axes(keypoint, skeleton.num_joints):
        yield "wrong_axes", "keypoint", fault
    if keypoint.ndim != 4 or keypoint.shape[3] != 2:
        expected = f"[persons, frames, {skeleton.num_joints}, 2]"
        yield "wrong_shape", "keypoint", f"shape {keypoint.shape}, expected {expected}"
    if keypoint.shape[2] != skeleton.num_joints:
        yield "wrong_layout", "keypoint", layout_message(keypoint.shape[2], skeleton)
    if score is not None and score.shape != keypoint.shape[:3]:
        message = f"shape {score.shape} does not fit keypoint: expected {keypoint.shape[:3]}"
        yield "wrong_shape", "score", message
    if keypoint.shape[1] == 0:
        yield "no_frames", "keypoint", "the clip has no frames; remove it from the annotations"
    if not _is_frame_size(sequence.frame_size):
        message = (
            f"{brief(sequence.frame_size)} is not (height, width) in pixels, two positive integers"
        )
        yield "wrong_frame_size", "frame_size", message
    if not _is_integer(sequence.label) or not 0 <= sequence.label < num_classes:
        message = (
            f"{brief(sequence.label)} is not an integer in 0..{num_classes - 1}; "
            "labels count from 0, and config.data.num_classes says how many there are"
        )
        yield "label_out_of_range", "label", message


def layout_message(found: int, skeleton: Skeleton) -> str:
    """Why `found` joints do not fit `skeleton`, and how to name or declare a layout that does."""
    fitting = [name for name, layout in SKELETONS.items() if layout.num_joints == found]
    known = f"built-in layouts with {found} joints: {', '.join(fitting) or 'none'}"
    return (
        f"{found} joints a person, but the configured layout {skeleton.name!r} has "
        f"{skeleton.num_joints}; set config.data.skeleton to the data's layout ({known}), or "
        "declare one there: {'joints': [names], 'limbs': [[a, b], ...], 'pairs': [[left, right], "
        "...]}"
    )


def _is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_frame_size(value: object) -> bool:
    if not isinstance(value, tuple | list | np.ndarray):
        return False
    if (isinstance(value, np.ndarray) and value.ndim != 1) or len(value) != 2:
        return False
    return all(_is_integer(side) and 0 < side <= LARGEST_SIDE for side in value)


def _mend_values(sequence: SkeletonSequence, skeleton: Skeleton, warn) -> tuple:
    """Float32 copies without NaN or infinity, and with scores."""
    with np.errstate(over="ignore"):  # what overflows float32 is caught below as infinite
        keypoint = sequence.keypoint.astype(np.float32)
        if sequence.score is not None:
            score = sequence.score.astype(np.float32)
        else:
            score = np.any(keypoint != 0, axis=-1).astype(np.float32)
            warn("no_scores", "score", "no scores: 1 for every joint that is not exact zeros")
    bad = ~np.isfinite(keypoint).all(axis=-1) | ~np.isfinite(score)
    if bad.any():
        person, frame, joint = np.argwhere(bad)[0]
        warn(
            "not_finite",
            "keypoint",
            f"{bad.sum()} of {bad.size} joints are NaN or infinite and count as missing (first: "
            f"person {person}, frame {frame}, joint {skeleton.joints[joint]!r})",
        )
        keypoint[bad], score[bad] = 0, 0
    return keypoint, score


def _mend_persons(keypoint: np.ndarray, score: np.ndarray, max_persons: int, warn) -> tuple:
    """At least one person and at most `max_persons`, chosen as whole tracks by total score."""
    persons = keypoint.shape[0]
    if persons == 0:
        warn("no_person", "keypoint", "nobody in this clip; it becomes one missing person")
        shape = (1, *keypoint.shape[1:])
        return np.zeros(shape, np.float32), np.zeros(shape[:3], np.float32)
    if not np.any(keypoint.any(axis=-1) & (score > 0)):
        warn("all_missing", "keypoint", "every joint of every frame is missing or has score 0")
    if persons > max_persons:
        message = f"{persons} persons, kept the {max_persons} with the highest total score"
        warn("too_many_persons", "keypoint", f"{message} (config.data.max_persons)")
        best = np.argsort(-score.sum(axis=(1, 2)), kind="stable")[:max_persons]
        keep = np.sort(best)
        keypoint, score = keypoint[keep], score[keep]
    return keypoint, score


def _check_plausible(
    keypoint: np.ndarray, score: np.ndarray, frame_size: tuple[int, int], warn
) -> None:
    """Warn about coordinates that can hardly be pixels of this frame, and about odd scores."""
    low, high = PLAUSIBLE_SCORE
    if score.min() < low or score.max() > high:
        found = f"scores span {score.min():.3g} to {score.max():.3g}"
        warn("odd_scores", "score", f"{found}; expected about 0 to 1: they scale the gaussians")
    points = keypoint[keypoint.any(axis=-1)]
    if not len(points):
        return
    size = np.float32(frame_size[::-1])  # (width, height), as (x, y)
    if np.abs(points).max() <= NORMALISED_EXTENT and size.min() > 4 * NORMALISED_EXTENT:
        message = (
            f"coordinates span {points.min():.3g} to {points.max():.3g} in a frame of "
            f"{frame_size[0]} x {frame_size[1]}: they look normalised, pixels are expected"
        )
        warn("looks_normalised", "keypoint", message)
        return
    outside = np.any((points < 0) | (points > size), axis=-1).mean()
    if outside > 0.5:
        message = (
            f"{outside:.0%} of the joints lie outside the frame of {frame_size[0]} x "
            f"{frame_size[1]} (height x width); are the two swapped, or the coordinates no pixels?"
        )
        warn("outside_frame", "keypoint", message)


def _check_splits(
    dataset: SkeletonDataset, seen: set[str], refused: set[str], report: ValidationReport
) -> None:
    """Compare the splits with the clips that were read; `refused` ones are already reported."""
    splits, file = dataset.splits, dataset.splits_file
    for split, names in splits.items():
        if not names:
            report.add("empty_split", "", "no clips in it", file, split, severity="warning")
        for name in names:
            if name not in seen and name not in refused:
                message = "the split names a clip that is not in the data; correct the name there"
                report.add("split_unknown_clip", name, message, file, split)
    named = {name for names in splits.values() for name in names}
    for name in sorted(seen - named):
        message = "this clip is in no split, so nothing will ever use it"
        report.add("clip_in_no_split", name, message, file, "split", severity="warning")
