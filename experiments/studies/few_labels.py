"""What a few labels of a new data set are worth, alone and after training on another data set.

  python -m experiments.studies.few_labels --preset=small \
      --source=utkinect=<joints> --source=nw_ucla=<all_sqe>

Pairs of data sets, and the trainings on the first of each, are those of cross_data_set.py. Networks
are then trained on five clips a class of the other's training split, from those weights and from
scratch; all are tested on its test split. The seed decides which five.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experiments.studies import command, cross_data_set
from experiments.studies.cross_data_set import NETWORKS, PAIRS, data, job_from, target_of
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table

FEW, PASSES = 5, 40  # clips a class, and passes over them
NONE, AFTER, ALONE = "other data set", f"then {FEW} clips a class", f"{FEW} clips a class alone"


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Both directions and every network: the other data set, then few clips; and few alone."""
    ways = [
        (preset, number, network, seed)
        for seed in seeds
        for network in NETWORKS[preset]
        for number in (0, 1)
    ]
    return [_after(*way) for way in ways] + [_alone(*way) for way in ways]


def _after(preset: str, number: int, network: str, seed: int) -> Job:
    first = job_from(preset, number, network, seed)
    tests = [test for test in first.tests if test.name == "unseen"]
    config = few(preset, number, network, seed)
    config.name += f"-from-{PAIRS[preset].names[number]}"
    config.optimizer.learning_rate /= 10  # lower, as it starts from trained weights
    then = Job(config, {**first.facts, "trained on": AFTER}, tests)
    return replace(first, facts={**first.facts, "trained on": NONE}, tests=tests, then=[then])


def _alone(preset: str, number: int, network: str, seed: int) -> Job:
    config = few(preset, number, network, seed)
    target = target_of(preset, number, network, seed)
    test = Test("unseen", target, protocol=cross_data_set.protocol_of(preset, target))
    facts = {**job_from(preset, number, network, seed).facts, "trained on": ALONE}
    return Job(config, facts, [test])


def few(preset: str, number: int, network: str, seed: int) -> Any:
    """A training on few clips of the training split of the data set that `number` is not."""
    config = target_of(preset, number, network, seed)
    config.data.train_split = config.data.train_split.split("+")[0]
    config.data.clips_per_class = FEW
    config.data.repeat, config.train.epochs = PASSES, 1
    config.name += "-few"
    return config


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """One table: without labels, with few, and with few alone."""
    table = Table(
        "With few labels of the new data set, on its test split",
        value="top1",
        columns="direction",
        lines=("network", "trained on"),
    )
    return Study(
        name="few_labels",
        question="What are a few labels worth, alone and after training on another data set?",
        preset=preset,
        rows=rows,
        tables=[table],
        differs=cross_data_set.DIFFERS[preset],
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report))
