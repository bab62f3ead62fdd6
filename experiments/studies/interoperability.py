"""RGB and poses: each alone, fused late, and joined by laterals one way, the other, and both.

  python -m experiments.studies.interoperability --preset=small \
      --source=utd_mhad_kinect=<Skeleton> --videos=utd_mhad_kinect=<video> \
      --source=utd_mhad_blazepose=<...stride3.npz> --videos=utd_mhad_blazepose=<video> \
      --source=ut_interaction_rgbpose=<skeletons> --videos=ut_interaction_rgbpose=<clips>

The published recipe: a network of RGB and one of poses are trained by themselves, and those that
join them start from the two. Late fusion adds the two's probabilities and costs no training; so
that a further training is not taken for what laterals bring, a network without any is joined, too.
The small preset's second modality of UTD-MHAD is its depth video, with poses by the Kinect and by
BlazePose; UT-Interaction has real RGB and two persons, whose poses are extracted first, as
configs/ut_interaction.py says.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from configs import (
    gym_rgbpose,
    ntu60_xsub_rgbpose,
    ut_interaction,
    utd_mhad_blazepose,
    utd_mhad_kinect,
)
from experiments.studies import command
from experiments.studies.presets import FOLDER, KINECT_CAMERA, skeleton_of
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test, scores_of
from experiments.studies.tables import Table
from posec3d_jax.config import base, networks
from posec3d_jax.fuse import fuse
from posec3d_jax.skeletons.skeleton import common_layout
from posec3d_jax.steps.protocol import ONE_CLIP, protocols

DATA_SETS = {
    "small": ("utd_mhad_kinect", "ut_interaction", "utd_mhad_blazepose"),
    "paper": ("gym", "ntu60_xsub"),
}
ALONE = {"RGB only": "rgb", "pose only": "pose"}
LATE = "late fusion"
# The fusions at which (RGB, pose) takes in the other.
JOINED = {
    "both ways": ((1, 2), (1, 2)),
    "joined without laterals": ((), ()),
    "RGB to pose": ((), (1, 2)),
    "pose to RGB": ((1, 2), ()),
}
SIDE = {"small": 72, "paper": 256}  # short side of the stored frames, pixels
FRAMES, SIZE, WIDTH = (
    4,
    64,
    8,
)  # of the small preset: RGB frames, their size, channels of both stems
PASSES = {"utd_mhad_kinect": 15, "utd_mhad_blazepose": 15, "ut_interaction": 90}
JOINED_EPOCHS, STEPS = 5, (3, 4)  # each of a fifteenth of those passes; where the rate drops
# A step of the joined network is a tenth of one of the others in the published recipe, of 17,000
# steps. With 140 of them laterals would hardly begin to move.
JOINED_RATE = 1 / 3
# Mean class accuracy of FineGYM (the authors' slides), top-1 of NTU60 (PYSKL's README); 10 clips.
PUBLISHED = [
    {"network": network, "data set": data_set, "figure": accuracy}
    for data_set, figures in {
        "gym": {LATE: 0.934, "RGB to pose": 0.937, "pose to RGB": 0.938, "both ways": 0.941},
        "ntu60_xsub": {"RGB only": 0.951, "pose only": 0.932, LATE: 0.961, "both ways": 0.969},
    }.items()
    for network, accuracy in figures.items()
]
DIFFERS = {
    "small": (
        "UTD-MHAD (27 classes, 431 training and 430 test clips of other people; a depth video in "
        "place of RGB) and UT-Interaction (6 classes, 72 training and 36 test clips), every third "
        "frame of both, instead of FineGYM and NTU60",
        f"{FRAMES} frames of {SIZE} x {SIZE} and {4 * FRAMES} volumes of {SIZE // 4} x {SIZE // 4} "
        f"instead of 8 of 224 x 224 and 32 of 56 x 56; pathways of {WIDTH} channels at the stem "
        "and one block a stage",
        "joined networks are trained for a third of the passes of the two they start from, at a "
        "third of the rate instead of a tenth, since they have 140 steps instead of thousands",
        "one test clip instead of ten",
        "the joined network without laterals is ours",
    ),
    "paper": ("the joined network without laterals is ours",),
}


def config_for(preset: str, data_set: str, network: str, seed: int) -> Any:
    """The training of one network; joined ones start from the runs that `jobs` names."""
    modalities = ALONE.get(network, "rgbpose")
    if preset == "paper":
        module = {"gym": gym_rgbpose, "ntu60_xsub": ntu60_xsub_rgbpose}[data_set]
        config = module.get_config(modalities)
    else:
        config = _data_of(data_set)
        _make_small(config, data_set, modalities)
    if network in JOINED:
        config.model.pose_to_rgb, config.model.rgb_to_pose = JOINED[network]
    config.name = f"{data_set}-{network}".replace(" ", "_")
    config.seed = seed
    return config


def _data_of(data_set: str) -> Any:
    """The config of a data set of the small preset, without a network to speak of."""
    if data_set == "ut_interaction":
        config = ut_interaction.get_config("joint-slowonly")
    else:
        modules = {"utd_mhad_kinect": utd_mhad_kinect, "utd_mhad_blazepose": utd_mhad_blazepose}
        config = modules[data_set].get_config("joint-slowonly")
        layouts = [skeleton_of(each.get_config()) for each in modules.values()]
        with config.ignore_type():
            config.data.remap_to = common_layout(*layouts).to_dict()
        if data_set == "utd_mhad_kinect":
            config.data.camera.update(KINECT_CAMERA)
            config.data.reader_options = {"every": 3}
    config.data.video_step = 3  # all three have the poses of every third frame
    config.data.val_split = ""
    config.data.dir = f"{FOLDER}/{data_set}_rgbpose"
    config.data.storage = "pack"
    return config


def _make_small(config, data_set: str, modalities: str) -> None:
    base.set_modalities(config, modalities)
    config.sampling.num_frames, config.rgb.num_frames = 4 * FRAMES, FRAMES
    config.rgb.train_resize, config.geometry.train_resize = (SIZE + 8,) * 2, SIZE // 4 + 2
    config.rgb.train_size = config.rgb.test_size = (SIZE, SIZE)
    config.volume.train_size = config.volume.test_size = (SIZE // 4, SIZE // 4)
    blocks = {"rgb": (1, 1, 1, 1), "pose": (1, 1, 1)}
    if modalities == "rgbpose":
        widths = {"rgb_width": WIDTH, "pose_width": WIDTH}
        depths = {f"{name}_blocks": of for name, of in blocks.items()}
        config.model = networks.rgbpose(**widths, **depths)
    else:
        config.model.width, config.model.stage_blocks = WIDTH, blocks[modalities]
    config.model.dropout = 0.0
    config.train.batch_size = 16
    config.evaluate.batch_size = 80
    config.data.repeat, config.train.epochs = PASSES[data_set], 1
    if modalities == "rgbpose":
        config.data.repeat, config.train.epochs = PASSES[data_set] // 15, JOINED_EPOCHS
        config.train.checkpoint_every = JOINED_EPOCHS
        config.optimizer.schedule, config.optimizer.step_epochs = "step", STEPS
        config.optimizer.learning_rate *= JOINED_RATE


def data(preset: str) -> list[Any]:
    """One config a data set."""
    return [config_for(preset, data_set, "RGB only", 0) for data_set in DATA_SETS[preset]]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """The two networks of one modality, then those that start from them."""
    return [
        _job(preset, data_set, network, seed)
        for data_set in DATA_SETS[preset]
        for seed in seeds
        for network in (*ALONE, *JOINED)
    ]


def _job(preset: str, data_set: str, network: str, seed: int) -> Job:
    config = config_for(preset, data_set, network, seed)
    protocol = ONE_CLIP if preset == "small" else protocols(config)[1]
    tests = [Test("test", config, protocol=protocol)]
    starts = {}
    if network in JOINED:
        keys = zip(("init_from", "init_pose_from"), ALONE, strict=True)
        starts = {key: _job(preset, data_set, parent, seed).name for key, parent in keys}
    facts = {"network": network, "data set": data_set, "seed": seed}
    return Job(config, facts, tests, starts=starts)


def fused(rows: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """A row for late fusion, and for each pathway of the joined networks."""
    found = {(row["data set"], row["seed"], row["network"]): row for row in rows}
    more = []
    for data_set, seed in dict.fromkeys((row["data set"], row["seed"]) for row in rows):
        parts = [found.get((data_set, seed, network)) for network in ALONE]
        facts = {"data set": data_set, "seed": seed}
        if all(parts):
            result = fuse([scores_of(part, folder) for part in parts])
            late = {"network": LATE, "protocol": parts[0]["protocol"], **result["fused"]}
            more.append(facts | late)
        for network in JOINED:
            if row := found.get((data_set, seed, network)):
                more += _pathways(row, folder)
    return more


def _pathways(row: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """What each pathway of a joined network says by itself."""
    outputs = list(ALONE.values())
    paths = [scores_of(row | {"test": f"{row['test']}-{output}"}, folder) for output in outputs]
    kept = {key: row[key] for key in ("network", "data set", "seed", "protocol")}
    return [
        kept | {"pathway": output} | {key: figures[key] for key in ("top1", "top5", "mean_class")}
        for output, figures in zip(outputs, fuse(paths)["streams"], strict=True)
    ]


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """Every network by data set, and the pathways of the joined ones by themselves."""
    value = "top1" if preset == "small" else "figure"
    rows = [{"pathway": "fused", "figure": _published_figure(row), **row} for row in rows]
    tables = [
        Table(
            "Accuracy of RGB and poses",
            value,
            columns="data set",
            where={"pathway": "fused"},
            published=[] if preset == "small" else PUBLISHED,
            note="" if preset == "small" else "Mean class accuracy of FineGYM, top-1 of NTU60.",
        ),
        Table("Each pathway alone", value, columns="data set", lines=("network", "pathway")),
    ]
    return Study(
        name="interoperability",
        question="Does joining RGB and poses by laterals beat adding up their scores?",
        preset=preset,
        rows=rows,
        tables=tables,
        differs=DIFFERS[preset],
    )


def _published_figure(row: dict[str, Any]) -> float:
    """The figure that the paper gives of a row's data set."""
    return row["mean_class" if row["data set"] == "gym" else "top1"]


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report, SIDE, derive=fused))
