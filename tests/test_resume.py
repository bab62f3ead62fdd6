"""An interrupted run ends as an uninterrupted one; what is damaged, full or diverged is named.

Everything of a run is real here but its network, which is one that compiles in no time; a real one
is interrupted in test_train.py and test_endurance.py.
"""

import errno
import json
import os
import signal
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.long_run import footprint
from posec3d_jax import train
from posec3d_jax.files.disk import DiskError
from posec3d_jax.machine.sharding import make_mesh
from posec3d_jax.runs import sealing
from posec3d_jax.runs.checkpoints import find_checkpoint, load_raw_model
from posec3d_jax.runs.identity import IdentityError, code_version
from posec3d_jax.runs.metric_writer import read_metrics
from posec3d_jax.runs.orbax_trees import CheckpointError
from posec3d_jax.runs.preemption import Stopped
from posec3d_jax.runs.sealing import damage_of, read_facts, seal_of
from posec3d_jax.steps.state import TrainState
from tests.tiny import tiny_config

CLOCK = ("train/clips_per_second", "train/waiting_for_input")  # differ from run to run
TOTAL = 15  # steps; five are an epoch, after which there is a checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("resume")


def _create_state(recognizer, optimizer, key):
    weights = jax.random.normal(key, (64,))
    return TrainState(jnp.int32(0), {"w": weights}, {"mean": weights[:4]}, {"trace": 0 * weights})


def _make_train_step(recognizer, optimizer, label_smoothing, mixup):
    def step(state, batch, key):
        noise = jax.random.normal(jax.random.fold_in(key, state.step), (64,))
        gradient = state.params["w"] * batch["score"].mean() + batch["keypoint"].mean() + noise
        trace = 0.9 * state.opt_state["trace"] + gradient
        weights = {"w": state.params["w"] - 0.01 * trace}
        metrics = {"loss": (trace**2).mean(), "top1": noise[0], "grad_norm": gradient.max()}
        return TrainState(state.step + 1, weights, {"mean": noise[:4]}, {"trace": trace}), metrics

    return step


def _validator(config, recognizer, mesh):
    def validate(state, after_batch):
        for _ in range(3):
            during_validation()
            after_batch()
        loss = float(state.params["w"].mean())
        return {"loss": loss, "top1": 1 / float(state.step), "mean_class": 0.5}

    return validate


def during_validation():
    """Replaced by a test."""


@pytest.fixture(scope="module", autouse=True)
def small_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "create_state", _create_state)
        patch.setattr(train, "make_train_step", _make_train_step)
        patch.setattr(train, "_validator", _validator)
        yield


def _config(folder):
    config = tiny_config(folder)
    config.train.epochs = 3
    config.train.validate_every = 2
    return config


def _train(config, workdir, stop_after: int = 0, by: int = 0, **options):
    """Trains on one device; `stop_after` raises there, or sends this process the signal `by`."""

    def after_step(plan, step):
        if step == stop_after and by:
            os.kill(os.getpid(), by)
        elif step == stop_after:
            raise InterruptedError

    mesh = make_mesh(jax.devices()[:1])
    return train.train_and_evaluate(config, workdir, mesh, after_step=after_step, **options)


def _numbers(workdir) -> list[dict]:
    """The metrics, without those of the clock."""
    lines = read_metrics(workdir / "metrics.jsonl")
    return [{key: line[key] for key in line if key not in CLOCK} for line in lines]


def _names(workdir) -> list[str]:
    return sorted(path.name for path in (workdir / "checkpoints").iterdir())


def _assert_same_end(workdir, reference):
    assert _numbers(workdir) == _numbers(reference)
    stored = [load_raw_model(find_checkpoint(run)) for run in (workdir, reference)]
    jax.tree.map(np.testing.assert_array_equal, *stored)


