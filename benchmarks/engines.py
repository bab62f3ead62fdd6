"""A run's network under XLA beside the same one exported, in ONNX Runtime.

    python -m benchmarks.engines                                   # every part
    python -m benchmarks.engines --parts=stream --networks=x3d_shallow

Parts: `scores`, prepared clips to probabilities, one and four at a time, in alternating rounds;
`stream`, poses of 30 frames a second with ten labels a second, for one and two persons: how much of
a core that takes; `start`, `posec3d predict` as one types it, from the start of the process to the
first label it prints. Networks are untrained, which changes no time; `start` also has the model in
the package, exported and as the run that it is.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import FRAME_SIZE, make_clips
from benchmarks.machine import machine
from benchmarks.peers import Peer, alternate, choose_parts, compare

NETWORKS = ("slowonly", "c3d_light", "x3d_shallow", "stgcnpp")
ENGINES = ("xla", "onnxruntime")
BATCHES, PERSONS, LABELS = (1, 4), (1, 2), 10.0
STARTS = 5  # how often a process is started
Row = dict[str, Any]


class Bench:
    """A process for each engine, the exported networks, and how long to time them."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.networks, self.rounds = options.networks.split(","), options.rounds
        self.seconds, self.folder = options.seconds, folder
        self.peers = {engine: Peer("engine_cases") for engine in ENGINES}

    def file(self, network: str) -> str:
        """The exported network."""
        file = self.folder / f"{network}.onnx"
        if not file.exists():
            self.peers["xla"].prepare("export", network=network, file=str(file))
        return str(file)

    def ask(self, engine: str, case: str, network: str, **options: Any) -> Row:
        """Prepares a case; returns its facts."""
        options |= {"engine": engine, "network": network, "file": self.file(network)}
        return self.peers[engine].prepare(case, **options)

    def close(self) -> None:
        for peer in self.peers.values():
            peer.close()


def scores(bench: Bench) -> Iterator[Row]:
    """Both engines in alternating rounds, and the largest difference of a probability."""
    for network, batch in itertools.product(bench.networks, BATCHES):
        facts = [bench.ask(engine, "scores", network, batch=batch) for engine in ENGINES]
        ours, theirs = (np.array(one["scores"]) for one in facts)
        times = alternate(list(bench.peers.values()), bench.rounds, bench.seconds)
        difference = float(np.abs(ours - theirs).max())
        row = {"network": network, "batch": batch} | compare(times) | {"difference": difference}
        milliseconds = f"{row['seconds'] * 1e3:9.1f} {row['peer_seconds'] * 1e3:9.1f}"
        print(f"{network:12} {batch} clips {milliseconds} {row['ratio']:6.2f} {difference:.1e}")
        yield row


def stream(bench: Bench) -> Iterator[Row]:
    """The share of a core that labels of a stream take."""
    for network, persons, engine in itertools.product(bench.networks, PERSONS, ENGINES):
        options = {"persons": persons, "label_rate": LABELS, "seconds": 5 * bench.seconds}
        row = {"network": network, "engine": engine, "persons": persons}
        row |= bench.ask(engine, "stream", network, **options)
        print(json.dumps(row))
        yield row


def start(bench: Bench) -> Iterator[Row]:
    """Seconds from the start of `posec3d predict` to its first line."""
    clip = make_clips(1, 1, 100)
    path = bench.folder / "clip.npz"
    arrays = {name: clip[name][0] for name in ("keypoint", "score")}
    np.savez(path, **arrays, frame_size=FRAME_SIZE)
    cache = {"XDG_CACHE_HOME": str(bench.folder / "cache")}
    model = bench.folder / "package.onnx"
    _command(cache, "export", f"--out={model}")  # which also makes a run of it
    for what, count in (("nothing kept", 1), ("programs kept", STARTS)):
        times = [_first_line(cache, f"--input={path}") for _ in range(count)]
        yield _started(f"model in the package, XLA, {what}", times)
    files = {"model in the package": str(model)}
    files |= {network: bench.file(network) for network in bench.networks}
    for name, file in files.items():
        arguments = f"--exported={file}", f"--input={path}"
        times = [_first_line(cache, *arguments) for _ in range(STARTS)]
        yield _started(f"{name}, exported", times)


def _started(name: str, times: list[float]) -> Row:
    row = {"name": name, "seconds": statistics.median(times), "times": times}
    print(f"{name:44} {row['seconds']:7.2f} s", flush=True)
    return row


def _first_line(cache: dict[str, str], *arguments: str) -> float:
    """Seconds until `posec3d predict` has said something."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "posec3d_jax.main", "predict", *arguments]
    with subprocess.Popen(command, env=_environment(cache), stdout=subprocess.PIPE) as child:
        line = child.stdout.readline()
        seconds = time.perf_counter() - began
        child.stdout.read()
    if not line or child.returncode:
        raise SystemExit(f"posec3d predict {' '.join(arguments)} failed")
    return seconds


def _command(cache: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "-m", "posec3d_jax.main", *arguments]
    subprocess.run(command, env=_environment(cache), check=True, stdout=subprocess.DEVNULL)


def _environment(cache: dict[str, str]) -> dict[str, str]:
    """As one types a command: the allocator is still to be tuned."""
    return {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"} | cache


PARTS = {part.__name__: part for part in (scores, stream, start)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/engines.json"))
    options = choose_parts(parser, PARTS, NETWORKS)
    with tempfile.TemporaryDirectory() as folder:
        with closing(Bench(options, Path(folder))) as bench:
            _measure(bench, options.parts.split(","), options.out)


def _measure(bench: Bench, parts: list[str], out: Path) -> None:
    """Writes the record anew after every row; parts that are not measured stay as they were."""
    record = json.loads(out.read_text()) if out.exists() else {}
    for part in parts:
        record[part] = {"machine": machine(), "rounds": bench.rounds, "rows": []}
        for row in PARTS[part](bench):
            record[part]["rows"].append(row)
            out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
