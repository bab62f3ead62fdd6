"""The search for recipes: inner folds leave test clips out, trials train, test and are logged."""

from pathlib import Path

import numpy as np
import pytest

from experiments.recipe import search
from experiments.recipe.folds import TEST, TRAIN, Fold, divide
from experiments.recipe.fused import fused
from posec3d_jax.data.stored.clips import read_clips
from posec3d_jax.data.stored.sources import open_source
from tests.tiny import tiny_config

ODD = Fold(r"[13579]$", "clips with even numbers train")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The tiny network on an inner fold of the tiny data set's training clips."""
    folder = tmp_path_factory.mktemp("recipe")
    config = tiny_config(folder)
    divide(folder / "simulated", folder / "inner", ODD)
    config.data.dir = str(folder / "inner")
    config.optimizer.method = "adamw"
    config.sampling.method = "spread"
    return config


def test_a_fold_divides_the_training_clips_and_leaves_the_rest_out(config, tmp_path):
    _, inner = read_clips(Path(config.data.dir))
    table, splits = read_clips(Path(config.data.dir).parent / "simulated")
    assert set(inner) == {TRAIN, TEST}
    assert set(np.concatenate([inner[TRAIN], inner[TEST]])) == set(splits["train"])
    assert all(int(table.names[i][-1]) % 2 for i in inner[TEST])
    assert len(open_source(config.data, TEST)) == len(inner[TEST])
    with pytest.raises(ValueError, match="does not divide"):
        divide(Path(config.data.dir).parent / "simulated", tmp_path, Fold("no", ""))


def test_trials_of_one_program_differ_and_are_logged_once(config, tmp_path):
    program, log = search.Program(config), tmp_path / "trials.csv"
    plain = search.parse("rate=0.01 passes=1")
    varied = search.parse(
        "rate=0.01 passes=1 turn=30 stretch=0.2 jitter=0.02 offset=0.02 mixup=0.5"
    )
    found = [program.trial(settings)[0] for settings in (plain, plain, varied)]
    assert found[0]["train_loss"] == found[1]["train_loss"] != found[2]["train_loss"]
    assert all(0 <= figures["top1"] <= 100 for figures in found)
    row = {"set": "tiny", "variant": "", "program": ""}
    row |= {name: str(value) for name, value in vars(plain).items()}
    search.log_row(log, row | {name: f"{value:.3f}" for name, value in found[0].items()})
    assert search.done(log) == {tuple(row.values())}
    with pytest.raises(ValueError, match="rtae"):
        search.parse("rtae=0.1")


def test_two_trials_are_fused_by_weights_and_on_the_same_clips():
    labels = np.array([0, 1])
    sure = {"labels": labels, "last": np.array([[0.9, 0.1], [0.8, 0.2]])}
    unsure = {"labels": labels, "last": np.array([[0.4, 0.6], [0.3, 0.7]])}
    assert fused(sure, unsure, (0.25, 0.75)) == [50, 50, 100, 50]
    with pytest.raises(ValueError, match="other test clips"):
        fused(sure, unsure | {"labels": labels[::-1]})
