"""What the baselines are trained and tested on: the clips and splits of configs/ and of studies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from configs import sbu
from experiments.studies import cross_annotation, cross_data_set
from experiments.studies.presets import config_of
from posec3d_jax.data.conversion import convert
from posec3d_jax.data.readers import read_dataset
from posec3d_jax.data.records import SkeletonSequence, ValidationReport
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.skeletons.skeleton import get_skeleton

DATA_SETS = ("penn_action", "utd_mhad_kinect", "utd_mhad_blazepose", "nw_ucla", "utkinect")
NETWORK = "c3d_light"  # whose configs say what the clips are; nothing of it is used


@dataclass(frozen=True)
class Problem:
    """Train on one config's training split, test on another's test split; once a fold."""

    name: str
    folds: tuple[tuple[Any, Any], ...]  # (config trained on, config tested on)

    @property
    def formats(self) -> set[str]:
        """The data sets that it needs."""
        return {config.data.format for fold in self.folds for config in fold}


@dataclass(frozen=True)
class Clips:
    """The checked clips of a config, in the joints that its networks see."""

    sequences: Mapping[str, SkeletonSequence]
    splits: Mapping[str, tuple[str, ...]]
    labels: Mapping[int, int]  # from the data set's classes to the config's; others are left out

    def of(self, split: str) -> tuple[list[SkeletonSequence], np.ndarray]:
        """The clips of a split ('train', or 'train+test'), and their int labels [N]."""
        names = dict.fromkeys(n for part in split.split("+") for n in self.splits[part])
        clips = [self.sequences[name] for name in names if name in self.sequences]
        clips = [clip for clip in clips if clip.label in self.labels]
        return clips, np.array([self.labels[clip.label] for clip in clips], np.int64)


def all_problems() -> list[Problem]:
    """Every data set by itself, SBU's five folds, and the transfers that studies measure."""
    alone = [Problem(name, (_twice(_as_recorded(name)),)) for name in DATA_SETS]
    folds = tuple(_twice(sbu.get_config(f"joint-fold{fold}")) for fold in range(1, 6))
    return [*alone, Problem("sbu", folds), *_transfers_of_poses(), *_transfers_of_data_sets()]


def _twice(config) -> tuple[Any, Any]:
    return config, config


def _as_recorded(name: str) -> Any:
    config = config_of(name, NETWORK)
    config.data.reader_options = {}  # NW-UCLA's config also trains on turned skeletons
    return config


def _transfers_of_poses() -> Iterable[Problem]:
    """UTD-MHAD's clips as two estimators saw them, in the 12 joints that both have."""
    names = cross_annotation.SOURCES["small"][:2]
    configs = {name: cross_annotation.config_for("small", name, NETWORK) for name in names}
    for source in names:
        for target in names:
            yield Problem(f"{source} to {target}, 12 joints", ((configs[source], configs[target]),))


def _transfers_of_data_sets() -> Iterable[Problem]:
    """Two data sets, whole, on the classes that they share."""
    pair = cross_data_set.PAIRS["small"]
    for number in (0, 1):
        source, target = (
            cross_data_set.with_shared_classes(
                cross_data_set.config_for("small", side, NETWORK), "small", side
            )
            for side in (number, 1 - number)
        )
        target.data.test_split = target.data.train_split  # which joins both splits
        yield Problem(f"{pair.names[number]} to {pair.names[1 - number]}", ((source, target),))


def read_clips(config, source: str) -> Clips:
    """Reads, checks and converts the clips as `posec3d prepare` does, but stores nothing.

    Raises:
      ValueError: a clip cannot be used, other than one that the data set is known to lack.
    """
    data, report = config.data, ValidationReport()
    skeleton = get_skeleton(data.skeleton)
    options = dict(data.reader_options)
    dataset = read_dataset(
        data.format,
        source,
        skeleton=skeleton,
        camera=data.camera,
        report=report,
        options=options,
    )
    checked = check_dataset(
        dataset,
        num_classes=len(dataset.class_names),
        max_persons=data.max_persons,
        report=report,
    )
    target = get_skeleton(data.remap_to) if data.remap_to else skeleton
    clips = {clip.name: clip for clip in convert(checked, skeleton, target, "float32", report)}
    if bad := [error for error in report.errors if error.kind != "no_segment"]:
        raise ValueError(f"{source}: {len(bad)} clips cannot be used; the first: {bad[0]}")
    return Clips(clips, dataset.splits, _labels(data.classes, dataset.class_names))


def key_of(config) -> str:
    """Configs with the same key have the same clips."""
    data = config.data
    parts = (data.format, data.remap_to, data.camera, data.reader_options, data.classes)
    return repr([part.to_dict() if hasattr(part, "to_dict") else part for part in parts])


def _labels(classes, names: tuple[str, ...]) -> dict[int, int]:
    """From the data set's label to the config's, which may join classes and leave some out."""
    joined = [members for _, members in classes] or [(name,) for name in names]
    return {names.index(name): i for i, members in enumerate(joined) for name in members}
