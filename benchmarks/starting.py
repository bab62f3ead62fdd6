"""What the first result costs: a fresh process to its first label, or to its first training step.

python -m benchmarks.starting slowonly label     # one line of JSON; what `speed` runs
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from posec3d_jax.machine import host

GOALS = ("label", "step")


def start(network: str, goal: str, cache: Path, batch: int = 4) -> dict[str, float]:
    """Seconds from launching a process to its first label or training step, and to a second one.

    `cache` is where compiled programs are kept: an empty folder for a cold start. The peak is what
    the whole process had in memory (MB), the compiler's work included.
    """
    command = [sys.executable, "-m", "benchmarks.starting", network, goal, str(batch)]
    began = time.perf_counter()
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()  # printed after the first result
        first = time.perf_counter() - began
        facts = json.loads(child.stdout.readline())
    return {"seconds": first, **facts}


def _case(network: str, goal: str, batch: int) -> Callable[[], Any]:
    from benchmarks import jax_cases  # here: the allocator's settings come before JAX

    cases: Mapping[str, Callable] = {
        "label": lambda: jax_cases.predict(network),
        "step": lambda: jax_cases.whole_step(batch, network=network),
    }
    return cases[goal]()[0]


def main() -> None:
    host.tune_process()
    host.use_compilation_cache()
    network, goal, batch = sys.argv[1:]
    run = _case(network, goal, int(batch))
    run()
    print("first", flush=True)
    began = time.perf_counter()
    run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"second": time.perf_counter() - began, "peak_mb": round(peak)}), flush=True)


if __name__ == "__main__":
    main()
