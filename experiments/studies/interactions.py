"""From real videos to labels: two-person interactions by poses that we extracted ourselves.

  python -m experiments.video_labels ut_interaction <labels.csv> --out=labels.csv
  posec3d extract <clips> --out=<poses> --estimator=lightning --every=3 --labels=labels.csv
  python -m experiments.studies.interactions --source=ut_interaction_lightning=<poses> \
      --source=shapes=<labels.csv>

The clips were cut around the action and to its length, so a network that is shown the whole frame,
squeezed to a square, can tell many of them by their shape. Networks are therefore trained twice:
on that, and on a square around the people, padded where it leaves the frame, which hides the shape.
Either gets a fixed number of frames, which hides the length. A nearest-neighbour vote on shape and
length alone stands beside them.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from configs.ut_interaction import SPLITS
from experiments.studies import command
from experiments.studies.presets import SMALL_VOLUMES, config_of, make_small
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table

NETWORKS = {"small": "c3d_light", "paper": "slowonly"}
SQUARE, SQUEEZED = "square around the people", "whole frame, squeezed"
TRAINED = (("sequences", SQUARE), ("sequences", SQUEEZED), ("scenes", SQUARE))
SHAPE = "shape and length alone, 5 nearest"
PASSES = 30  # over the 72 or 60 training clips; less than a minute of one core
NEIGHBOURS = 5
DIFFERS = (
    "UT-Interaction is none of the paper's data sets",
    "poses are MoveNet's (Lightning), of every third frame",
    f"{SMALL_VOLUMES} by the recipe for few clips (`base.set_few_clips`), {PASSES} passes",
    "one test clip instead of ten",
    "the same people may be in training and test clips: no split of this data set is free of that",
)


def config_for(preset: str, split: str, shown: str = SQUARE, seed: int = 0) -> Any:
    """A training on one of the data set's splits."""
    config = config_of("ut_interaction", NETWORKS[preset])
    config.data.train_split, config.data.test_split = SPLITS[split]
    if preset == "small":
        make_small(config, PASSES)
    config.geometry.compact = shown == SQUARE
    config.name = f"ut_interaction_lightning-{split}" + "-squeezed" * (shown == SQUEEZED)
    config.seed = seed
    return config


def data(preset: str) -> list[Any]:
    """The one data set."""
    return [config_for(preset, "sequences")]


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Both splits, and the first of them shown the other way, too."""
    return [
        _job(config_for(preset, split, shown, seed), split, shown)
        for seed in seeds
        for split, shown in TRAINED
    ]


def _job(config, split: str, shown: str) -> Job:
    facts = {"network": config.model.name, "shown": shown, "split": split, "seed": config.seed}
    return Job(config, facts, [Test("test", config)])


def shapes(preset: str, folder: Path) -> list[dict[str, Any]]:
    """What shape and length alone tell, where the publisher's table is given."""
    sources = dict(pair.split("=", 1) for pair in flags.FLAGS.source)
    if "shapes" not in sources:
        return []
    facts = {"network": SHAPE, "shown": "", "seed": 0}  # nothing in it is drawn by chance
    found = accuracies(Path(sources["shapes"]))
    return [facts | {"split": split, "top1": top1} for split, top1 in found]


def accuracies(table: Path) -> Iterator[tuple[str, float]]:
    """(split, accuracy) of the vote of the nearest clips by width / height and frames.

    Besides the splits of the networks, every sequence left out once.

    Args:
      table: the publisher's labels.csv.
    """
    with open(table, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] != "none"]
    shape = np.array([[int(r["width"]) / int(r["height"]), int(r["frames"])] for r in rows])
    labels = np.array([int(row["label_id"]) for row in rows])
    sequence = np.array([int(row["sequence"]) for row in rows])
    sides = {
        "sequences": (_is(rows, "split_seq", "train"), _is(rows, "split_seq", "test")),
        "scenes": (_is(rows, "split_scene", "train"), _is(rows, "split_scene", "test")),
    }
    for split, (train, test) in sides.items():
        yield split, float((_vote(shape[train], labels[train], shape[test]) == labels[test]).mean())
    right = [
        _vote(shape[sequence != out], labels[sequence != out], shape[sequence == out])
        == labels[sequence == out]
        for out in np.unique(sequence)
    ]
    yield "each sequence left out", float(np.concatenate(right).mean())


def _is(rows: Sequence[dict[str, str]], column: str, value: str) -> np.ndarray:
    return np.array([row[column] == value for row in rows])


def _vote(known: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The commonest label of the nearest, both features scaled to variance 1."""
    scale = known.std(axis=0)
    distance = np.linalg.norm((known[None] - asked[:, None]) / scale, axis=-1)
    nearest = labels[np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]]
    return np.array([np.bincount(row).argmax() for row in nearest])


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """One table: what is shown, by split."""
    table = Table(
        "Interactions of two persons",
        value="top1",
        columns="split",
        lines=("network", "shown"),
        note=(
            "Top-1, 1 clip; chance is 16.7. Sequences: 72 clips train, 36 test. Scenes: 60 of a "
            "parking lot train, 60 of a lawn test."
        ),
    )
    return Study(
        name="interactions",
        question="Does the way from a video to a label work, and does it see more than the crop?",
        preset=preset,
        rows=rows,
        tables=[table],
        differs=DIFFERS,
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report, measure=shapes))
