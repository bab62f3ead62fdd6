"""Trainings and tests of studies: each is done once, and its result is kept in the job's directory.

A job is one training and any number of tests of it. Its directory is named by the config, so two
studies that need the same training share it.
"""

import fcntl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from absl import logging

from posec3d_jax.config import stored
from posec3d_jax.evaluate import FOLDER as EVALUATIONS
from posec3d_jax.evaluate import evaluate
from posec3d_jax.files import disk
from posec3d_jax.runs import records
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol
from posec3d_jax.train import train_and_evaluate

FINISHED = "finished.json"  # in a run's directory: the config that was trained to its end
WAIT = 5  # seconds between two looks at what other processes do
FIGURES = ("top1", "top5", "mean_class", "loss", "clips")


@dataclass(frozen=True)
class Test:
    """One test of a trained network."""

    name: str  # unique within the job
    config: Any  # the job's with another data set, split or noise
    facts: Mapping[str, Any] = field(default_factory=dict)  # columns of its row
    protocol: Protocol = ONE_CLIP

    __test__ = False  # pytest would take the name for a test


@dataclass(frozen=True)
class Job:
    """One training, and its tests."""

    config: Any  # `name` and `seed` name the directory
    facts: Mapping[str, Any]  # columns of its tests' rows: {'network': 'stgcnpp', 'seed': 0}
    tests: Sequence[Test]
    then: Sequence["Job"] = ()  # trainings that start from its weights
    starts: Mapping[str, str] = field(default_factory=dict)  # keys of the config, and earlier jobs

    @property
    def name(self) -> str:
        return f"{self.config.name}-seed{self.config.seed}"


def run_jobs(jobs: Sequence[Job], folder: Path) -> list[dict[str, Any]]:
    """Trains and tests where that is not done yet; a row for every test, in the order of the jobs.

    Any number of processes may share the jobs of a folder: a job belongs to one process at a time,
    and each process returns all rows. A job that starts from others waits for them.
    """
    done: dict[str, list[dict[str, Any]]] = {}
    Path(folder).mkdir(parents=True, exist_ok=True)
    while left := [job for job in jobs if job.name not in done]:
        before = len(done)
        for job in left:
            if not done.keys() >= set(job.starts.values()):
                continue
            with claimed(Path(folder) / f"{job.name}.lock") as mine:
                if mine:
                    logging.info("job %d of %d: %s", len(done) + 1, len(jobs), job.name)
                    done[job.name] = list(run_job(job, folder))
        if len(done) == before:
            time.sleep(WAIT)  # other processes are training the rest
    return [row for job in jobs for row in done[job.name]]


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Whether this process got the lock on the file; freed on leaving, or when the process ends."""
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def run_job(job: Job, folder: Path) -> Iterator[dict[str, Any]]:
    """Trains unless that is done, and yields each test's row, tested now or earlier.

    Raises:
      ValueError: the directory holds a finished run of another config.
    """
    workdir = Path(folder) / job.name
    for key, name in job.starts.items():
        job.config[key] = str(Path(folder) / name)
    train_once(job.config, workdir)
    for test in job.tests:
        result = test_once(test, workdir)
        figures = {name: result[name] for name in FIGURES}
        tested = {"protocol": test.protocol.name, "run": job.name, "test": test.name}
        yield {**job.facts, **test.facts, **tested, **figures}
    for follower in job.then:
        follower.config.init_from = str(workdir)
        yield from run_job(follower, folder)


def scores_of(row: Mapping[str, Any], folder: Path) -> Path:
    """Where the scores of a row's test are, for fusion."""
    name = f"{row['test']}-{row['protocol']}".replace(" ", "-")
    return Path(folder) / row["run"] / EVALUATIONS / name


def trainings(rows: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    """By name, how each run of the rows was trained: its config, seconds, steps, versions."""
    names = dict.fromkeys(row["run"] for row in rows if "run" in row)
    return {name: _training(Path(folder) / name) for name in names}


def _training(workdir: Path) -> dict[str, Any]:
    run = disk.read_json(workdir / records.RUN_FILE)
    for key in ("class_names", "command"):  # the record has the study's own command
        run.pop(key, None)
    return run | {"config": disk.read_json(workdir / stored.CONFIG_FILE)}


def train_once(config, workdir: Path) -> None:
    """Trains to the end, unless the directory says that it was done with this very config."""
    wanted = stored.config_to_dict(config)
    found = stored.with_later_keys(disk.read_json(workdir / FINISHED))
    if not found:
        train_and_evaluate(config, workdir)
        disk.write_json(workdir / FINISHED, wanted)
    elif found != wanted:
        raise ValueError(
            f"{workdir} holds a finished run with other settings ({_difference(found, wanted)}); "
            "use another --workdir, or remove it"
        )


def test_once(test: Test, workdir: Path) -> dict[str, Any]:
    """The test's figures; kept in <workdir>/tests with the config that gave them."""
    path = workdir / "tests" / f"{test.name}-{test.protocol.name}.json".replace(" ", "-")
    wanted = stored.config_to_dict(test.config)
    found = disk.read_json(path)
    if stored.with_later_keys(found.get("config", {})) != wanted:
        result = evaluate(test.config, workdir, chosen=(test.protocol,), name=test.name)
        found = {"result": result[test.protocol.name], "config": wanted}
        path.parent.mkdir(exist_ok=True)
        disk.write_json(path, found)
    return found["result"]


test_once.__test__ = False  # pytest would take the name for a test


def _difference(found: Mapping, wanted: Mapping, path: str = "config") -> str:
    """The first key that differs, with both values."""
    for key in sorted(found.keys() | wanted.keys()):
        old, new = found.get(key), wanted.get(key)
        if old != new and isinstance(old, dict) and isinstance(new, dict):
            return _difference(old, new, f"{path}.{key}")
        if old != new:
            return f"{path}.{key} is {old}, now {new}"
    return ""
