"""One run of thousands of steps that notes what it holds: memory, arrays, threads, open files.

    python -m benchmarks.long_run --folder=DIR --out=footprints.json --last=2200 --every=50

Of the tiny config (benchmarks/endurance_config.py), saved every 120 steps and validated every 300,
under the settings of the host that `posec3d train` runs with.
"""

import argparse
import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from posec3d_jax.machine.host import tune_process

if __name__ == "__main__":
    tune_process()  # starts this program again, so nothing should have been done yet

import jax

from benchmarks import endurance_config
from posec3d_jax.prepare import prepare
from posec3d_jax.train import train_and_evaluate


def long_run(folder: Path, out: Path, first: int, last: int, every: int) -> None:
    """Trains in `folder`/memory to step `last`; notes a footprint at `first` and then `every`."""
    config = endurance_config.get_config()
    config.data.dir = str(folder / "data")
    if not (folder / "data").exists():
        prepare(config.data, progress=lambda line: None)
    config.train.epochs = last // 3 + 1
    config.train.log_every, config.train.checkpoint_every = 20, 40
    config.train.validate_every = 100
    config.optimizer.learning_rate = 0.01
    seen = {}

    def after_step(plan, step: int) -> None:
        if step >= first and (step - first) % every == 0 or step == last:
            seen[step] = footprint()
            out.write_text(json.dumps(seen))

    train_and_evaluate(config, folder / "memory", after_step=after_step)


def footprint() -> dict:
    """What this process holds now.

    The workers of TensorStore's pool do not count as threads: they come and go with its work.
    """
    status = Path("/proc/self/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return {
        "host_bytes": int(resident.split()[1]) * 1024,
        "device_bytes": sum(array.nbytes for array in jax.live_arrays()),
        "device_arrays": len(jax.live_arrays()),
        "threads": sum(name != "ts_pool_worker" for name in _thread_names()),
        "python_threads": threading.active_count(),
        "open_files": len(os.listdir("/proc/self/fd")),
    }


def _thread_names() -> Iterator[str]:
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has just ended
            yield (thread / "comm").read_text().strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", type=int, default=200)
    parser.add_argument("--last", type=int, default=2200)
    parser.add_argument("--every", type=int, default=50)
    options = parser.parse_args()
    long_run(options.folder, options.out, options.first, options.last, options.every)


if __name__ == "__main__":
    main()
