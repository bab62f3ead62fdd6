"""Trained on the poses of one source, tested on another's: the same clips, two pose estimators.

  python -m experiments.studies.cross_annotation --preset=small \
      --source=utd_mhad_kinect=<Skeleton> --source=utd_mhad_blazepose=<...stride3.npz>

The small preset has UTD-MHAD as the Kinect saw it, projected on to the depth video, and as
BlazePose found it in that video, both reduced to the 12 joints they share and to every third frame.
The Kinect's scores are all 1, BlazePose's say how visible a joint is (of a wrist often 0.3), so
BlazePose comes twice: as it is, and with positions alone. The paper's preset has FineGYM by HRNet
and by MobileNet. Networks are also trained with noise (posec3d_jax/encoders/noise.py), which
stands for the errors of a pose source that is not at hand in training: from the start, or in a
second training after one on clean poses.
"""

from collections.abc import Sequence
from typing import Any

from experiments.studies import command
from experiments.studies.presets import (
    KINECT_CAMERA,
    SMALL,
    config_of,
    convert_joints,
    make_small,
    skeleton_of,
)
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table
from posec3d_jax.skeletons.skeleton import common_layout
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol, protocols

NETWORKS = {"small": ("c3d_light", "stgcnpp"), "paper": ("slowonly", "msg3d")}
POSITIONS = "_positions"  # of a source's name: without its scores
SOURCES = {
    "small": ("utd_mhad_kinect", "utd_mhad_blazepose", "utd_mhad_blazepose_positions"),
    "paper": ("mobilenet", "hrnet"),
}
# About half of the difference between the two sources, whose joints are 0.195 torso lengths apart
# (7 % of a person's height), and whose scores are 1 in one and down to 0.2 in the other. Trainings
# with all of the difference take more passes than the small preset has.
NOISE = {"drop": 0.25, "jitter": 0.02, "offset": 0.03, "score": 0.3}
EVERY_THIRD = "_every_3"  # frame; of the folder's name
CLEAN, NOISY, LATER = "clean poses", "noise", "clean poses, then noise"
TRAINED_ON = {  # number of the source in SOURCES, and its poses
    "small": ((0, CLEAN), (1, CLEAN), (2, CLEAN), (0, NOISY), (1, NOISY)),
    "paper": ((0, CLEAN), (1, CLEAN), (0, NOISY), (1, NOISY)),
}
SECOND_TRAINING = {"small": (0, 2), "paper": ()}  # sources with a second training, with noise
PASSES = 30  # over the 431 training clips; about four minutes of one core
# FineGYM, mean class accuracy (arXiv 2104.13586; figures from the first author's CVPR 2022 slides).
PUBLISHED = [
    {"network": network, "trained on": trained, "tested on": tested, "mean_class": accuracy}
    | {"poses": CLEAN}
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
UNIT = {"small": "Top-1, 1 clip.", "paper": "Mean class accuracy."}
DIFFERS = {
    "small": (
        "UTD-MHAD (27 classes, 431 training and 430 test clips of other people) instead of FineGYM",
        "a depth camera's skeletons and BlazePose in the depth video (every third frame), instead "
        "of two estimators of one kind in colour video",
        f"{SMALL}, instead of Pose-SlowOnly and MS-G3D; {PASSES} passes over the clips",
        "one test clip instead of ten",
        "trainings on noise are ours",
    ),
    "paper": (
        "trainings on noise are ours",
        "the MobileNet poses are not published: extract them, and put both in data/gym_*",
    ),
}


def config_for(preset: str, source: str, network: str, seed: int = 0, poses: str = CLEAN) -> Any:
    """The training of one network on the poses of one source, clean or with noise."""
    if preset == "paper":
        config = config_of("gym", network)
        config.data.dir = f"data/gym_{source}"
    else:
        config = config_of(source.removesuffix(POSITIONS), network)
        make_small(config, PASSES)
        if source.endswith(POSITIONS):
            leave_out_scores(config)
        if source == "utd_mhad_kinect":
            config.data.camera.update(KINECT_CAMERA)
            config.data.reader_options = {"every": 3}  # as BlazePose's file
            config.data.dir += EVERY_THIRD
        layouts = [skeleton_of(config_of(name, network)) for name in SOURCES[preset][:2]]
        convert_joints(config, common_layout(*layouts))
    config.name, config.seed = f"{source}-joint-{network}", seed
    if poses != CLEAN:
        config.noise.update(NOISE, in_training=True, in_test=False)
        config.name += "-noise"
    if poses == LATER:  # scores are all 1 in these sources, or hidden from the network
        config.noise.score = 0.0
        config.name += "-later"
    return config


def leave_out_scores(config) -> None:
    """Hides the scores from the network: it sees the joints' positions alone."""
    config.volume.use_score, config.volume.drop_missing = False, True
    config.graph.use_score = False


def data(preset: str) -> list[Any]:
    """One config a source."""
    return [config_for(preset, source, NETWORKS[preset][0]) for source in SOURCES[preset]]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Every network on every source, and on some with noise, tested on all."""
    return [
        _job(preset, network, SOURCES[preset][number], poses, seed)
        for seed in seeds
        for number, poses in TRAINED_ON[preset]
        for network in NETWORKS[preset]
    ]


def _job(preset: str, network: str, source: str, poses: str, seed: int) -> Job:
    config = config_for(preset, source, network, seed, poses)
    protocol = _protocol(preset, config)
    others = [(other, config_for(preset, other, network, seed)) for other in SOURCES[preset]]
    tests = [Test(other, seen, {"tested on": other}, protocol) for other, seen in others]
    facts = {"network": network, "trained on": source, "poses": poses, "seed": seed}
    on = poses == CLEAN and source in [
        SOURCES[preset][number] for number in SECOND_TRAINING[preset]
    ]
    then = [_job(preset, network, source, LATER, seed)] if on else []
    return Job(config, facts, tests, then)


def own_test(preset: str, source: str, config) -> Test:
    """The test on the training's own source, under this study's name, so that studies share it."""
    name = source if source in SOURCES[preset] else "test"
    return Test(name, config, protocol=_protocol(preset, config))


def _protocol(preset: str, config) -> Protocol:
    return ONE_CLIP if preset == "small" else protocols(config)[1]


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """The 2 x 2 table of each network."""
    table = Table(
        "Accuracy on the poses of another source",
        value="top1" if preset == "small" else "mean_class",
        columns="tested on",
        lines=("network", "trained on", "poses"),
        published=PUBLISHED,
        note=UNIT[preset],
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
