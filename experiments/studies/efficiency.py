"""What every network costs and what it reaches, side by side.

  python -m experiments.studies.efficiency --preset=small --workdir=runs/studies \
      --source=utd_mhad_blazepose=<...stride3.npz> --source=utd_mhad_kinect=<Skeleton>

Parameters, multiply-adds in both countings, a training step, memory and the latency of one clip,
all at the paper's sizes (48 x 56 x 56; 2 persons x 100 frames) and timed in alternating rounds that
are kept. Accuracy over seeds is on a small real data set, the trainings being those of
cross_annotation where there are such; `--networks=c3d_light,stgcnpp` trains only these, and
`--networks=` none.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.studies import command, cost, cross_annotation
from experiments.studies.cross_annotation import PASSES
from experiments.studies.presets import FRAMES, SIZE, config_of
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table
from posec3d_jax.config import networks
from posec3d_jax.steps.protocol import ONE_CLIP

NETWORKS = tuple(networks.ALL_NETWORKS)
FIRST = NETWORKS[0]  # what ratios of times are to
BATCH = {"small": 1, "paper": 32}
ROUNDS = {"small": 5, "paper": 15}
SECONDS = 0.3  # a case is called that long in a round, and at least once
# Figure of a row, what the table calls it.
FIGURES = {
    "parameters": "parameters (M)",
    "multiply_adds": "multiply-adds (G)",
    "multiply_adds_all": "with BatchNorm and graphs (G)",
    "step_ms": "training step (ms)",
    "step_ratio": f"step / {FIRST}",
    "step_mb": "memory of a step (MB)",
    "latency_ms": "one clip to its label (ms)",
    "latency_ratio": f"one clip / {FIRST}",
    "load": "load while timed",
    "top1": "top-1 (%)",
}
PANELS = ("parameters", "multiply_adds", "step_ms", "latency_ms", "top1")
PAPER_MSG3D = "msg3d, 2 persons x 300 frames"  # what the paper compares with
PUBLISHED = [  # arXiv 2104.13586; figures from the first author's CVPR 2022 slides
    {"network": network, "figure": FIGURES[figure], "value": value}
    for network, values in {
        "PoseConv3D": {"parameters": 2.0, "multiply_adds_all": 15.8},
        "MS-G3D, 300 frames": {"parameters": 2.8, "multiply_adds": 16.7},
        "ST-GCN": {"parameters": 3.1, "multiply_adds_all": 3.8},
    }.items()
    for figure, value in values.items()
]
DIFFERS = {
    "small": (
        "times and memory are of this machine's CPU, a batch of one clip",
        "accuracy is top-1 on UTD-MHAD's BlazePose skeletons (12 joints, 27 classes, 430 test "
        f"clips, 1 clip) by networks of a half (volumes: {FRAMES} x {SIZE} x {SIZE}) and a quarter "
        f"(graphs: {FRAMES} frames) of the width, {PASSES} passes; the paper's is on NTU60",
    ),
    "paper": ("the graph networks see 100 frames as in PYSKL's recipe; the paper's MS-G3D 300",),
}


def full_config(network: str) -> Any:
    """The published recipe on NTU60: 2 persons."""
    return config_of("ntu60_xsub", network)


def long_config() -> Any:
    """MS-G3D as the paper counts it."""
    config = full_config("msg3d")
    config.sampling.num_frames = 300
    return config


def training_config(preset: str, network: str, seed: int = 0) -> Any:
    """What accuracy is measured with; the small one is also cross-annotation's."""
    if preset == "small":
        return cross_annotation.config_for(preset, "utd_mhad_blazepose", network, seed)
    config = full_config(network)
    config.name, config.seed = f"ntu60_xsub-joint-{network}", seed
    return config


def measure(preset: str, folder: Path) -> list[dict[str, Any]]:
    """What was counted and timed of every network."""
    folder = folder / "efficiency"
    configs = {network: full_config(network) for network in NETWORKS}
    makers = {}
    for network, config in configs.items():
        makers[f"{network} step"] = partial(cost.training_step, config, BATCH[preset])
        makers[f"{network} latency"] = partial(cost.latency, config)
    settings = {network: cost.setting_of(config) for network, config in configs.items()}
    setting = {"batch": BATCH[preset], "configs": settings}
    times = cost.measure(makers, setting, folder, ROUNDS[preset], SECONDS)
    rows = [_figures(network, configs[network], times, folder) for network in NETWORKS]
    long = cost.counts_once(long_config(), folder / "counts" / "msg3d-300.json")
    return _long_form([*rows, {"network": PAPER_MSG3D} | long])


def _figures(network: str, config, times: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """One network's row, wide."""
    row = {"network": network} | cost.counts_once(config, folder / "counts" / f"{network}.json")
    for case in ("step", "latency"):
        row[f"{case}_ms"] = 1e3 * cost.median_of(times, f"{network} {case}")
        row[f"{case}_ratio"] = cost.ratio_of(times, f"{network} {case}", f"{FIRST} {case}")
    memory = times[0]["memory"][f"{network} step"] / 1e6
    return row | {"step_mb": memory, "load": cost.load_of(times)}


def _long_form(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for every figure, so that one table holds them all."""
    return [
        {"network": row["network"], "figure": name, "value": row[figure]}
        for row in rows
        for figure, name in FIGURES.items()
        if figure in row
    ]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Every network, every seed."""
    return [_job(preset, network, seed) for seed in seeds for network in NETWORKS]


def _job(preset: str, network: str, seed: int) -> Job:
    config = training_config(preset, network, seed)
    return Job(config, {"network": network, "seed": seed}, [Test("test", config, {}, ONE_CLIP)])


def data(preset: str) -> list[Any]:
    """The one data set."""
    return [training_config(preset, FIRST)]


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """One table of everything, and a panel for each of the figures that matter."""
    accuracy = [
        row | {"figure": FIGURES["top1"], "value": 100 * row["top1"]}
        for row in rows
        if "top1" in row
    ]
    rows = [row for row in rows if "top1" not in row] + accuracy
    whole = Table(
        "Cost and accuracy",
        "value",
        columns="figure",
        unit="",
        published=PUBLISHED,
        in_picture=False,
    )
    panels = [
        Table(name, "value", columns="figure", unit="", where={"figure": name}, on_page=False)
        for name in (FIGURES[figure] for figure in PANELS)
    ]
    return Study(
        name="efficiency",
        question="What does each network cost at the paper's size, and what does it reach?",
        preset=preset,
        rows=rows,
        tables=[whole, *panels],
        differs=DIFFERS[preset],
        facts={"batch": BATCH[preset], "rounds": ROUNDS[preset]},
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report, measure))
