"""Metric lines are valid JSON, resume reads as one run, and event files follow the format."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from posec3d_jax.runs import event_file
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
    with open(next((tmp_path / "tensorboard").iterdir()), "ab") as file:
        file.write(b"\x20\0\0\0\0\0\0\0half an event")
    with MetricWriter(tmp_path) as writer:
        writer.truncate_after(20)
        writer.write(30, {"train/loss": 2.0})
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [(line["step"], line["train/loss"]) for line in lines] == [(10, 1), (20, 1), (30, 2)]
    first, second = sorted((tmp_path / "tensorboard").iterdir())
    version, *steps = _events(first) + _events(second)[2:]
    assert [event[9:11] for event in steps] == [b"\x10\x0a", b"\x10\x14", b"\x10\x1e"]
    restart = _events(second)[1]
    assert restart[9:] == b"\x10\x15" + b"\x3a\x02\x08\x01"  # step 21, session log: started


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\nloss=3\n{"step": 2}\n')
    with pytest.raises(ValueError, match="metrics.jsonl, line 2: not JSON"):
        MetricWriter(tmp_path).truncate_after(1)
    path.write_text('{"loss": 1}\n')
    with pytest.raises(ValueError, match='line 1: expected an object with a "step"'):
        read_metrics(path)


def test_event_file(tmp_path):
    events = event_file.EventFile(tmp_path)
    events.scalars(300, {"a": 1.5})
    events.close()
    version, scalar = _events(next(tmp_path.iterdir()))
    assert version[9:] == b"\x1a\x0d" + b"brain.Event:2"
    value = b"\x0a\x01a" + b"\x15" + struct.pack("<f", 1.5)
    assert scalar[9:] == b"\x10\xac\x02" + b"\x2a\x0a" + b"\x0a\x08" + value


def test_checksum_is_crc32c():
    (masked,) = struct.unpack("<I", event_file._checksum(b"123456789"))
    rotated = masked - 0xA282EAD8 & 0xFFFFFFFF
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0xE3069283  # the published check value


def _events(path: Path) -> list[bytes]:
    """The serialized events of a file, with its framing checked."""
    data, events = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = data[12 : 12 + length]
        assert data[8:12] == event_file._checksum(data[:8])
        assert data[12 + length : 16 + length] == event_file._checksum(event)
        events.append(event)
        data = data[16 + length :]
    return events
