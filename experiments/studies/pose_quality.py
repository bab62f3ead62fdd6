"""A better and a worse pose estimator: trained on the poses of one, tested on the other's.

  python -m experiments.studies.pose_quality --source=ut_interaction_thunder=<poses> \
      --source=ut_interaction_lightning=<poses> --source=utd_mhad_video_thunder=<poses> \
      --source=utd_mhad_video_lightning=<poses>

Both estimators are MoveNet, of one kind and trained on the same pictures: Thunder looks at people
in crops of 256 x 256 by a network of three times the size of Lightning's, which has 192 x 192. The
poses are made by `posec3d extract --every=3 --estimator=...` of UT-Interaction's videos and of
UTD-MHAD's depth video as grey pictures, of which estimators have seen none in their training; of
its 27 actions every second is taken.
"""

from collections.abc import Sequence
from typing import Any

from configs import utd_mhad_blazepose
from configs.ut_interaction import SPLITS
from experiments.studies import command, interactions
from experiments.studies.presets import SMALL_VOLUMES, make_small
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table

NETWORKS = interactions.NETWORKS
ESTIMATORS = ("thunder", "lightning")  # better, worse
DATA_SETS = ("ut_interaction", "utd_mhad_video")
CLASSES = 14  # of UTD-MHAD: actions 1, 3, 5, ...
PASSES = 30  # over UTD-MHAD's 223 training clips; some two minutes of one core
DIFFERS = (
    "UT-Interaction and UTD-MHAD's depth video instead of FineGYM",
    "MoveNet's Thunder and Lightning instead of HRNet and MobileNet: the worse is less bad",
    f"{SMALL_VOLUMES} by the recipe for few clips (`base.set_few_clips`, positions alone)",
    "one test clip instead of ten; top-1 instead of mean class accuracy",
)


def config_for(preset: str, data_set: str, estimator: str, seed: int = 0) -> Any:
    """A training on one estimator's poses of a data set."""
    if data_set == "ut_interaction":
        config = interactions.config_for(preset, next(iter(SPLITS)), seed=seed)
        config.name = config.name.replace("lightning", estimator)
    else:
        config = _utd_mhad_video(preset)
        config.name = f"{data_set}_{estimator}"
    config.data.dir = f"data/{data_set}_{estimator}"
    config.seed = seed
    return config


def _utd_mhad_video(preset: str) -> Any:
    """UTD-MHAD's clips by the recipe of its BlazePose poses, which has positions alone."""
    config = utd_mhad_blazepose.get_config(f"joint-{NETWORKS[preset]}")
    config.data.format, config.data.skeleton, config.data.remap_to = "directory", "coco_17", ""
    config.data.num_classes = CLASSES
    if preset == "small":
        make_small(config, PASSES)
    return config


def data(preset: str) -> list[Any]:
    """Every data set by every estimator."""
    return [config_for(preset, name, estimator) for name in DATA_SETS for estimator in ESTIMATORS]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Each estimator's poses, tested on both's; those of UT-Interaction first."""
    return [
        _job(preset, name, estimator, seed)
        for name in DATA_SETS
        for seed in seeds
        for estimator in ESTIMATORS
    ]


def _job(preset: str, name: str, estimator: str, seed: int) -> Job:
    config = config_for(preset, name, estimator, seed)
    others = [(other, config_for(preset, name, other, seed)) for other in ESTIMATORS]
    tests = [
        # The study `interactions` has the first of them, under another name.
        Test("test" if other == estimator else other, seen, {"tested on": other})
        for other, seen in others
    ]
    facts = {"network": config.model.name, "data set": name, "trained on": estimator, "seed": seed}
    return Job(config, facts, tests)


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """The 2 x 2 table of each data set."""
    table = Table(
        "Accuracy on the poses of a better and a worse estimator",
        value="top1",
        columns="tested on",
        lines=("data set", "trained on"),
        note="Top-1, 1 clip. Chance is 16.7 on UT-Interaction, 7.1 on UTD-MHAD's 14 actions.",
    )
    return Study(
        name="pose_quality",
        question="How much does a better pose estimator help, in training and in tests?",
        preset=preset,
        rows=rows,
        tables=[table],
        differs=DIFFERS,
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report))
