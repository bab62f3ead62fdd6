"""Metric lines are valid JSON, resume reads as one run, and TensorBoard gets the same."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from posec3d_jax.runs import tensorboard
from posec3d_jax.runs.metric_writer import MetricWriter, read_metrics


def test_lines_and_non_finite_values(tmp_path, caplog):
    with MetricWriter(tmp_path) as writer:
        writer.write(10, {"train/loss": np.float32(0.5), "epoch": 1})
        writer.write(np.int64(20), {"train/loss": float("nan")})
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": 10, "train/loss": 0.5, "epoch": 1},
        {"step": 20, "train/loss": None},
    ]
    assert "step 20: train/loss is nan" in caplog.text


@pytest.mark.parametrize("value", ["0.5", None, True])
def test_values_that_are_no_numbers_are_refused(tmp_path, value):
    with pytest.raises(TypeError, match="'val/top1'"):
        MetricWriter(tmp_path).write(1, {"val/top1": value})


def test_other_processes_write_nothing(tmp_path):
    with MetricWriter(tmp_path, lead=False) as writer:
        writer.write(1, {"train/loss": 1.0})
        writer.truncate_after(0)
    assert not list(tmp_path.iterdir())


def test_a_resumed_run_reads_as_one(tmp_path):
    with MetricWriter(tmp_path) as writer:
        for step in (10, 20, 30):
            writer.write(step, {"train/loss": 1.0})
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 40, "train/lo')  # killed while writing
    with MetricWriter(tmp_path) as writer:
        writer.truncate_after(20)
        writer.write(30, {"train/loss": 2.0})
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [(line["step"], line["train/loss"]) for line in lines] == [(10, 1), (20, 1), (30, 2)]


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\nloss=3\n{"step": 2}\n')
    with pytest.raises(ValueError, match="metrics.jsonl, line 2: not JSON"):
        MetricWriter(tmp_path).truncate_after(1)
    path.write_text('{"loss": 1}\n')
    with pytest.raises(ValueError, match='line 1: expected an object with a "step"'):
        read_metrics(path)


def test_tensorboard_sees_every_number_at_once_and_forgets_what_is_written_anew(tmp_path):
    pytest.importorskip("tensorboardX", reason="the extra tensorboard is not installed")
    with MetricWriter(tmp_path) as writer:
        writer.write(300, {"train/loss": 1.5})
        assert _scalars(tmp_path) == [(300, 0, "train/loss", 1.5)]  # before it is closed
    with MetricWriter(tmp_path) as writer:
        writer.truncate_after(200)
        writer.write(210, {"train/loss": 2.5})
    start = [event for event in _scalars(tmp_path) if event[1]]
    assert start == [(201, 1, "", 0.0)] and (210, 0, "train/loss", 2.5) in _scalars(tmp_path)


def test_without_tensorboardx_the_lines_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "EventsWriter", None)
    with MetricWriter(tmp_path) as writer:
        writer.write(1, {"train/loss": 1.0})
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def _scalars(workdir: Path) -> list[tuple[int, int, str, float]]:
    """(step, session status, tag, value) of every event of a run's TensorBoard files."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted((workdir / "tensorboard").iterdir()):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            values = event.summary.value or ([None] if event.session_log.status else [])
            for value in values:
                tag, number = (value.tag, value.simple_value) if value else ("", 0.0)
                found.append((event.step, event.session_log.status, tag, number))
    return found
