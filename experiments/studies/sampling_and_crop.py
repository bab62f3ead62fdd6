"""Uniform sampling against frames a fixed stride apart, and with and without the centred crop.

  python -m experiments.studies.sampling_and_crop --preset=small \
      --source=utd_mhad_kinect=<Skeleton> --source=utd_mhad_blazepose=<...stride3.npz>
"""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.studies import command, cross_annotation
from experiments.studies.cross_annotation import PASSES
from experiments.studies.presets import SMALL_VOLUMES, config_of
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol

NETWORKS = {"small": ("c3d_light",), "paper": ("slowonly",)}
TEN_CLIPS = Protocol(clips=10, flip=False)
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "uniform": {},
    "stride 2": {"sampling": {"method": "stride", "stride": 2}},
    "stride 3": {"sampling": {"method": "stride", "stride": 3}},
    "stride 4": {"sampling": {"method": "stride", "stride": 4}},
    "uniform, no crop": {"geometry": {"compact": False}},
}
# NTU60 cross-subject (arXiv 2104.13586; figures from the first author's CVPR 2022 slides).
PUBLISHED = [
    {"network": "PoseConv3D, 32 frames", "input": name, "protocol": clips, "top1": accuracy}
    for name, clips, accuracy in (
        ("uniform", "1 clip", 0.928),
        ("uniform", "10 clips", 0.932),
        ("stride 2", "10 clips", 0.919),
        ("stride 3", "10 clips", 0.923),
        ("stride 4", "10 clips", 0.922),
        ("uniform, no crop", "10 clips", 0.922),
    )
]
DIFFERS = {
    "small": (
        "UTD-MHAD's Kinect skeletons on the depth video (27 classes, 12 joints) instead of NTU60",
        f"{SMALL_VOLUMES} instead of Pose-SlowOnly on 32 x 56 x 56; {PASSES} passes over the clips",
        "test clips are not mirrored as well",
        "how many test clips the published stride and crop figures have is not said; ten is likely",
    ),
    "paper": ("test clips are not mirrored as well",),
}


def config_for(preset: str, network: str, seed: int, variant: str) -> Any:
    """The training with that variant's input."""
    if preset == "paper":
        config = config_of("ntu60_xsub", network)
        config.sampling.num_frames = 32
        config.name, config.seed = f"ntu60_xsub-32-frames-joint-{network}", seed
    else:
        config = cross_annotation.config_for(preset, "utd_mhad_kinect", network, seed)
        config.data.reader_options = {}  # every frame
        config.data.dir = config.data.dir.replace(cross_annotation.EVERY_THIRD, "")
        config.name = f"utd_mhad_kinect_every_frame-joint-{network}"
    changes: Mapping[str, Mapping[str, Any]] = VARIANTS[variant]
    for part, values in changes.items():
        config[part].update(values)
    config.name += f"-{variant}".replace(",", "").replace(" ", "-") * bool(changes)
    return config


def data(preset: str) -> list[Any]:
    """The one data set."""
    return [config_for(preset, NETWORKS[preset][0], 0, "uniform")]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Every variant, tested on one and on ten clips."""
    return [
        _job(config_for(preset, network, seed, variant), network, variant)
        for seed in seeds
        for network in NETWORKS[preset]
        for variant in VARIANTS
    ]


def _job(config, network: str, variant: str) -> Job:
    split = config.data.test_split
    tests = [Test(split, config, protocol=protocol) for protocol in (ONE_CLIP, TEN_CLIPS)]
    return Job(config, {"network": network, "input": variant, "seed": config.seed}, tests)


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """One table: each input by each protocol."""
    table = Table(
        "Which frames, and cropped or not",
        value="top1",
        columns="protocol",
        lines=("network", "input"),
        published=PUBLISHED,
    )
    return Study(
        name="sampling_and_crop",
        question="What do uniform sampling and the subject-centred crop add?",
        preset=preset,
        rows=rows,
        tables=[table],
        differs=DIFFERS[preset],
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report))
