"""Timing side by side: each peer is a process of its own, and rounds alternate between them.

Two frameworks in one process would fight over threads and memory. Every peer starts with the same
allocator settings, prepares its case (compiles, warms up), and then runs only when told to.
"""

import argparse
import importlib
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from posec3d_jax.machine import host


class Peer:
    """A process that runs the cases of one module, `benchmarks.<module>`: its dict CASES."""

    def __init__(self, module: str):
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        before = dict(os.environ)
        os.environ[host.TUNABLES] = host.MALLOC
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # a GPU's memory is for both
        self._process = context.Process(target=_serve, args=(other, module))  # may have children
        self._process.start()
        other.close()
        os.environ.clear()
        os.environ.update(before)

    def prepare(self, case: str, **options: Any) -> dict[str, Any]:
        """Makes the case ready and runs it once; returns what it told about itself."""
        return self._ask("prepare", case, options)

    def time(self, seconds: float) -> float:
        """Seconds a call takes, the mean over as many calls as fit into `seconds`, at least one."""
        return self._ask("time", seconds)

    def _ask(self, *request: Any) -> Any:
        self._pipe.send(request)
        answer = self._pipe.recv()
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        self._pipe.close()
        self._process.join(10)
        self._process.kill()


def choose_parts(
    parser: argparse.ArgumentParser, parts: Collection[str], networks: Collection[str]
) -> argparse.Namespace:
    """The command line, with --parts, --networks, --rounds and --seconds beside what it has."""
    parser.add_argument("--parts", default=",".join(parts), help=f"of {', '.join(parts)}")
    parser.add_argument("--networks", default=",".join(networks))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each timing of a round")
    options = parser.parse_args()
    for name, known in (("parts", parts), ("networks", networks)):
        if unknown := set(getattr(options, name).split(",")) - set(known):
            parser.error(f"no {name} {sorted(unknown)}; there are {', '.join(known)}")
    return options


def alternate(peers: Sequence[Peer], rounds: int, seconds: float) -> list[list[float]]:
    """Times of each peer, one a round; in every other round the order is reversed."""
    times: list[list[float]] = [[] for _ in peers]
    for number in range(rounds):
        order = list(enumerate(peers))
        for index, peer in order if number % 2 == 0 else reversed(order):
            times[index].append(peer.time(seconds))
    return times


def compare(times: Sequence[Sequence[float]]) -> dict[str, float]:
    """Medians, spread, and the median over rounds of first / second."""
    result = {"seconds": statistics.median(times[0]), "lowest": min(times[0])}
    result["highest"] = max(times[0])
    if len(times) == 2:
        ratios = [a / b for a, b in zip(*times, strict=True)]
        result |= {"peer_seconds": statistics.median(times[1]), "ratio": statistics.median(ratios)}
        result |= {"ratio_lowest": min(ratios), "ratio_highest": max(ratios)}
    return result


def _serve(pipe, module: str) -> None:
    run: Callable[[], None] | None = None
    while True:
        try:
            request, *arguments = pipe.recv()
        except EOFError:  # closed: there is nothing more to do
            return
        try:
            if request == "prepare":
                case, options = arguments
                run = None  # frees the case before
                run, facts = importlib.import_module(f"benchmarks.{module}").CASES[case](**options)
                run()
                pipe.send(facts)
            else:
                pipe.send(_mean_time(run, arguments[0]))
        except Exception as error:  # noqa: BLE001 - told to the parent, which raises it
            pipe.send(f"{module}: {type(error).__name__}: {error}")


def _mean_time(run: Callable[[], None], seconds: float) -> float:
    started, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - started < seconds:
        run()
        calls += 1
    return (time.perf_counter() - started) / calls
