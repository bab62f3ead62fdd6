"""From checked sequences to stored ones: their joints and dtype, and splits as clip numbers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from posec3d_jax.data.records import SkeletonSequence, ValidationReport
from posec3d_jax.skeletons.skeleton import Skeleton, apply_remap, remap


def convert(
    sequences: Iterable[SkeletonSequence],
    source: Skeleton,
    target: Skeleton,
    dtype: str,
    findings: ValidationReport,
) -> Iterator[SkeletonSequence]:
    """The sequences with the joints of `target`, by name; those it lacks are missing.

    A clip with a coordinate that `dtype` cannot hold is left out, with an error in `findings`.
    """
    index = None if source.joints == target.joints else remap(source, target)
    for sequence in sequences:
        largest = np.abs(sequence.keypoint).max()
        if largest > np.finfo(dtype).max:
            findings.add(
                "too_large_for_dtype",
                sequence.name,
                f"a coordinate of {largest:g} does not fit {dtype}; set config.data.keypoint_dtype "
                "to 'float32', or correct the data",
                sequence.file,
                "keypoint",
            )
        elif index is None:
            yield sequence
        else:
            keypoint, score = apply_remap(sequence.keypoint, sequence.score, index)
            yield replace(sequence, keypoint=keypoint, score=score)


def until_error(
    sequences: Iterable[SkeletonSequence], findings: ValidationReport
) -> Iterator[SkeletonSequence]:
    """Pass sequences on up to the first error; from there on they are only checked."""
    looked, failed = 0, False
    for sequence in sequences:
        new = findings.findings[looked:]
        looked += len(new)
        failed = failed or any(finding.severity == "error" for finding in new)
        if not failed:
            yield sequence


def number_splits(
    splits: Mapping[str, Iterable[str]], names: list[str], findings: ValidationReport
) -> dict[str, np.ndarray]:
    """Each split as int32 clip numbers in the order of the data, every clip once.

    Names that are not stored are left out: they have been reported already.
    """
    number = {name: i for i, name in enumerate(names)}
    numbered = {}
    for split, members in splits.items():
        members = list(members)
        if repeated := len(members) - len(set(members)):
            message = f"{repeated} entries name a clip again; each clip counts once"
            findings.add("named_twice_in_split", "", message, key=split, severity="warning")
        numbered[split] = np.array(sorted({number[m] for m in members if m in number}), np.int32)
    return numbered
