"""Trained on the poses of one source, tested on another's: the same clips, two pose estimators.

  python -m experiments.studies.cross_annotation --preset=small \
      --source=utd_mhad_kinect=<Skeleton> --source=utd_mhad_blazepose=<...stride3.npz>

The small preset has UTD-MHAD as the Kinect saw it, projected on to the depth video, and as
BlazePose found it in that video, both reduced to the 12 joints they share. The Kinect's scores are
all 1, BlazePose's say how visible a joint is: of a wrist often 0.3. So BlazePose comes twice, as it
is and with positions alone. The paper's preset has FineGYM by HRNet and by MobileNet.
"""

from collections.abc import Sequence
from typing import Any

from experiments.studies import command
from experiments.studies.presets import (
    KINECT_CAMERA,
    config_of,
    convert_joints,
    make_small,
    skeleton_of,
)
from experiments.studies.report import Study, Table
from experiments.studies.runs import Job, Test
from posec3d_jax.evaluate import ONE_CLIP, protocols
from posec3d_jax.skeletons import common_layout

NETWORKS = {"small": ("c3d_light", "stgcnpp"), "paper": ("slowonly", "msg3d")}
POSITIONS = "_positions"  # of a source's name: without its scores
SOURCES = {
    "small": ("utd_mhad_kinect", "utd_mhad_blazepose", "utd_mhad_blazepose_positions"),
    "paper": ("hrnet", "mobilenet"),
}
PASSES = 45  # over the 431 training clips; about five minutes of one core
# FineGYM, mean class accuracy (arXiv 2104.13586; figures from the first author's CVPR 2022 slides).
PUBLISHED = [
    {"network": network, "trained on": trained, "tested on": tested, "mean_class": accuracy}
    for network, trained, tested, accuracy in (
        ("GCN", "mobilenet", "mobilenet", 0.890),
        ("GCN", "mobilenet", "hrnet", 0.879),
        ("GCN", "hrnet", "mobilenet", 0.793),
        ("GCN", "hrnet", "hrnet", 0.920),
        ("PoseConv3D", "mobilenet", "mobilenet", 0.907),
        ("PoseConv3D", "mobilenet", "hrnet", 0.916),
        ("PoseConv3D", "hrnet", "mobilenet", 0.865),
        ("PoseConv3D", "hrnet", "hrnet", 0.932),
    )
]

NOTES = {
    "small": "Top-1, 1 clip. A plain RBF-SVM on the same 12 joints and clips: Kinect to Kinect "
    "77.4, BlazePose to BlazePose 65.3, Kinect to BlazePose 51.6, BlazePose to Kinect 55.8.",
    "paper": "Mean class accuracy.",
}
DIFFERS = {
    "small": (
        "UTD-MHAD (27 classes, 431 training and 430 test clips of other people) instead of FineGYM",
        "a depth camera's skeletons and BlazePose in the depth video (every third frame), instead "
        "of two estimators of one kind in colour video",
        "C3D-light of half the width on 16 x 24 x 24 volumes and ST-GCN++ of a quarter of the "
        "width on 32 frames, instead of Pose-SlowOnly and MS-G3D; 45 passes over the clips",
        "one test clip instead of ten",
    ),
    "paper": ("the MobileNet poses are not published: extract them, and put both in data/gym_*",),
}


def config_for(preset: str, source: str, network: str, seed: int = 0) -> Any:
    """The training of one network on one source."""
    if preset == "paper":
        config = config_of("gym", network)
        config.data.dir = f"data/gym_{source}"
    else:
        data_sets = [name.removesuffix(POSITIONS) for name in SOURCES[preset]]
        config = config_of(source.removesuffix(POSITIONS), network)
        make_small(config, PASSES)
        if source == "utd_mhad_kinect":
            config.data.camera.update(KINECT_CAMERA)
        if source.endswith(POSITIONS):
            leave_out_scores(config)
        layouts = [skeleton_of(config_of(name, network)) for name in data_sets[:2]]
        convert_joints(config, common_layout(*layouts))
    config.name, config.seed = f"{source}-joint-{network}", seed
    return config


def leave_out_scores(config) -> None:
    """Shows networks where joints are, however sure the estimator was of them."""
    config.volume.use_score, config.volume.drop_missing = False, True
    config.graph.use_score = False


def data(preset: str) -> list[Any]:
    """One config a source."""
    return [config_for(preset, source, NETWORKS[preset][0]) for source in SOURCES[preset]]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Every network on every source, tested on all of them."""
    return [
        _job(preset, network, source, seed)
        for seed in seeds
        for network in NETWORKS[preset]
        for source in SOURCES[preset]
    ]


def _job(preset: str, network: str, source: str, seed: int) -> Job:
    config = config_for(preset, source, network, seed)
    protocol = ONE_CLIP if preset == "small" else protocols(config)[1]
    others = [(other, config_for(preset, other, network, seed)) for other in SOURCES[preset]]
    tests = [Test(other, seen, {"tested on": other}, protocol) for other, seen in others]
    return Job(config, {"network": network, "trained on": source, "seed": seed}, tests)


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """The 2 x 2 table of each network."""
    table = Table(
        "Accuracy on the poses of another source",
        value="top1" if preset == "small" else "mean_class",
        columns="tested on",
        lines=("network", "trained on"),
        published=PUBLISHED,
        note=NOTES[preset],
    )
    return Study(
        name="cross_annotation",
        question="Does a network trained on one pose estimator's output work on another's?",
        preset=preset,
        rows=rows,
        tables=[table],
        differs=DIFFERS[preset],
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report))
