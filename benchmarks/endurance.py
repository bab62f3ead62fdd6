"""What a run survives: kill -9 at random moments, SIGTERM, lost processes, thousands of steps.

    python -m benchmarks.endurance                                  # all four
    python -m benchmarks.endurance --figures=kills,memory --kills=5

Each figure starts real `posec3d train` processes of a tiny config that saves after every third
step (benchmarks/endurance_config.py), so that about every other kill lands inside a save.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from orbax.checkpoint import v1 as ocp

from benchmarks import endurance_config
from benchmarks.machine import machine
from posec3d_jax.machine import host
from posec3d_jax.prepare import prepare
from posec3d_jax.runs import records
from posec3d_jax.runs.checkpoints import find_checkpoint
from posec3d_jax.runs.metric_writer import METRICS_FILE, read_metrics

ROOT = Path(__file__).resolve().parents[1]
CONFIG = "benchmarks/endurance_config.py"
PATIENCE = 600  # seconds; a run that takes longer hangs
CLOCK = ("train/clips_per_second", "train/waiting_for_input")  # differ from run to run


class Runs:
    """Starts training processes that share a data set and a cache of compiled programs."""

    def __init__(self, folder: Path, *overrides: str):
        self.folder, self.data = folder, folder / "data"
        self._overrides = overrides
        if not self.data.exists():
            config = endurance_config.get_config()
            config.data.dir = str(self.data)
            prepare(config.data, progress=lambda line: None)

    def start(
        self, name: str, processes: int = 1, command: str = "train", **settings: str
    ) -> list[subprocess.Popen]:
        """Starts a command of posec3d in the directory `name`, as one or several processes."""
        port, started = free_port(), []
        compiled = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(self.folder / "compiled"))
        for number in range(processes):
            line = [sys.executable, "-m", "posec3d_jax.main", command]
            line += [f"--config={CONFIG}", f"--workdir={self.folder / name}"]
            line += [f"--config.data.dir={self.data}", *self._overrides]
            if processes > 1:
                line += [f"--coordinator=localhost:{port}", f"--num_processes={processes}"]
                line += [f"--process_id={number}"]
            environment = os.environ | {
                "POSEC3D_HOST_SETTINGS": "0",
                "JAX_NUM_CPU_DEVICES": "1",
                "JAX_COMPILATION_CACHE_DIR": compiled,
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
                **settings,
            }
            log = open(self.folder / f"{name}.{number}.log", "ab")  # noqa: SIM115
            started.append(
                subprocess.Popen(line, cwd=ROOT, env=environment, stdout=log, stderr=log)
            )
            log.close()
        return started

    def finish(
        self, name: str, processes: int = 1, command: str = "train", **settings: str
    ) -> None:
        """Runs to the end; raises if any process fails or hangs, and leaves none behind."""
        started = self.start(name, processes, command, **settings)
        try:
            for process in started:
                if status := process.wait(PATIENCE):
                    raise RuntimeError(f"{name}: exit status {status}\n{self.log(name)}")
        finally:
            for process in started:
                process.kill()  # which does nothing to one that has ended

    def log(self, name: str) -> str:
        """The last lines that the processes of a run printed."""
        logs = sorted(self.folder.glob(f"{name}.*.log"))
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in logs)

    def wait_for_step(self, name: str, step: int) -> None:
        """Returns once the metrics hold that step."""
        path, started = self.folder / name / METRICS_FILE, time.monotonic()
        while f'"step": {step},' not in (path.read_text() if path.exists() else ""):
            if time.monotonic() - started > PATIENCE:
                raise RuntimeError(f"{name}: no step {step} after {PATIENCE} s\n{self.log(name)}")
            time.sleep(0.02)

    def steps(self, name: str) -> int:
        return read_metrics(self.folder / name / METRICS_FILE)[-1]["step"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def result(workdir: Path) -> tuple[str, list[dict]]:
    """Digest of every array in the last checkpoint, and the metrics but those of the clock."""
    digest = hashlib.sha256()
    parts = ocp.load_checkpointables(find_checkpoint(workdir))
    for path, leaf in jax.tree_util.tree_leaves_with_path(parts):
        digest.update(jax.tree_util.keystr(path).encode() + np.asarray(leaf).tobytes())
    return digest.hexdigest(), metrics(workdir)


def metrics(workdir: Path) -> list[dict]:
    """The lines of a run's metrics, without those of the clock."""
    lines = read_metrics(workdir / METRICS_FILE)
    return [{k: v for k, v in line.items() if k not in CLOCK} for line in lines]


