"""The cost studies: volumes cost the same for any number of persons, measurements are kept."""

import csv

import pytest

from experiments.studies import command, cost, efficiency, scalability
from experiments.studies.report import write_study
from experiments.studies.runs import Job
from posec3d_jax.config import networks
from posec3d_jax.files import disk


def _config(network, persons):
    """A narrow network on short clips."""
    config = scalability.person_config(network, persons)
    config.model.width = 4
    config.sampling.num_frames = 8
    config.volume.train_size = config.volume.test_size = (16, 16)
    return config


def test_volumes_cost_the_same_for_any_number_of_persons_and_graphs_in_proportion():
    volume = [cost.counts(_config("c3d_light", persons)) for persons in (1, 13)]
    assert volume[0] == volume[1]
    one, many = (cost.counts(_config("stgcn", persons)) for persons in (1, 13))
    assert many["parameters"] == one["parameters"]
    for counting in ("multiply_adds", "multiply_adds_all"):
        assert many[counting] == pytest.approx(13 * one[counting], rel=1e-2)  # but for the head
    assert one["multiply_adds"] < one["multiply_adds_all"]


def test_the_group_setting_is_the_papers():
    counted = cost.counts(scalability.volleyball_config("slowonly"))
    assert counted["parameters"] == pytest.approx(0.52, rel=0.03)
    assert counted["multiply_adds"] == pytest.approx(1.6, rel=0.01)
    config = scalability.volleyball_config("msg3d")
    assert (config.data.max_persons, config.sampling.num_frames) == (13, 20)
    assert config.geometry.flip == 0 and not config.sampling.test_flip  # left is part of the label


@pytest.mark.parametrize("network", ["c3d_light", pytest.param("stgcn", marks=pytest.mark.slow)])
def test_cases_run_and_know_their_memory(network):
    config = _config(network, 3)
    step = cost.training_step(config, 2)
    assert step.run()["loss"] > 0 and step.run()["loss"] > 0 and step.memory > 1e4
    test = cost.forward(config, 2)
    assert test.run()["scores"].shape == (2, config.data.num_classes) and test.memory > 1e4
    assert cost.encoding(config, 2).run().shape[0] == 2
    assert 0 <= cost.latency(config).run().label < config.data.num_classes


def test_rounds_are_kept_and_not_timed_again(tmp_path):
    calls = []
    makers = {"a": lambda: cost.Case(lambda: calls.append("a"), 5)}
    makers["b"] = lambda: cost.Case(lambda: calls.append("b"), 6)
    rounds = cost.measure(makers, {"batch": 1}, tmp_path, 2, 0.0)
    assert calls == ["a", "b", "a", "b", "b", "a"]  # warmed up, then in turns
    assert [part["memory"] for part in rounds] == 2 * [{"a": 5, "b": 6}]
    (tmp_path / "round-1.json").unlink()
    again = cost.measure(makers, {"batch": 1}, tmp_path, 2, 0.0)
    assert len(calls) == 10 and again[0] == rounds[0]
    assert cost.measure({}, {"batch": 1}, tmp_path, 2, 0.0) == again
    with pytest.raises(ValueError, match="times of another setting"):
        cost.measure(makers, {"batch": 2}, tmp_path, 2, 0.0)


def test_figures_are_medians_and_ratios_those_of_the_rounds():
    rounds = [{"seconds": {"x": x, "y": y}} for x, y in ((1.0, 2.0), (9.0, 3.0), (2.0, 2.0))]
    assert cost.median_of(rounds, "x") == 2
    assert cost.ratio_of(rounds, "x", "y") == 1


def _pretended(makers, setting, folder, rounds, seconds):
    """Rounds as `measure` returns them, without measuring: everything takes 10 ms."""
    times = dict.fromkeys(makers, 0.01)
    return [
        {"seconds": times, "memory": dict.fromkeys(times, 10**6), "machine": {"load_before": 1}}
    ] * rounds


@pytest.mark.parametrize("preset", ["small", "paper"])
def test_scalability_reports_what_was_measured(preset, tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "measure", _pretended)
    monkeypatch.setattr(cost, "counts", _counts)
    rows = scalability.measure(preset, tmp_path)
    jobs = scalability.jobs(preset, (0, 1, 2))
    rows += [job.facts | {"top1": 0.5 + 0.1 * job.facts["seed"]} for job in jobs]
    paths = write_study(scalability.report(preset, rows), tmp_path / "report")
    page = paths[2].read_text()
    assert "| persons 1 | persons 2 | persons 4 | persons 8 | persons 13 |" in page
    assert "*PoseConv3D (paper)*" in page and ("60.0 ± 10.0" in page) == (preset == "paper")
    (row,) = (row for row in rows if row["network"] == "slowonly" and row["persons"] == 8)
    assert row["step_ms"] == 10 and row["drawing_share"] == 1 and row["step_ratio"] == 1
    with open(paths[1], newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)


def test_efficiency_reports_all_networks_in_one_table(tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "measure", _pretended)
    monkeypatch.setattr(cost, "counts", _counts)
    rows = efficiency.measure("small", tmp_path)
    rows += [job.facts | {"top1": 0.5} for job in efficiency.jobs("small", (0, 1, 2))]
    page = write_study(efficiency.report("small", rows), tmp_path)[2].read_text()
    for network in networks.ALL_NETWORKS:
        assert f"| {network.replace('_', ' ')} | 7 | " in page
    assert "top-1 (%)" in page and "| 50 ± 0 |" in page


def _counts(config):
    return dict.fromkeys(("parameters", "multiply_adds", "multiply_adds_all"), 7.0)


def test_counts_are_kept_with_the_config_that_they_are_of(tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "counts", _counts)
    first = cost.counts_once(_config("stgcn", 1), tmp_path / "a.json")
    monkeypatch.setattr(cost, "counts", lambda config: {"parameters": 8.0})
    assert cost.counts_once(_config("stgcn", 1), tmp_path / "a.json") == first
    assert cost.counts_once(_config("stgcn", 2), tmp_path / "a.json") == {"parameters": 8.0}
    assert disk.read_json(tmp_path / "a.json")["counts"] == {"parameters": 8.0}


def test_networks_to_train_can_be_chosen():
    jobs = [Job(None, {"network": network}, []) for network in ("slowonly", "stgcn", "slowonly")]
    assert command.choose(jobs, None) == jobs
    assert len(command.choose(jobs, ["slowonly"])) == 2
    assert command.choose(jobs, [""]) == command.choose(jobs, []) == []
    with pytest.raises(ValueError, match="'msg3d'.*has .*slowonly"):
        command.choose(jobs, ["msg3d"])
