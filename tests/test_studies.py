"""The studies: jobs done once, tables with mean and spread, and presets that can be run."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from experiments.studies import (
    cross_annotation,
    cross_data_set,
    few_labels,
    interactions,
    interoperability,
    noise_training,
    pose_quality,
    precision,
    robustness,
    runs,
    sampling_and_crop,
    streams,
)
from experiments.studies.presets import prepare_once, skeleton_of
from experiments.studies.report import Study, markdown, write_study
from experiments.studies.runs import Job, Test, run_jobs
from experiments.studies.tables import Table, cells
from posec3d_jax.config.checks import check_config
from posec3d_jax.files.disk import read_json
from posec3d_jax.steps.recognizer import make_recognizer
from tests.tiny import tiny_config

STUDIES = (
    cross_annotation,
    cross_data_set,
    few_labels,
    interoperability,
    precision,
    robustness,
    sampling_and_crop,
    streams,
    noise_training,
    interactions,
    pose_quality,
)
ROWS = [
    {"network": network, "p": p, "seed": seed, "top1": top1 + 0.02 * seed}
    for network, top1 in (("volume", 0.8), ("graph", 0.6))
    for p in (0.0, 0.5, 1.0)
    for seed in (0, 1, 2)
]
TABLE = Table("Joints dropped", "top1", columns="p", published=[ROWS[0] | {"network": "theirs"}])


def every_job(study, preset):
    for job in study.jobs(preset, [0, 1]):
        yield job
        yield from job.then


def test_cells_hold_the_mean_and_the_spread_over_seeds():
    cell = cells(TABLE, ROWS)[("volume",)][0.5]
    assert (cell.mean, cell.spread, cell.count) == (pytest.approx(0.82), pytest.approx(0.02), 3)
    lines = markdown(TABLE, ROWS).splitlines()
    assert lines[2] == "| network | p 0.0 | p 0.5 | p 1.0 |"
    assert lines[4] == "| volume | 82.0 ± 2.0 | 82.0 ± 2.0 | 82.0 ± 2.0 |"
    assert lines[6] == "| *theirs (paper)* | 80.0 |  |  |"


def test_a_study_leaves_json_csv_markdown_and_a_picture(tmp_path):
    bars = Table("By seed", "top1", columns="seed", where={"p": 0.0})
    study = Study("noise", "Does it matter?", "small", ROWS, [TABLE, bars], ["another data set"])
    paths = write_study(study, tmp_path)
    assert [path.name for path in paths] == ["noise.json", "noise.csv", "noise.md", "noise.png"]
    record = json.loads(paths[0].read_text())
    assert len(record["rows"]) == 18 and len(record["means"]) == 6 + 6
    assert record["differs_from_the_paper"] == ["another data set"]
    assert next(csv.DictReader(paths[1].open()))["network"] == "volume"
    assert "82.0 ± 2.0" in paths[2].read_text() and "3 seeds" in paths[2].read_text()
    assert paths[3].read_bytes()[:4] == b"\x89PNG"


def test_streams_are_added_up_with_the_published_weights(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        streams, "fuse", lambda paths, weights: asked.append((paths, weights)) or {"fused": {}}
    )
    facts = {"network": "stgcnpp", "seed": 0, "test": "test", "protocol": "1 clip"}
    rows = [facts | {"stream": s, "run": s} for s in ("joint", "bone", "joint_motion")]
    assert [row["stream"] for row in streams.fused(rows, tmp_path)] == ["joint + bone"]
    rows.append(facts | {"stream": "bone_motion", "run": "bone_motion"})
    assert [row["stream"] for row in streams.fused(rows, tmp_path)] == ["joint + bone", "all four"]
    assert asked[-1][1] == [2, 2, 1, 1] and asked[-1][0][1].parts[-3] == "bone"


def test_jobs_are_done_once_and_their_followers_start_from_them(tmp_path, monkeypatch):
    config = tiny_config(tmp_path)
    config.train.epochs = 1
    later = config.copy_and_resolve_references()
    later.name = "after"
    tests = [Test("test", config, {"tested on": "test"})]
    job = Job(config, {"seed": 0}, tests, then=[Job(later, {"seed": 0}, tests)])
    rows = run_jobs([job], tmp_path / "runs")
    assert [row["run"] for row in rows] == ["tiny-seed0", "after-seed0"]
    assert read_json(tmp_path / "runs/after-seed0/config.json")["init_from"].endswith("tiny-seed0")
    assert all(0 <= row["top1"] <= 1 and row["tested on"] == "test" for row in rows)
    assert list(runs.trainings(rows, tmp_path / "runs")) == ["tiny-seed0", "after-seed0"]

    monkeypatch.setattr(runs, "train_and_evaluate", None)
    monkeypatch.setattr(runs, "evaluate", None)
    assert run_jobs([job], tmp_path / "runs") == rows
    config.optimizer.learning_rate = 0.123
    with pytest.raises(ValueError, match=r"tiny-seed0.*learning_rate is .*, now 0\.123"):
        run_jobs([job], tmp_path / "runs")


@pytest.mark.parametrize("preset", ["small", "paper"])
@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.__name__.split(".")[-1])
def test_every_job_of_a_study_can_be_made_and_is_tested_with_its_own_joints(study, preset):
    jobs = list(every_job(study, preset))
    named: dict[str, object] = {}
    for job in jobs:
        assert named.setdefault(job.name, job.config) == job.config, f"two trainings {job.name}"
        assert make_recognizer(check_config(job.config))
        for test in job.tests:
            assert skeleton_of(test.config).joints == skeleton_of(job.config).joints
            assert test.config.data.num_classes == job.config.data.num_classes
    assert {job.config.seed for job in jobs} == {0, 1}


def test_what_one_study_trained_is_found_by_the_others():
    known = (cross_annotation, cross_data_set)
    trained = {job.name: job.config for study in known for job in every_job(study, "small")}
    counts = ((robustness, 8), (streams, 4), (precision, 4), (few_labels, 8))
    for study, shared in counts:
        same = [job for job in every_job(study, "small") if job.name in trained]
        assert len(same) == shared
        assert all(job.config == trained[job.name] for job in same)


def test_a_job_waits_for_those_that_it_starts_from(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(runs, "run_job", lambda job, folder: done.append(job.name) or [])
    first, late = (Job(SimpleNamespace(name=name, seed=0), {}, []) for name in ("first", "late"))
    run_jobs([replace(late, starts={"init_from": first.name}), first], tmp_path)
    assert done == ["first-seed0", "late-seed0"]


def test_late_fusion_and_pathways_are_rows_of_their_own(tmp_path, monkeypatch):
    asked = []

    def fuse(paths):
        asked.append([path.name for path in paths])
        streams = [{"top1": 0.5, "top5": 1.0, "mean_class": 0.5, "path": "", "weight": 1}] * 2
        return {"fused": {"top1": 0.7, "top5": 1.0, "mean_class": 0.7}, "streams": streams}

    monkeypatch.setattr(interoperability, "fuse", fuse)
    facts = {"data set": "a", "seed": 0, "test": "test", "protocol": "1 clip", "mean_class": 0.5}
    names = ("RGB only", "pose only", "both ways")
    rows = [facts | {"network": name, "run": name, "top1": 0.6} for name in names]
    rows += interoperability.fused(rows, tmp_path)
    assert [row["network"] for row in rows[3:]] == ["late fusion", "both ways", "both ways"]
    assert [row.get("pathway") for row in rows[3:]] == [None, "rgb", "pose"]
    assert asked == [["test-1-clip"] * 2, ["test-rgb-1-clip", "test-pose-1-clip"]]
    accuracy, pathways = interoperability.report("small", rows).tables
    study = interoperability.report("small", rows)
    assert "| late fusion | 70.0 |" in markdown(accuracy, study.rows)
    assert "| both ways, rgb | 50.0 |" in markdown(pathways, study.rows)


def test_a_job_belongs_to_one_process_at_a_time(tmp_path):
    with runs.claimed(tmp_path / "job.lock") as mine, runs.claimed(tmp_path / "job.lock") as yours:
        assert mine and not yours
    with runs.claimed(tmp_path / "job.lock") as mine:
        assert mine


def test_data_that_are_not_prepared_are_asked_for(tmp_path):
    config = cross_annotation.data("small")[0]
    config.data.dir = str(tmp_path / "none")
    with pytest.raises(ValueError, match="--source=utd_mhad_kinect="):
        prepare_once(config, {}, {})