def measure_kills(runs: Runs, count: int, seed: int = 0) -> dict:
    """kill -9 at random moments of a run, then the same command again: is the end the same?"""
    (process,) = runs.start("whole")
    runs.wait_for_step("whole", 1)
    started = time.monotonic()
    if process.wait(PATIENCE):
        raise RuntimeError(runs.log("whole"))
    seconds, expected = time.monotonic() - started, result(runs.folder / "whole")
    rng, trials = np.random.default_rng(seed), []
    for moment in np.sort(rng.uniform(0, 0.9 * seconds, count)):
        trial = kill_and_resume(runs, float(moment), expected)
        trials.append(trial)
        print(f"kill -9 at step {trial['step']:4}, inside a save: {trial['inside_a_save']}, "
              f"bit-identical end: {trial['identical']}", flush=True)  # fmt: skip
    return {
        "kills": count,
        "identical": sum(trial["identical"] for trial in trials),
        "inside_a_save": sum(trial["inside_a_save"] for trial in trials),
        "seconds_of_a_run": round(seconds, 2),
        "trials": trials,
    }


def kill_and_resume(runs: Runs, moment: float, expected: tuple) -> dict:
    """One kill, so many seconds after the first step, and the run that goes on from there."""
    name = "killed"
    shutil.rmtree(runs.folder / name, ignore_errors=True)
    (process,) = runs.start(name)
    runs.wait_for_step(name, 1)
    time.sleep(moment)
    process.kill()
    process.wait()
    inside = any((runs.folder / name / "checkpoints").glob("*.orbax-checkpoint-tmp*"))
    step = runs.steps(name)
    runs.finish(name)
    identical = result(runs.folder / name) == expected
    return {"seconds": round(moment, 3), "step": step, "inside_a_save": inside,
            "identical": identical}  # fmt: skip


