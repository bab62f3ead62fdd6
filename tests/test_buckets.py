"""Runs and data sets in buckets: trained, resumed and tested there; and what a bucket lacks."""

import json
import shutil

import pytest

from posec3d_jax.config.stored import load_config
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.evaluate import evaluate
from posec3d_jax.files import bucket_locks, buckets
from posec3d_jax.files.bucket_locks import working_in
from posec3d_jax.files.buckets import BucketError, fetch, local_folder, mirror_of, send
from posec3d_jax.files.locks import LockedError
from posec3d_jax.predict import load_predictor
from posec3d_jax.prepare import prepare
from posec3d_jax.reports.report import write_report
from posec3d_jax.runs.metric_writer import read_metrics
from posec3d_jax.runs.records import RUN_FILE
from posec3d_jax.steps.protocol import ONE_CLIP
from posec3d_jax.train import train_and_evaluate
from tests.bucket import bucket
from tests.tiny import tiny_config

RUN, DATA = "gs://bucket/runs/tiny [1]", "gs://bucket/data/simulated"


@pytest.fixture
def objects(monkeypatch, tmp_path):
    monkeypatch.setattr(bucket_locks, "SETTLE_SECONDS", 0.01)
    monkeypatch.setattr(buckets, "_PAUSE", 0.01)
    buckets._fetched.cache_clear()
    yield bucket(monkeypatch, tmp_path / "cache")
    buckets._fetched.cache_clear()


def _another_machine(tmp_path):
    """Whatever this one had of the bucket is gone."""
    shutil.rmtree(tmp_path / "cache")
    buckets._fetched.cache_clear()


def test_a_run_and_its_data_live_in_a_bucket(tmp_path, objects):
    config = tiny_config(tmp_path)
    config.data.dir = DATA
    prepare(config.data, progress=lambda line: None)
    _another_machine(tmp_path)

    def stop(plan, step):
        if step > plan.per_epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_and_evaluate(config, RUN, after_step=stop)
    first = [name for name in objects.names(RUN) if name.endswith("seal.json")]
    _another_machine(tmp_path)
    train_and_evaluate(config, RUN)
    steps = [line["step"] for line in read_metrics(mirror_of(RUN) / "metrics.jsonl")]
    assert first == ["checkpoints/5.seal.json"] and sorted(set(steps)) == list(range(1, 11))
    assert json.loads(objects.objects[f"{RUN}/{RUN_FILE}"][0])["done"]

    _another_machine(tmp_path)
    result = evaluate(load_config(RUN), RUN, split="test", chosen=(ONE_CLIP,))
    write_report(RUN)
    _another_machine(tmp_path)
    load_predictor(RUN)
    names = objects.names(RUN)
    assert "report.html" in names and "evaluations/test-1-clip/scores.npz" in names
    stored = json.loads(objects.objects[f"{RUN}/evaluations/test-1-clip/metrics.json"][0])
    assert stored["top1"] == result["1 clip"]["top1"]
    assert not [name for name in names if name.endswith(".lock")]
    assert list(tmp_path.iterdir()) == [tmp_path / "cache", tmp_path / "simulated"]


def test_what_says_that_the_rest_is_whole_is_sent_last_and_deleted_first(tmp_path, objects):
    folder = mirror_of("gs://b/data")
    folder.mkdir(parents=True)
    for text in ("first", "second"):
        for name in ("info.json", "a", "z"):
            (folder / name).write_text(text)
        objects.done.clear()
        send(folder, (".",))
        marks = [done for done, name in objects.done if name.endswith("info.json")]
        assert objects.done[-1] == ("put", "gs://b/data/info.json")
        assert marks == ["put"] if text == "first" else ["deleted", "put"]
    assert objects.done[0] == ("deleted", "gs://b/data/info.json")


def test_only_what_changed_is_moved_and_only_ones_own_is_sent(tmp_path, objects):
    objects.put("gs://b/run/config.json", b"old")
    objects.put("gs://b/run/evaluations/x/scores", b"one")
    folder = local_folder("gs://b/run")
    objects.put("gs://b/run/evaluations/x/scores", b"two")  # by somebody else
    (folder / "config.json").write_text("new")
    (folder / "evaluations" / "x" / "scores").write_text("here")
    objects.done.clear()
    send(folder, ("config.json",))
    assert objects.done == [("put", "gs://b/run/config.json")]
    objects.done.clear()
    fetch(folder)
    assert objects.done == [("got", "gs://b/run/evaluations/x/scores")]
    assert (folder / "evaluations" / "x" / "scores").read_text() == "two"


def test_a_second_machine_is_told_who_holds_the_run(tmp_path, objects, monkeypatch):
    address = "gs://b/run/run.lock"
    holder = {"host": "node7", "pid": 1, "since": "2026", "command": "posec3d train", "beat": 1}
    objects.put(address, json.dumps(holder).encode())
    reads = iter(range(2, 9))
    real = bucket_locks._read

    def alive(place):
        return real(place) | {"beat": next(reads)}

    folder = mirror_of("gs://b/run")
    monkeypatch.setattr(bucket_locks, "_read", alive)
    with pytest.raises(LockedError, match="gs://b/run is in use by process 1 on node7"):
        with working_in(folder, folder / "run.lock", "posec3d train", (".",)):
            pass
    monkeypatch.setattr(bucket_locks, "_read", real)
    monkeypatch.setattr(bucket_locks, "WATCH_SECONDS", 0.1)
    with working_in(folder, folder / "run.lock", "posec3d train", (".",)):  # a dead one is no bar
        assert b"node7" not in objects.objects[address][0]
    assert address not in objects.objects


def test_of_two_that_begin_at_once_one_gives_way(tmp_path, objects, monkeypatch):
    folder, real = mirror_of("gs://b/run"), bucket_locks._write

    def overtaken(address, holder):
        real(address, holder)
        real(address, {"word": "another's", "host": "node7", "pid": 3})

    monkeypatch.setattr(bucket_locks, "_write", overtaken)
    with pytest.raises(LockedError, match="process 3 on node7"):
        with working_in(folder, folder / "run.lock", "posec3d train", (".",)):
            pass


def test_a_bucket_that_fails_is_tried_again_and_then_named(tmp_path, objects, monkeypatch):
    objects.put("gs://b/data/info.json", b"{}")
    failures, real = [], objects.stat

    def failing(path):
        failures.append(path)
        if len(failures) in wanted:
            raise RuntimeError("503 try again\nlong dump")
        return real(path)

    monkeypatch.setattr(objects, "stat", failing)
    wanted = {1, 2}
    assert (local_folder("gs://b/data") / "info.json").read_text() == "{}"
    wanted, buckets._fetched = set(range(99)), buckets._fetched
    buckets._fetched.cache_clear()
    with pytest.raises(BucketError, match=r"gs://b/data cannot be read .*503 try again\)\. Check"):
        local_folder("gs://b/data")


def test_what_cannot_work_is_refused(tmp_path, objects, monkeypatch):
    objects.put("gs://b/data/../../../x", b"")
    with pytest.raises(BucketError, match="leads out of it"):
        local_folder("gs://b/data")
    with pytest.raises(ValueError, match="no . or .. in it"):
        mirror_of("gs://b/../../x")
    monkeypatch.setattr("jax.process_count", lambda: 2)
    with pytest.raises(ValueError, match="mount the bucket on each machine"):
        train_and_evaluate(tiny_config(tmp_path), "gs://b/run")
    config = tiny_config(tmp_path)
    config.data.dir = "gs://b/nothing"
    with pytest.raises(ValueError, match="posec3d prepare"):
        open_source(config.data, "train")
