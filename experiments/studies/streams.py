"""Joints, limbs and both fused; and the graph networks' four streams, alone and fused.

  python -m experiments.studies.streams --preset=small \
      --source=utd_mhad_kinect=<Skeleton> --source=utd_mhad_blazepose=<...stride3.npz>
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.studies import command, cross_annotation
from experiments.studies.cross_annotation import PASSES
from experiments.studies.presets import SMALL, config_of
from experiments.studies.report import Study
from experiments.studies.runs import Job, scores_of
from experiments.studies.tables import Table
from posec3d_jax.config import base, networks
from posec3d_jax.fuse import fuse

NETWORKS = {"small": ("c3d_light", "stgcnpp"), "paper": ("slowonly", "stgcnpp")}
# Weighted sums of streams, with the weights of the publications.
FUSIONS: dict[str, dict[str, float]] = {
    "joint + limb": {"joint": 1, "limb": 1},
    "joint + bone": {"joint": 1, "bone": 1},
    "all four": {"joint": 2, "bone": 2, "joint_motion": 1, "bone_motion": 1},
}
# NTU60 cross-subject, 10 clips (PYSKL's README).
PUBLISHED = [
    {"network": network, "stream": stream, "top1": accuracy}
    for network, stream, accuracy in (
        ("Pose-SlowOnly", "joint", 0.937),
        ("Pose-SlowOnly", "limb", 0.934),
        ("Pose-SlowOnly", "joint + limb", 0.941),
        ("ST-GCN++", "joint", 0.893),
        ("ST-GCN++", "all four", 0.932),
    )
]
DIFFERS = {
    "small": (
        "UTD-MHAD's BlazePose skeletons (27 classes, 12 joints) instead of NTU60",
        f"{SMALL}, instead of Pose-SlowOnly and the full ST-GCN++; {PASSES} passes; one test clip "
        "instead of ten",
    ),
    "paper": (),
}


def streams_of(network: str) -> tuple[str, ...]:
    """The streams that a network can have."""
    return networks.GRAPH_STREAMS if network in networks.GRAPH_NETWORKS else ("joint", "limb")


def config_for(preset: str, network: str, stream: str, seed: int) -> Any:
    """The training on one stream; that on joints is also cross-annotation's."""
    if preset == "paper":
        config = config_of("ntu60_xsub", network, stream)
        config.name, config.seed = f"ntu60_xsub-{stream}-{network}", seed
        return config
    config = cross_annotation.config_for(preset, "utd_mhad_blazepose", network, seed)
    (base.set_graph_stream if config.encoder == "graph" else base.set_stream)(config, stream)
    config.name = f"utd_mhad_blazepose-{stream}-{network}"
    return config


def data(preset: str) -> list[Any]:
    """The one data set."""
    return [config_for(preset, NETWORKS[preset][0], "joint", 0)]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Every stream of every network."""
    return [
        _job(preset, network, stream, seed)
        for seed in seeds
        for network in NETWORKS[preset]
        for stream in streams_of(network)
    ]


def _job(preset: str, network: str, stream: str, seed: int) -> Job:
    config = config_for(preset, network, stream, seed)
    test = cross_annotation.own_test(preset, "utd_mhad_blazepose", config)
    return Job(config, {"network": network, "stream": stream, "seed": seed}, [test])


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """The streams alone and added up, which are rows of `fused`."""
    table = Table(
        "Streams alone and fused",
        "top1",
        columns="stream",
        published=PUBLISHED,
    )
    return Study(
        name="streams",
        question="What do further streams add to the joints?",
        preset=preset,
        rows=rows,
        tables=[table],
        differs=DIFFERS[preset],
    )


def fused(rows: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """A row for every fusion of which a network has all the streams."""
    found = {(row["network"], row["seed"], row["stream"]): row for row in rows}
    sums = []
    for network, seed in dict.fromkeys((row["network"], row["seed"]) for row in rows):
        for name, weights in FUSIONS.items():
            parts = [found.get((network, seed, stream)) for stream in weights]
            if all(parts):
                result = fuse([scores_of(part, folder) for part in parts], list(weights.values()))
                facts = {"network": network, "stream": name, "seed": seed}
                sums.append({**facts, "protocol": parts[0]["protocol"], **result["fused"]})
    return sums


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report, derive=fused))
