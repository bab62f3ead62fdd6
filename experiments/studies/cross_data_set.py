"""Trained on one data set, tested on another, on the classes that both have.

  python -m experiments.studies.cross_data_set --preset=small \
      --source=utkinect=<joints> --source=nw_ucla=<all_sqe>

The small preset has UTKinect and NW-UCLA, whose joints are the same. Any other pair is an entry of
PAIRS: joints that differ are reduced to those that both layouts name. few_labels.py goes on from
here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.studies import command
from experiments.studies.presets import SMALL, config_of, convert_joints, make_small, skeleton_of
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table
from posec3d_jax.skeletons.skeleton import common_layout
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol, protocols


@dataclass(frozen=True)
class Pair:
    """Two data sets (files of configs/), and the class names of each that mean the same."""

    names: tuple[str, str]
    classes: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    passes: tuple[int, int]  # over all clips of each; (0, 0) for its config's own


PAIRS = {
    "small": Pair(
        ("utkinect", "nw_ucla"),
        (
            ("walk", ("walk",), ("walk around",)),
            ("sit down", ("sitDown",), ("sit down",)),
            ("stand up", ("standUp",), ("stand up",)),
            ("pick up", ("pickUp",), ("pick up with one hand", "pick up with two hands")),
            ("carry", ("carry",), ("carry",)),
            ("throw", ("throw",), ("throw",)),
        ),
        passes=(60, 7),
    ),
    "paper": Pair(
        ("ntu60_xsub", "utd_mhad_blazepose"),
        (
            ("throw", ("throw",), ("throw",)),
            ("pick up", ("pick up",), ("pick up and throw",)),
            ("sit down", ("sit down",), ("stand to sit",)),
            ("stand up", ("stand up",), ("sit to stand",)),
            ("clap", ("clapping",), ("clap",)),
            ("wave", ("hand waving",), ("wave",)),
        ),
        passes=(0, 0),
    ),
}
NETWORKS = {"small": ("c3d_light", "stgcnpp"), "paper": ("slowonly", "msg3d")}
DIFFERS = {
    "small": (
        "the paper has no study across data sets; this one is ours",
        "3-D skeletons of two Kinects are seen by a virtual camera in front (orthographic), so "
        "that networks get 2-D poses; NW-UCLA's two ways to pick something up are one class",
        f"{SMALL}; one test clip",
    ),
    "paper": ("the paper has no study across data sets; this one is ours, at its sizes",),
}


def config_for(preset: str, number: int, network: str, seed: int = 0) -> Any:
    """A training on the shared classes of the pair's data set `number`, all splits of it."""
    pair = PAIRS[preset]
    config = config_of(pair.names[number], network)
    layouts = [skeleton_of(config_of(name, network)) for name in pair.names]
    if layouts[0].joints != layouts[1].joints:
        convert_joints(config, common_layout(*layouts))
    if pair.passes[number]:
        make_small(config, pair.passes[number])
    if config.data.reader_options:  # NW-UCLA's turned views: the study has clips as recorded
        config.data.reader_options = {}
        config.data.dir += "_as_recorded"
    config.data.train_split = f"{config.data.train_split}+{config.data.test_split}"
    config.data.val_split = ""
    config.name, config.seed = f"{pair.names[number]}-shared-classes-{network}", seed
    return config


def with_shared_classes(config, preset: str, number: int) -> Any:
    """The same with the pair's classes instead of the data set's own."""
    classes = PAIRS[preset].classes
    config.data.classes = tuple((name, both[number]) for name, *both in classes)
    config.data.num_classes = len(classes)
    return config


def data(preset: str) -> list[Any]:
    """One config a data set, with its own classes, as it is to be prepared."""
    return [config_for(preset, number, NETWORKS[preset][0]) for number in (0, 1)]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Both directions, every network."""
    return [
        job_from(preset, number, network, seed)
        for seed in seeds
        for network in NETWORKS[preset]
        for number in (0, 1)
    ]


def job_from(preset: str, number: int, network: str, seed: int) -> Job:
    """Trained on all of data set `number`, tested on all of the other, and on its test split."""
    names, other = PAIRS[preset].names, 1 - number
    facts = {"network": network, "direction": f"{names[number]} to {names[other]}", "seed": seed}
    source = with_shared_classes(config_for(preset, number, network, seed), preset, number)
    target = target_of(preset, number, network, seed)
    everything = _tested(target, target.data.train_split)
    protocol = protocol_of(preset, target)
    tests = [
        Test("everything", everything, {"tested on": "all clips"}, protocol),
        Test("unseen", target, {"tested on": "test split"}, protocol),
    ]
    return Job(source, facts, tests)


def target_of(preset: str, number: int, network: str, seed: int) -> Any:
    """A training on the shared classes of the data set that `number` is not."""
    other = 1 - number
    return with_shared_classes(config_for(preset, other, network, seed), preset, other)


def protocol_of(preset: str, config) -> Protocol:
    """How the preset tests."""
    return ONE_CLIP if preset == "small" else protocols(config)[1]


def _tested(config, split: str) -> Any:
    config = config.copy_and_resolve_references()
    config.data.test_split = split
    return config


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """Both directions, on all clips of the other data set and on its test split."""
    tables = [
        Table(
            f"Trained on one data set, tested on another: {tested}",
            value="top1",
            columns="direction",
            where={"tested on": tested},
        )
        for tested in ("all clips", "test split")
    ]
    return Study(
        name="cross_data_set",
        question="What is recognised on a data set that a network was not trained on?",
        preset=preset,
        rows=rows,
        tables=tables,
        differs=DIFFERS[preset],
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report))
