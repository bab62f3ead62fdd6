"""Two processes at one output: the second is told who the first is; a crash leaves no lock."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.evaluate import evaluate
from posec3d_jax.extract import extract
from posec3d_jax.files import locks
from posec3d_jax.files.disk import write_whole
from posec3d_jax.files.locks import LockedError, holding
from posec3d_jax.fuse import fuse_runs
from posec3d_jax.prepare import prepare
from posec3d_jax.recognise import recognise
from posec3d_jax.reports.inspection import draw_clips
from posec3d_jax.runs.evaluations import Scores, save_scores
from posec3d_jax.train import train_and_evaluate
from posec3d_jax.weights.getting import get_weights
from posec3d_jax.weights.importing import import_weights
from tests.tiny import tiny_config

HOLDER = """
import sys
from pathlib import Path
from posec3d_jax.files.locks import holding
with holding(Path(sys.argv[1]), Path("out"), "posec3d train --workdir=out"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Starts a process that holds a lock until it is told to end, or is killed."""
    started = []

    def start(path: Path) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_second_of_two_is_told_who_the_first_is(tmp_path, other):
    lock = tmp_path / "run.lock"
    first = other(lock)
    with pytest.raises(LockedError) as told, holding(lock, tmp_path, "posec3d train"):
        pass
    for part in (f"process {first.pid} on ", "since 20", "posec3d train --workdir=out", "spoil it"):
        assert part in str(told.value)
    first.communicate("")
    with holding(lock, tmp_path, "posec3d train"):
        assert lock.exists()
    assert not lock.exists()


def test_what_a_killed_process_held_is_free_at_once(tmp_path, other):
    lock = tmp_path / "run.lock"
    first = other(lock)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert json.loads(lock.read_text())["pid"] == first.pid
    with holding(lock, tmp_path, "posec3d train", watch=60):
        pass


def test_two_threads_of_one_process_are_two(tmp_path):
    lock = tmp_path / "run.lock"
    with holding(lock, tmp_path, "the first"):
        with pytest.raises(LockedError, match="the first"), holding(lock, tmp_path, "second"):
            pass


@pytest.mark.parametrize("alive", [True, False])
def test_another_machine_whose_locks_are_not_seen_here_is_watched(tmp_path, alive):
    lock = tmp_path / "run.lock"
    holder = {"host": "node7", "pid": 1, "since": "2026", "command": "posec3d train", "beat": 1}
    lock.write_text(json.dumps(holder))
    beat = threading.Timer(0.2, write_whole, (lock, json.dumps(holder | {"beat": 2})))
    if alive:
        beat.start()
        with pytest.raises(LockedError, match="process 1 on node7"):
            with holding(lock, tmp_path, "x", watch=1.5):
                pass
        beat.join()
    else:
        with holding(lock, tmp_path, "x", watch=0.1):
            assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_the_holder_counts_up_and_a_damaged_lock_is_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.01)
    lock = tmp_path / "run.lock"
    lock.write_text("[" * 1000)
    with holding(lock, tmp_path, "posec3d train " + "x" * 5000):
        while json.loads(lock.read_text())["beat"] < 3:
            pass


def _prepare(folder):
    config = tiny_config(folder)
    return prepare(config.data, overwrite=True, progress=lambda line: None)


def _evaluate(folder, out):
    (out / "checkpoints" / "0").mkdir(parents=True)
    return evaluate(tiny_config(folder), out)


def _fuse(folder, out):
    scores = Scores(("a", "b"), np.array([0, 1]), np.eye(2, dtype=np.float32), (), "1 clip")
    for name in ("joint.npz", "limb.npz"):
        save_scores(folder / name, scores)
    return fuse_runs([folder / "joint.npz", folder / "limb.npz"], out=out)


def _extract(folder, out):
    (folder / "a.mp4").touch()
    return extract([folder / "a.mp4"], out, shard=(2, 3))


def _inspect(folder, out):
    source = open_source(tiny_config(folder).data, "train")
    return draw_clips(source, [0], out)


COMMANDS = {
    "train": ("out/run.lock", lambda folder, out: train_and_evaluate(tiny_config(folder), out)),
    "import": (
        "out/run.lock",
        lambda folder, out: import_weights(folder / "x.pth", tiny_config(folder), out),
    ),
    "prepare": ("simulated.lock", lambda folder, out: _prepare(folder)),
    "evaluate": ("out/evaluations/test.lock", _evaluate),
    "fuse": ("out/run.lock", _fuse),
    "extract": ("out/shard-2-of-3.lock", _extract),
    "inspect": ("out/inspect.lock", _inspect),
    "recognise": ("out/recognise.lock", lambda folder, out: recognise(None, None, out)),
    "weights get": (
        "out/run.lock",
        lambda folder, out: get_weights("simulated-c3d_light-joint", out),
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_writes_a_folder_holds_it(tmp_path, command):
    tiny_config(tmp_path)
    name, run = COMMANDS[command]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    with holding(tmp_path / name, tmp_path / "out", "posec3d something"):
        with pytest.raises(LockedError, match="posec3d something"):
            run(tmp_path, tmp_path / "out")
    left = {path.suffix for path in set(tmp_path.rglob("*")) - set(before)}
    assert not left & {".png", ".json", ".partial", ".lock"}, left


def test_half_written_files_of_two_processes_have_two_names(tmp_path):
    threads = [
        threading.Thread(target=write_whole, args=(tmp_path / "x.json", str(i) * 100_000))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set((tmp_path / "x.json").read_text())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
