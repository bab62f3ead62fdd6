"""The model in the package: small, made into a run once, and right about simulated people."""

import numpy as np
import pytest

from posec3d_jax.commands.table import COMMANDS
from posec3d_jax.commands.weights import run as run_command
from posec3d_jax.data import simulation
from posec3d_jax.data.simulation.scene import Plan, shoot
from posec3d_jax.flags import read_request
from posec3d_jax.predict import load_predictor
from posec3d_jax.weights.builtin import MODEL, NAME, WEIGHTS, builtin_run
from posec3d_jax.weights.getting import get_weights


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield builtin_run()


def test_it_is_small_and_free():
    assert (MODEL / WEIGHTS).stat().st_size <= 5_000_000
    assert b"Apache-2.0" in (MODEL / WEIGHTS).read_bytes()[:2000]


def test_it_is_made_into_a_run_once(run):
    before = (run / "config.json").stat().st_mtime_ns
    assert builtin_run() == run and (run / "config.json").stat().st_mtime_ns == before
    assert [path.name for path in run.parent.iterdir()] == [run.name]


def test_it_tells_what_people_do_whom_it_never_saw(run):
    """One clip of each action, of a population that training did not have."""
    predictor, right = load_predictor(run), 0
    assert predictor.class_names == simulation.CLASS_NAMES
    for action, name in enumerate(simulation.CLASS_NAMES):
        clip = shoot(Plan(action, 90, 91, "test"), 999, action)
        found = predictor(clip.keypoint, clip.score, clip.frame_size)
        assert np.isclose(found.scores.sum(), 1, atol=1e-5)
        right += found.class_name == name
    assert right >= 15


def test_it_is_listed_and_can_be_got_by_name(tmp_path, capsys):
    command = next(command for command in COMMANDS if command.name == "weights")
    run_command(read_request(command, ["list", "simulated"]))
    assert f"{NAME}  in the package" in capsys.readouterr().out
    assert get_weights(NAME, tmp_path / "run").rows
