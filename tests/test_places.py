"""Where runs are written: names that libraries read as patterns, and places that cannot be."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config.base import get_config
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.files.disk import DiskError
from posec3d_jax.files.places import expand, make_writable
from posec3d_jax.prepare import prepare
from posec3d_jax.runs import saving
from posec3d_jax.runs.checkpoints import find_checkpoint, load_raw_model, save_model
from posec3d_jax.runs.saving import Checkpoints
from posec3d_jax.steps.state import TrainState
from posec3d_jax.train import train_and_evaluate

PATTERNS = ["exp[1]", "a\\b", "lr=0.1*", "what?", "[!x]-{a,b}", "50%25 #2 é", "new\nline"]


def _state(step):
    weights = jnp.arange(12.0) + step
    return TrainState(jnp.int32(step), {"w": weights}, {"mean": weights[:3]}, {"trace": -weights})


@pytest.mark.parametrize("name", PATTERNS)
def test_a_run_is_whole_whatever_its_folder_is_called(tmp_path, name):
    with Checkpoints(tmp_path / name) as run:
        run.save(_state(1))
    with Checkpoints(tmp_path / name) as run:
        np.testing.assert_array_equal(run.restore(_state(0)).params["w"], _state(1).params["w"])
    model = load_raw_model(find_checkpoint(tmp_path / name))
    np.testing.assert_array_equal(model["params"]["w"], _state(1).params["w"])


def test_imported_weights_are_whole_whatever_their_folder_is_called(tmp_path):
    save_model(tmp_path / "out[1]", {"params": {"w": jnp.arange(5.0)}})
    model = load_raw_model(find_checkpoint(tmp_path / "out[1]"))
    np.testing.assert_array_equal(model["params"]["w"], np.arange(5.0))


@pytest.mark.parametrize("fault", ["nothing merged", "other values"])
def test_a_save_that_cannot_be_read_back_fails_and_the_one_before_it_stays(
    tmp_path, monkeypatch, fault
):
    with Checkpoints(tmp_path) as run:
        run.save(_state(1))
        run.save(_state(2))
    if fault == "nothing merged":
        monkeypatch.setattr("etils.epath.backend._OsPathBackend.glob", lambda *_: [])
        expected = "has no array"
    else:
        other = saving.checksums_of
        monkeypatch.setattr(
            saving, "checksums_of", lambda tree: other(jax.tree.map(lambda a: a + 1, tree))
        )
        expected = "has other values than were saved"
    with pytest.raises(DiskError, match=expected) as told, Checkpoints(tmp_path) as run:
        run.save(_state(3))
    assert "whole checkpoints of these steps: 1, 2" in str(told.value)
    left = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert left == ["1", "1.seal.json", "2", "2.seal.json"]


def test_a_home_is_what_a_shell_would_make_of_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand("~/runs/x") == tmp_path / "runs" / "x"
    assert expand("runs/~x") == expand("runs") / "~x"
    with pytest.raises(ValueError, match="home that is not known"):
        expand("~nobody-of-that-name/x")


@pytest.mark.parametrize(
    "address", ["hdfs://node/run", "https://host/run", "file:///run", "gs:/bucket/run", "gs://"]
)
def test_any_other_address_is_refused_before_any_work(tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    config = get_config()
    config.data.dir = address
    for use in (
        lambda: train_and_evaluate(get_config(), address),
        lambda: prepare(config.data),
        lambda: open_source(config.data, "train"),
        lambda: find_checkpoint(address),
    ):
        with pytest.raises(ValueError, match="is in a bucket or on a server .*[Mm]ount the bucket"):
            use()
    assert not list(tmp_path.iterdir())


def _a_file(folder):
    (folder / "runs").write_text("x")
    return folder / "runs" / "a", f"{folder / 'runs'} is a file"


def _a_link_to_nothing(folder):
    (folder / "runs").symlink_to(folder / "gone")
    return folder / "runs", "is a link to nothing"


def _proc(folder):
    return "/proc/posec3d/run", "of it, /proc is there"


def _closed(folder):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (folder / "closed").mkdir(mode=0o500)
    return folder / "closed" / "run", "Permission denied"


@pytest.mark.parametrize("make", [_a_file, _a_link_to_nothing, _proc, _closed])
def test_a_place_that_cannot_be_written_is_named_with_what_is_in_the_way(tmp_path, make):
    path, expected = make(tmp_path)
    with pytest.raises(DiskError, match="nothing can be written in") as told:
        make_writable(expand(path))
    assert expected in str(told.value) and "Choose another place" in str(told.value)
