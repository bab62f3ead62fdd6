"""Real processes, killed and lost and resumed: the short form of benchmarks/endurance.py.

The long form, with its bars, is marked slow: make test-slow.
"""

import signal

import pytest

from benchmarks import endurance

SHORT = ("--config.train.epochs=8", "--config.train.validate_every=4")  # 24 steps
MINUTE = 60


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return endurance.Runs(tmp_path_factory.mktemp("endurance"), *SHORT)


def test_kill_9_and_the_same_command_again(runs):
    figures = endurance.measure_kills(runs, count=2)
    assert figures["identical"] == 2, figures


def test_two_processes_are_told_to_stop_and_one_goes_on(runs):
    """SIGTERM to one of two; both stop at the same step; one process does the rest."""
    first, second = runs.start("two", 2)
    runs.wait_for_step("two", 2)
    second.send_signal(signal.SIGTERM)
    assert [first.wait(MINUTE), second.wait(MINUTE)] == [75, 75], runs.log("two")
    assert "stopped by SIGTERM after step" in runs.log("two")
    runs.finish("two")
    runs.finish("one")
    _, expected = endurance.result(runs.folder / "one")
    difference = endurance.compare(runs.folder / "two", expected)
    assert difference["same_steps"] and difference["largest_loss_difference"] < 1e-4
    assert difference["largest_metric_difference"] == 0


def test_the_death_of_a_process_ends_the_job(runs):
    lost = endurance.measure_lost_process(runs)
    assert lost["exit_status"] != 0 and lost["seconds"] < 40


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


@pytest.mark.slow
def test_memory_stays_flat_over_two_thousand_steps(tmp_path):
    figures = endurance.measure_memory(tmp_path)
    first, last = figures["steps"].values()
    assert figures["growth"] <= 0.02, figures
    for held in ("device_arrays", "threads", "open_files"):
        assert last[held] <= first[held], figures
    assert len(figures["checkpoints_kept"]) <= 3