def measure_sigterm(folder: Path) -> dict:
    """Seconds from SIGTERM to the end of a saved run of the demonstration's network and batch."""
    clips = "--config.data.reader_options.num_clips=400"  # their number changes no step
    command = [sys.executable, "-m", "posec3d_jax.main"]
    flags = ["--config=configs/demo.py", f"--config.data.dir={folder / 'demo'}", clips]
    flags += ["--config.data.storage=pack", "--config.data.loader=threads"]
    subprocess.run([*command, "prepare", *flags], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    workdir = folder / "sigterm"
    flags += [f"--workdir={workdir}", "--config.train.log_every=1"]
    process = subprocess.Popen([*command, "train", *flags], cwd=ROOT)
    while not (workdir / METRICS_FILE).exists():
        time.sleep(0.05)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status = process.wait(PATIENCE)
    seconds = time.monotonic() - started
    lines = read_metrics(workdir / METRICS_FILE)
    saved = int(find_checkpoint(workdir).name)
    print(f"SIGTERM to saved and stopped: {seconds:.1f} s, exit status {status}", flush=True)
    return {"seconds": round(seconds, 2), "exit_status": status, "step": lines[-1]["step"],
            "saved_step": saved}  # fmt: skip


def measure_processes(runs: Runs, counts: tuple[int, ...] = (1, 2, 4), stop_at: int = 20) -> dict:
    """The same run on several numbers of processes, resumed on others, and with one killed."""
    runs.finish("on1")
    expected = metrics(runs.folder / "on1")
    rows = []
    for count in counts[1:]:
        runs.finish(f"on{count}", count)
        rows.append({"processes": count} | compare(runs.folder / f"on{count}", expected))
    for first, then in ((2, 1), (1, counts[-1])):
        name = f"from{first}to{then}"
        started = runs.start(name, first)
        runs.wait_for_step(name, stop_at)
        started[-1].send_signal(signal.SIGTERM)  # one of them is told, all stop
        statuses = [process.wait(PATIENCE) for process in started]
        step = int(find_checkpoint(runs.folder / name).name)
        runs.finish(name, then)
        rows.append(
            {"processes": f"{first}, resumed on {then}", "exit_statuses": statuses, "step": step}
            | compare(runs.folder / name, expected)
        )
    for row in rows:
        print(row, flush=True)
    return {"runs": rows, "killed": measure_lost_process(runs)}


def measure_lost_process(runs: Runs) -> dict:
    """Seconds until the rest of a job ends when one of its processes is killed."""
    first, second = runs.start("lost", 2)
    runs.wait_for_step("lost", 4)
    second.kill()
    started = time.monotonic()
    status = first.wait(PATIENCE)
    seconds = time.monotonic() - started
    print(f"one of two processes killed: the other ended in {seconds:.1f} s, status {status}")
    return {"seconds": round(seconds, 2), "exit_status": status}


def compare(workdir: Path, expected: list[dict]) -> dict:
    """Largest differences of losses and of other metrics between a run and another's lines."""
    lines = metrics(workdir)
    same_steps = [x["step"] for x in lines] == [x["step"] for x in expected]
    pairs = [(x[k], y[k], k) for x, y in zip(lines, expected, strict=False) for k in x if k in y]
    losses = [abs(a - b) for a, b, key in pairs if key.endswith("/loss")]
    others = [abs(a - b) for a, b, key in pairs if key.startswith("val/") and "loss" not in key]
    return {
        "same_steps": same_steps,
        "largest_loss_difference": max(losses),
        "largest_metric_difference": max(others, default=0.0),
    }


def measure_memory(folder: Path, first: int = 200, last: int = 2200) -> dict:
    """Memory of host and device, threads and open files, again and again in one long run.

    The host's goes up and down by some percent between a save and the next, so that two single
    moments say little. Its growth is that of the straight line through all of them.
    """
    out = folder / "footprints.json"
    command = [sys.executable, "-m", "benchmarks.long_run", f"--folder={folder}", f"--out={out}"]
    environment = {k: v for k, v in os.environ.items() if k not in (host.SWITCH, host.TUNABLES)}
    subprocess.run(
        [*command, f"--first={first}", f"--last={last}"], cwd=ROOT, env=environment, check=True
    )
    steps = json.loads(out.read_text())
    sizes = [held["host_bytes"] for held in steps.values()]
    slope, start = np.polyfit([int(step) - first for step in steps], sizes, 1)
    kept = sorted(int(p.name) for p in (folder / "memory" / "checkpoints").iterdir())
    figures = {
        "growth": round(float(slope * (last - first) / start), 5),
        "last_against_first": round(sizes[-1] / sizes[0] - 1, 5),
        "least_megabytes": round(min(sizes) / 1e6, 1),
        "most_megabytes": round(max(sizes) / 1e6, 1),
    }
    print(f"host memory from step {first} to {last}: {figures}", flush=True)
    return figures | {"checkpoints_kept": kept, "steps": steps}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--figures", default="kills,sigterm,processes,memory")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=2200, help="of the memory figure")
    parser.add_argument("--folder", type=Path, help="where to run; kept (else a temporary one)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/endurance.json"))
    options = parser.parse_args()
    record = json.loads(options.out.read_text()) if options.out.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures = {
            "kills": lambda: measure_kills(Runs(folder), options.kills),
            "sigterm": lambda: measure_sigterm(folder),
            "processes": lambda: measure_processes(Runs(folder)),
            "memory": lambda: measure_memory(folder, last=options.steps),
        }
        for name in options.figures.split(","):
            record[name] = figures[name]() | {
                "command": records.command(),
                "machine": machine(),
                "versions": records.versions(),
            }
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
