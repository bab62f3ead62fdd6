"""Whether networks that compute in bfloat16 recognise as well as those in float32.

  python -m experiments.studies.precision --preset=small \
      --source=utd_mhad_kinect=<Skeleton> --source=utd_mhad_blazepose=<...stride3.npz>

Parameters, batch statistics and losses are float32 in both. bfloat16 is what accelerators multiply
fastest, and what the recipes are meant to use there.
"""

from collections.abc import Sequence
from typing import Any

from experiments.studies import command, cross_annotation
from experiments.studies.cross_annotation import PASSES
from experiments.studies.presets import SMALL, config_of
from experiments.studies.report import Study
from experiments.studies.runs import Job
from experiments.studies.tables import Table

NETWORKS = {"small": ("c3d_light", "stgcnpp"), "paper": ("slowonly", "stgcnpp")}
DTYPES = ("float32", "bfloat16")
DIFFERS = {
    "small": (
        "the paper does not compare precisions",
        f"UTD-MHAD's BlazePose skeletons (27 classes, 12 joints); {SMALL}; {PASSES} passes; one "
        "test clip; on a CPU, which computes in float32 and rounds results to bfloat16",
    ),
    "paper": ("the paper does not compare precisions",),
}


def config_for(preset: str, network: str, dtype: str, seed: int) -> Any:
    """The training in that precision; that in float32 is also another study's."""
    if preset == "paper":
        config = config_of("ntu60_xsub", network)
        config.name, config.seed = f"ntu60_xsub-joint-{network}", seed
    else:
        config = cross_annotation.config_for(preset, "utd_mhad_blazepose", network, seed)
    if dtype != "float32":
        config.compute_dtype = dtype
        config.name += f"-{dtype}"
    return config


def data(preset: str) -> list[Any]:
    """The one data set."""
    return [config_for(preset, NETWORKS[preset][0], DTYPES[0], 0)]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Every network in both precisions, tested in the one it was trained in."""
    return [
        _job(preset, network, dtype, seed)
        for seed in seeds
        for network in NETWORKS[preset]
        for dtype in DTYPES
    ]


def _job(preset: str, network: str, dtype: str, seed: int) -> Job:
    config = config_for(preset, network, dtype, seed)
    test = cross_annotation.own_test(preset, "utd_mhad_blazepose", config)
    return Job(config, {"network": network, "precision": dtype, "seed": seed}, [test])


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """One table: each network in both."""
    return Study(
        name="precision",
        question="What does computing in bfloat16 cost?",
        preset=preset,
        rows=rows,
        tables=[Table("Accuracy by precision", "top1", columns="precision")],
        differs=DIFFERS[preset],
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report))
