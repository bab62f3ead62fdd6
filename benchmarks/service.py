"""How many clips a second the service recognises within 200 ms, with its batcher and without.

    python -m benchmarks.service [--run=RUN | --network=x3d_shallow] [--seconds=8]
        [--out=benchmarks/results/service.json]

Without a run the network is the paper's, untrained, with the volumes of its NTU60 recipe. Requests
of one built-in clip each come at an even pace, whether those before are answered or not, over
connections that stay open; the pace is raised until, twice in a row, one of a hundred takes longer
than 200 ms (or is refused). Service and client share the machine, which should be otherwise quiet.
In the second mode every clip goes to the device alone.
"""

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import numpy as np

from benchmarks.machine import machine
from benchmarks.served import Served, serving
from posec3d_jax.files.safetensors import write_safetensors
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.exporting import to_reference_tensors
from posec3d_jax.weights.importing import import_weights
from posec3d_jax.weights.index import find_entry
from posec3d_jax.weights.recipes import recipe

BOUND = 0.2  # seconds
START, FACTOR = 5.0, 1.25  # requests a second, and from one pace to the next
CONNECTIONS = 64
MODES = {"with the batcher": (1, 2, 4, 8), "one clip at a time": (1,)}


@dataclass(frozen=True)
class Pace:
    """What became of the requests of one pace."""

    rate: float  # asked for, requests a second
    answered: float  # requests a second
    p50: float  # milliseconds
    p99: float
    refused: int
    clips_a_batch: float


async def _connection(served: Served, queue: asyncio.Queue, request: bytes, found: list) -> None:
    """Takes requests from the queue, each with the time when it was due."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    while (due := await queue.get()) is not None:
        if reader.at_eof():  # the service closes what is idle for seconds
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        found.append((time.monotonic() - due, head[9:12] == b"200"))
    writer.close()


async def _paced(served: Served, rate: float, seconds: float, request: bytes) -> list:
    queue, found = asyncio.Queue(), []
    workers = [
        asyncio.create_task(_connection(served, queue, request, found)) for _ in range(CONNECTIONS)
    ]
    began = time.monotonic()
    for i in range(int(rate * seconds)):
        due = began + i / rate
        await asyncio.sleep(max(due - time.monotonic(), 0))
        queue.put_nowait(due)
    for _ in workers:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    return found


def _figure(served: Served, name: str) -> float:
    lines = served.get("/metrics").decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def measure(served: Served, rate: float, seconds: float, request: bytes) -> Pace:
    """One pace."""
    names = ("posec3d_clips_total", "posec3d_batches_total")
    before, began = [_figure(served, name) for name in names], time.monotonic()
    found = asyncio.run(_paced(served, rate, seconds, request))
    took = time.monotonic() - began
    clips, batches = (_figure(served, n) - b for n, b in zip(names, before, strict=True))
    times = 1000 * np.array([t for t, good in found if good])
    return Pace(
        rate=round(rate, 2),
        answered=round(len(times) / took, 2),
        p50=round(float(np.quantile(times, 0.5)), 1),
        p99=round(float(np.quantile(times, 0.99)), 1),
        refused=len(found) - len(times),
        clips_a_batch=round(clips / max(batches, 1), 2),
    )


def good(pace: Pace) -> bool:
    """Whether the service keeps it."""
    return pace.p99 <= 1000 * BOUND and not pace.refused


def climb(served: Served, seconds: float) -> list[Pace]:
    """Paces up to the first that is too much."""
    clip = served.get("/v1/clips/walk")
    head = f"POST /v1/recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(clip)}\r\n\r\n"
    request, rate, paces = head.encode() + clip, START, []
    measure(served, 2, 2, request)  # warms everything up
    while len(paces) < 2 or any(map(good, paces[-2:])):
        paces.append(measure(served, rate, seconds, request))
        print(paces[-1], flush=True)
        rate *= FACTOR
    return paces


def untrained_run(network: str, folder: Path) -> Path:
    """A run of the paper's network with random weights: for timings."""
    config = recipe(find_entry(f"ntu60_xsub-{network}-joint"))
    variables = jax.jit(make_recognizer(config).init)(jax.random.key(0))
    tensors, _ = to_reference_tensors(variables, 0)
    write_safetensors(folder / "random.safetensors", tensors, {"format": "pt"})
    import_weights(folder / "random.safetensors", config, folder / network)
    return folder / network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path)
    parser.add_argument("--network", default="x3d_shallow")
    parser.add_argument("--seconds", type=float, default=8.0, help="Of each pace.")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/service.json"))
    options = parser.parse_args()
    name = str(options.run or options.network)
    record = {"machine": machine(), "network": name, "bound_ms": 1000 * BOUND, "modes": {}}
    with tempfile.TemporaryDirectory() as made:
        run = options.run or untrained_run(options.network, Path(made))
        for mode, batches in MODES.items():
            with serving(run, batches) as served:
                paces = climb(served, options.seconds)
            best = max((pace.answered for pace in paces if good(pace)), default=0.0)
            record["modes"][mode] = {"best": best, "paces": [asdict(pace) for pace in paces]}
            print(f"{mode}: {best} requests a second", flush=True)
            options.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