@pytest.fixture(scope="module")
def reference(folder):
    _train(_config(folder), folder / "reference")
    assert [x["step"] for x in _numbers(folder / "reference") if "val/top1" in x] == [10, TOTAL]
    return folder / "reference"


def _largest(checkpoint):
    return max(checkpoint.rglob("*"), key=lambda path: path.stat().st_size * path.is_file())


def _flip(checkpoint):
    path = _largest(checkpoint)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(checkpoint):
    os.truncate(_largest(checkpoint), 10)


def _remove(checkpoint):
    (checkpoint / "training" / "_METADATA").unlink()


def _rename_an_item(checkpoint):
    path = checkpoint / "_CHECKPOINT_METADATA"
    path.write_text(path.read_text().replace("training", "trainina"))


def _lose_half_the_seal(checkpoint):
    os.truncate(seal_of(checkpoint), 100)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_flip, "has other bytes than were written"),
        (_cut, "has 10 bytes"),
        (_remove, "training/_METADATA cannot be read"),
        (_rename_an_item, "_CHECKPOINT_METADATA has other bytes than were written"),
        (_lose_half_the_seal, "10.seal.json is damaged"),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(
    folder, reference, tmp_path, caplog, damage, named
):
    config = _config(folder)
    with pytest.raises(InterruptedError):
        _train(config, tmp_path, stop_after=12)
    newest = find_checkpoint(tmp_path)
    assert newest.name == "10"
    damage(newest)
    _train(config, tmp_path)
    (told,) = [x.getMessage() for x in caplog.records if "is damaged" in x.getMessage()]
    assert str(newest) in told and named in told
    assert [x["step"] for x in _numbers(tmp_path)] == [x["step"] for x in _numbers(reference)]
    _assert_same_end(tmp_path, reference)


def test_a_folder_without_a_seal_is_a_save_that_was_stopped(folder, reference, tmp_path):
    config = _config(folder)
    with pytest.raises(InterruptedError):
        _train(config, tmp_path, stop_after=12)
    newest = find_checkpoint(tmp_path)
    seal_of(newest).unlink()
    assert find_checkpoint(tmp_path).name == "5"
    _train(config, tmp_path)
    assert (tmp_path / "checkpoints" / "10.damaged").is_dir()
    _assert_same_end(tmp_path, reference)


def test_checkpoints_of_before_with_their_seal_inside_are_held_against_it(folder, tmp_path):
    config = _config(folder)
    with pytest.raises(InterruptedError):
        _train(config, tmp_path, stop_after=6)
    checkpoint = find_checkpoint(tmp_path)
    seal_inside(checkpoint)
    assert damage_of(checkpoint) == "" and read_facts(checkpoint)["seed"] == config.seed
    _train(config, tmp_path, stop_after=20)
    _flip(find_checkpoint(tmp_path))
    seal_inside(find_checkpoint(tmp_path))
    assert "has other bytes than were written" in damage_of(find_checkpoint(tmp_path))


def seal_inside(checkpoint):
    """Gives a checkpoint the seal of runs of before: two files in its folder."""
    seal = json.loads(seal_of(checkpoint).read_text())
    seal_of(checkpoint).unlink()
    noted = json.loads((checkpoint / sealing.ORBAX_FILE).read_text())
    files = {k: v for k, v in seal["files"].items() if k != sealing.ORBAX_FILE}
    (checkpoint / "checksums.json").write_text(json.dumps(files))
    facts = {"run": seal["run"], "orbax": noted}
    (checkpoint / "facts.json").write_text(json.dumps(facts))


