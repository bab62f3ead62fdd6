"""Real processes, killed and lost and resumed: the short form of benchmarks/endurance.py.

The long form, with its bars, is marked slow: make test-slow.
"""

import numpy as np
import pytest

from benchmarks import endurance
from posec3d_jax.runs.evaluations import load_scores

SHORT = ("--config.train.epochs=8", "--config.train.validate_every=4")  # 24 steps


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return endurance.Runs(tmp_path_factory.mktemp("endurance"), *SHORT)


@pytest.fixture(scope="module")
def whole(runs):
    """The metrics of a run that nothing happened to, on one process."""
    runs.finish("whole")
    return endurance.result(runs.folder / "whole")


def test_kill_9_and_the_same_command_again(runs, whole):
    assert endurance.kill_and_resume(runs, 0.2, whole)["identical"]


def test_a_dead_process_ends_the_job_and_one_process_goes_on(runs, whole):
    lost = endurance.measure_lost_process(runs)
    assert lost["exit_status"] != 0 and lost["seconds"] < 40, runs.log("lost")
    runs.finish("lost")
    difference = endurance.compare(runs.folder / "lost", whole[1])
    assert difference["same_steps"] and difference["largest_loss_difference"] < 1e-4
    assert difference["largest_metric_difference"] == 0


def test_two_processes_evaluate_as_one_does(runs, whole):
    scores = []
    for processes in (2, 1):
        runs.finish("whole", processes, "evaluate")
        folder = runs.folder / "whole" / "evaluations" / "test-2-clips-x-flip"
        scores.append(load_scores(folder))
    assert scores[0].names == scores[1].names
    np.testing.assert_allclose(scores[0].scores, scores[1].scores, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_twenty_kills(tmp_path):
    figures = endurance.measure_kills(endurance.Runs(tmp_path), count=20)
    assert figures["identical"] == 20, figures


@pytest.mark.slow
def test_sigterm_of_the_demonstration(tmp_path):
    figures = endurance.measure_sigterm(tmp_path)
    assert figures["exit_status"] == 75 and figures["saved_step"] == figures["step"]
    assert figures["seconds"] <= 10


@pytest.mark.slow
def test_one_two_and_four_processes(tmp_path):
    figures = endurance.measure_processes(endurance.Runs(tmp_path))
    for row in figures["runs"]:
        assert row["same_steps"] and row["largest_loss_difference"] <= 1e-4, row
        assert row["largest_metric_difference"] == 0, row
        assert set(row.get("exit_statuses", [75])) == {75}, row


@pytest.mark.slow
def test_memory_stays_flat_over_two_thousand_steps(tmp_path):
    figures = endurance.measure_memory(tmp_path)
    first, *_, last = figures["steps"].values()
    assert figures["growth"] <= 0.02, figures
    for held in ("device_arrays", "threads", "open_files"):
        assert last[held] <= first[held], figures
    assert len(figures["checkpoints_kept"]) <= 3
