"""Training is reproducible, resumable, and the same on any number of devices."""

import json

import jax
import numpy as np
import pytest

from posec3d_jax.machine.sharding import make_mesh
from posec3d_jax.runs.checkpoints import find_checkpoint, load_raw_model
from posec3d_jax.runs.orbax_trees import CheckpointError
from posec3d_jax.train import train_and_evaluate
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("train")


def _config(folder, **train):
    config = tiny_config(folder)
    config.data.val_split = ""
    config.train.update(train)
    return config


def _losses(workdir) -> list[float]:
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["train/loss"] for line in lines]


@pytest.fixture(scope="module")
def reference(folder):
    """An uninterrupted run of 4 epochs (20 steps) on one device."""
    train_and_evaluate(_config(folder, epochs=4), folder / "one", make_mesh(jax.devices()[:1]))
    return folder / "one"


def test_the_number_of_devices_does_not_change_the_losses(folder, reference):
    train_and_evaluate(_config(folder, epochs=4), folder / "on4", make_mesh(jax.devices()[:4]))
    assert len(_losses(reference)) == 20
    np.testing.assert_allclose(_losses(folder / "on4"), _losses(reference), atol=1e-4)


class Interrupted(Exception):
    """A run that was killed."""


def _train_interrupted(config, workdir, at: int) -> None:
    """Trains to step `at`, and then again from what is there."""

    def stop(plan, step):
        if step == at:
            raise Interrupted

    mesh = make_mesh(jax.devices()[:1])
    with pytest.raises(Interrupted):
        train_and_evaluate(config, workdir, mesh, after_step=stop)
    assert len(_losses(workdir)) == at
    train_and_evaluate(config, workdir, mesh)


def _assert_equal_to_the_bit(*runs) -> None:
    first, second = map(_losses, runs)
    assert first == second
    jax.tree.map(
        np.testing.assert_array_equal, *(load_raw_model(find_checkpoint(run)) for run in runs)
    )


def test_a_resumed_run_equals_an_uninterrupted_one_to_the_bit(folder, reference):
    _train_interrupted(_config(folder, epochs=4), folder / "resumed", 12)  # 2 past a checkpoint
    _assert_equal_to_the_bit(folder / "resumed", reference)


def test_a_resumed_run_is_as_exact_with_every_option_on(folder):
    config = _config(folder, epochs=2, mixup=0.2, label_smoothing=0.1)
    config.optimizer.update(method="adamw", learning_rate=0.05, warmup_epochs=0.5, ema=0.9)
    config.augment.update(turn=10.0, stretch=0.1, shear=0.1, shift=0.1)
    config.noise.update(jitter=0.01, in_training=True, in_test=False)
    config.sampling.update(method="spread", share=0.7, warp=0.5)
    train_and_evaluate(config, folder / "options", make_mesh(jax.devices()[:1]))
    _train_interrupted(config, folder / "options_resumed", 7)
    _assert_equal_to_the_bit(folder / "options", folder / "options_resumed")


def test_another_config_in_the_same_directory_is_refused(folder, reference):
    config = _config(folder, epochs=4)
    config.optimizer.learning_rate = 0.1
    with pytest.raises(ValueError, match=r"config\.optimizer\.learning_rate: 0\.4, now 0\.1"):
        train_and_evaluate(config, reference, make_mesh(jax.devices()[:1]))


def test_a_batch_the_devices_cannot_share_is_refused(folder):
    with pytest.raises(ValueError, match="10, which 4 devices cannot share"):
        train_and_evaluate(_config(folder, batch_size=10), folder / "odd")


def test_best_and_latest_are_kept_and_others_named(folder, tmp_path):
    config = tiny_config(folder)
    config.train.epochs = 3
    last = train_and_evaluate(config, tmp_path)
    assert 0 <= last["val/top1"] <= 1
    assert find_checkpoint(tmp_path, "latest").name == "15"
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    scores = {line["step"]: line["val/top1"] for line in lines if "val/top1" in line}
    assert int(find_checkpoint(tmp_path, "best").name) in scores
    assert scores[int(find_checkpoint(tmp_path, "best").name)] == max(scores.values())
    with pytest.raises(CheckpointError, match="no checkpoint '7'"):
        find_checkpoint(tmp_path, "7")


def test_starting_from_other_weights_names_what_does_not_fit(folder, reference, tmp_path, caplog):
    config = _config(folder, epochs=1)
    config.init_from = str(reference)
    config.volume.limbs = True  # more channels: the stem cannot be taken
    with caplog.at_level("INFO", logger="absl"):
        train_and_evaluate(config, tmp_path)
    missing = [r.getMessage() for r in caplog.records if "not loaded:" in r.getMessage()]
    assert len(missing) == 1 and "conv1" in missing[0]