def test_without_a_whole_checkpoint_nothing_is_overwritten(folder, tmp_path):
    config = _config(folder)
    with pytest.raises(InterruptedError):
        _train(config, tmp_path, stop_after=6)
    _flip(find_checkpoint(tmp_path))
    with pytest.raises(CheckpointError, match=r"5 is damaged: .*; name another one"):
        load_raw_model(find_checkpoint(tmp_path))
    for _ in range(2):
        with pytest.raises(CheckpointError, match="every checkpoint in .* is damaged"):
            _train(config, tmp_path)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_stops_and_the_run_goes_on(folder, reference, tmp_path, by):
    config, before = _config(folder), signal.getsignal(by)
    with pytest.raises(Stopped, match=f"stopped by {by.name} after step 8, which is saved"):
        _train(config, tmp_path, stop_after=7, by=by)  # it is heeded after the next step
    assert signal.getsignal(by) == before
    assert find_checkpoint(tmp_path).name == "8"
    _train(config, tmp_path)
    _assert_same_end(tmp_path, reference)


def test_a_run_stopped_while_it_validates_validates_when_it_resumes(
    folder, reference, tmp_path, monkeypatch
):
    config = _config(folder)
    with monkeypatch.context() as patch:
        told = lambda: os.kill(os.getpid(), signal.SIGTERM)  # noqa: E731
        patch.setattr(sys.modules[__name__], "during_validation", told)
        with pytest.raises(Stopped, match="after step 10"):
            _train(config, tmp_path)
    assert not [x for x in _numbers(tmp_path) if "val/top1" in x]
    _train(config, tmp_path)
    _assert_same_end(tmp_path, reference)


def test_another_config_data_set_or_code_is_refused_with_the_difference(
    folder, tmp_path, caplog, monkeypatch
):
    config = _config(folder)
    with pytest.raises(InterruptedError):
        _train(config, tmp_path, stop_after=6)
    config.geometry.flip = 0.25
    config.train.epochs = 4
    monkeypatch.setattr("posec3d_jax.runs.identity.clips_fingerprint", lambda source: "other clips")
    with pytest.raises(IdentityError) as refusal:
        _train(config, tmp_path)
    lines = str(refusal.value).splitlines()
    assert lines[1:3] == [
        "  config.geometry.flip: 0.5, now 0.25",
        "  config.train.epochs: 3, now 4",
    ]
    assert lines[3].startswith("  fingerprint of the training clips: ")
    assert lines[3].endswith(", now other clips") and "--resume_anyway" in lines[4]
    monkeypatch.undo()
    config = _config(folder)
    config.train.log_every = 2  # changes no number
    config.name = "renamed"
    monkeypatch.setattr("posec3d_jax.runs.identity.code_version", lambda: "other code")
    with pytest.raises(IdentityError, match=f"code: {code_version()}, now other code"):
        _train(config, tmp_path)
    _train(config, tmp_path, resume_anyway=True)
    assert "--resume_anyway: code: " in caplog.text


def test_a_diverged_run_names_the_step_its_clips_and_the_last_good_checkpoint(
    folder, tmp_path, monkeypatch
):
    config = _config(folder)
    with pytest.raises(InterruptedError):
        _train(config, tmp_path, stop_after=6)
    config.train.log_every = 50

    def diverging(*arguments):
        def step(state, batch, key):
            state, metrics = sound(state, batch, key)
            return state, metrics | {"loss": jnp.where(state.step >= 8, jnp.nan, metrics["loss"])}

        sound = _make_train_step(*arguments)
        return step

    monkeypatch.setattr(train, "make_train_step", diverging)
    with pytest.raises(
        FloatingPointError, match="the loss is nan.* at step 8; up to step 5"
    ) as told:
        _train(config, tmp_path)
    assert f"The last good checkpoint: {tmp_path}/checkpoints/5." in str(told.value)
    facts = json.loads((tmp_path / "diverged.json").read_text())
    assert facts["step"] == 8 and len(facts["clips"]) == config.train.batch_size
    assert set(facts["clips"][:12]) <= set(str(told.value).replace(",", "").split())
    assert find_checkpoint(tmp_path).name == "5"


