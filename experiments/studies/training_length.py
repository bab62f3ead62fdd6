"""How accuracy grows with passes over the clips: which network is ahead once each has learnt.

  python -m experiments.studies.training_length --preset=small \
      --source=utd_mhad_kinect=<Skeleton> --source=utd_mhad_blazepose=<...stride3.npz>

The other studies' small trainings are short. Here the same are given several times the passes, each
length being a training of its own with its own cosine; the paper's preset goes the other way, with
parts of its recipes.
"""

from collections.abc import Sequence
from typing import Any

from experiments.studies import command, cross_annotation
from experiments.studies.cross_annotation import NETWORKS, PASSES
from experiments.studies.presets import SMALL, config_of
from experiments.studies.report import Study, Table
from experiments.studies.runs import Job

SOURCES = {"small": ("utd_mhad_kinect", "utd_mhad_blazepose"), "paper": ("ntu60_xsub",)}
LENGTHS = {"small": (1, 4), "paper": (1 / 4, 1 / 2, 1)}  # times the preset's usual training
NOTES = {
    "small": f"Top-1, 1 clip; {PASSES} passes are what the other studies have. A plain RBF-SVM on "
    "the same 12 joints and clips: Kinect 77.4, BlazePose 65.3.",
    "paper": "",
}
DIFFERS = {
    "small": (
        "the paper does not compare lengths; its trainings on NTU60 are 240 passes of 40,091 clips",
        "UTD-MHAD (27 classes, 12 joints, 431 training and 430 test clips of other people); "
        f"{SMALL}; one test clip",
    ),
    "paper": ("the paper does not compare lengths",),
}


def config_for(preset: str, source: str, network: str, length: float, seed: int = 0) -> Any:
    """A training of `length` times the usual one, which is also other studies'."""
    if preset == "paper":
        config = config_of(source, network)
        config.name, config.seed = f"{source}-joint-{network}", seed
    else:
        config = cross_annotation.config_for(preset, source, network, seed)
    if length != 1:
        config.train.epochs = round(length * config.train.epochs)
        config.name += f"-{passes_of(config)}-passes"
    return config


def passes_of(config) -> int:
    """How often it sees every clip."""
    return config.data.repeat * config.train.epochs


def data(preset: str) -> list[Any]:
    """One config a source."""
    return [config_for(preset, source, NETWORKS[preset][0], 1) for source in SOURCES[preset]]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Every network on every source, for every length."""
    return [
        _job(preset, source, network, length, seed)
        for seed in seeds
        for source in SOURCES[preset]
        for length in LENGTHS[preset]
        for network in NETWORKS[preset]
    ]


def _job(preset: str, source: str, network: str, length: float, seed: int) -> Job:
    config = config_for(preset, source, network, length, seed)
    test = cross_annotation.own_test(preset, source, config)
    facts = {"network": network, "data": source, "passes": passes_of(config), "seed": seed}
    return Job(config, facts, [test])


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """One table: each network on each source, by passes."""
    table = Table(
        "Accuracy by passes over the clips",
        "top1",
        columns="passes",
        lines=("network", "data"),
        note=NOTES[preset],
    )
    return Study(
        name="training_length",
        question="How much of a difference between networks is the length of their training?",
        preset=preset,
        rows=rows,
        tables=[table],
        differs=DIFFERS[preset],
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report))