def test_a_state_that_is_not_finite_is_never_saved(folder, tmp_path, monkeypatch):
    def overflowing(*arguments):
        def step(state, batch, key):
            state, metrics = sound(state, batch, key)
            statistics = {"mean": jnp.where(state.step >= 9, jnp.inf, state.batch_stats["mean"])}
            return state.replace(batch_stats=statistics), metrics

        sound = _make_train_step(*arguments)
        return step

    monkeypatch.setattr(train, "make_train_step", overflowing)
    with pytest.raises(FloatingPointError, match="statistic is not finite at step 10"):
        _train(_config(folder), tmp_path)
    assert find_checkpoint(tmp_path).name == "5"


def test_a_disk_that_is_full_for_a_checkpoint(folder, reference, tmp_path, monkeypatch):
    config = _config(folder)

    def full(checkpoint, whole=sealing.checksums):
        if checkpoint.name == "10":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(checkpoint))
        return whole(checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "checksums", full)
        with pytest.raises(DiskError) as told:
            _train(config, tmp_path)
    for part in (f"step 10 could not be saved in {tmp_path}", "No space left", "Make room", ": 5"):
        assert part in str(told.value)
    assert _names(tmp_path) == ["5", "5.seal.json"]
    _train(config, tmp_path)
    _assert_same_end(tmp_path, reference)


def test_a_disk_that_is_full_for_a_line_of_metrics(folder, tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    from posec3d_jax.runs.metric_writer import MetricWriter

    with pytest.raises(DiskError, match=r"metrics.jsonl could not be written: No space.*Make room"):
        MetricWriter(tmp_path).write(1, {"train/loss": 1.0})


def test_a_run_of_before_there_were_checksums_and_facts_goes_on(folder, reference, tmp_path):
    config = _config(folder)
    with pytest.raises(InterruptedError):
        _train(config, tmp_path, stop_after=7)
    seal_of(find_checkpoint(tmp_path)).unlink()
    stored = json.loads((tmp_path / "config.json").read_text())
    for key in ("keep_checkpoints", "stall_minutes"):
        del stored["train"][key]
    (tmp_path / "config.json").write_text(json.dumps(stored))
    config.optimizer.momentum = 0.5
    with pytest.raises(IdentityError, match=r"config\.optimizer\.momentum: 0\.9, now 0\.5"):
        _train(config, tmp_path)
    _train(_config(folder), tmp_path)
    _assert_same_end(tmp_path, reference)


def test_as_many_checkpoints_are_kept_as_asked_for(folder, tmp_path):
    config = _config(folder)
    config.train.keep_checkpoints = 1
    with pytest.raises(ValueError, match="keep_checkpoints is 1; expected a whole number from 2"):
        _train(config, tmp_path)
    config.train.keep_checkpoints = 3
    _train(config, tmp_path)
    kept = ["10", "15", "5"]
    assert _names(tmp_path) == sorted([*kept, *(f"{step}.seal.json" for step in kept)])


def test_nothing_piles_up_over_two_hundred_steps(folder, tmp_path):
    config = _config(folder)
    config.train.epochs, config.train.validate_every, config.train.checkpoint_every = 80, 20, 10
    early, late, held = 195, 395, {}  # libraries start the threads of their pools one by one

    def after_step(plan, step):
        if step in (early, late):
            held[step] = footprint()

    train.train_and_evaluate(config, tmp_path, make_mesh(jax.devices()[:1]), after_step=after_step)
    for kind in ("device_arrays", "threads", "open_files"):
        assert held[late][kind] <= held[early][kind] + 1, held
    assert len(_names(tmp_path)) <= 6


def test_a_hang_ends_with_the_stacks_of_all_threads():
    program = """
import time
from posec3d_jax.runs.watchdog import Watchdog

def stuck():
    time.sleep(60)

with Watchdog(minutes=0.005) as watchdog:
    watchdog.beat("step 12")
    stuck()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "nothing was done for 0.005 minutes after step 12" in done.stderr
    assert "in stuck" in done.stderr
