"""Reads thousands of hostile and broken files under guard, and counts what became of them.

    python -m benchmarks.hostile_inputs --mutations=200 --cuts=300   # of each of the valid files

Attacks (code to run, bombs, forged sizes), every valid file cut at many lengths, and the same files
changed at random are given to the readers, and random command lines to their parser. A fault is:
anything executed, anything written outside a temporary folder, more than 30 s, memory that runs
out, an error that is none of those that the package documents, or one without a message. The record
says how many were tried, how many were refused as a whole, how many were read (bad clips of a data
set are then findings), and the faults.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from datetime import date
from pathlib import Path

from posec3d_jax.runs import records
from tests.hostile import checkpoints, clips, orbax_folders, pickles
from tests.hostile.command_lines import command_lines, parse
from tests.hostile.doors import Door, doors
from tests.hostile.guard import Guard
from tests.hostile.mutations import change_bytes, change_value, cuts


def run(folder: Path, mutations: int, most_cuts: int, seed: int) -> dict:
    """All of it, below `folder`; returns the record."""
    warnings.simplefilter("ignore")  # damaged text makes NumPy warn before it is refused
    started = time.monotonic()
    found = doors(folder)
    for door in found:  # loads every module, and shows that the files are valid to begin with
        _write(folder, door, door.valid)
        door.read(folder / door.name)
    guard = Guard(folder.resolve())
    trap = folder / "trap"
    attacked = set()
    for door in found:
        # Of pickles and of checkpoints there are several files, but one reader.
        one = door.kind if door.kind in ("pickle", "checkpoint") else door.name
        if one not in attacked and door.kind != "orbax":  # whose attacks are on folders
            _attack(guard, folder, door, str(trap))
        attacked.add(one)
    _attack_checkpoint_folders(guard, folder)
    for door in found:
        for number, data in enumerate(cuts(door.valid, most_cuts)):
            _read(guard, folder, door, f"cut {number}", data)
    rng = random.Random(seed)
    for door in found:
        for number in range(mutations):
            _read(guard, folder, door, f"change {number} of seed {seed}", _change(rng, door))
    for line in command_lines(random.Random(seed), 10 * mutations):
        guard.watch("command line", " ".join(line)[:200], lambda line=line: parse(line))
    return _record(guard, trap, time.monotonic() - started)


def _change(rng: random.Random, door: Door) -> bytes:
    """The door's file with its bytes changed, or what is said in it."""
    if door.dump is None or rng.random() < 0.5:
        return change_bytes(rng, door.valid)
    form = "json" if door.name.endswith(".json") else "arrays"
    form = "pickle" if door.kind == "pickle" else form
    try:
        return door.dump(change_value(rng, door.value, form))
    except Exception:  # what cannot be written, cannot be read
        return change_bytes(rng, door.valid)


def _attack(guard: Guard, folder: Path, door: Door, trap: str) -> None:
    chosen = {
        "pickle": lambda: pickles.pickles(trap),
        "mat": clips.mats,
        "text": clips.texts,
        "checkpoint": lambda: checkpoints.checkpoints(trap),
    }
    others = clips.json_files if door.name.endswith(".json") else clips.npz
    for name, data in chosen.get(door.kind, others)():
        _read(guard, folder, door, name, data)
    place = folder / door.name
    for name, odd in clips.odd_files(Path(tempfile.mkdtemp(dir=folder))):
        place.unlink()
        place.symlink_to(odd)
        guard.watch("no regular file", f"{door.name}: {name}", lambda: door.read(place))
        place.unlink()
        _write(folder, door, door.valid)


def _attack_checkpoint_folders(guard: Guard, folder: Path) -> None:
    """Each attack on a fresh copy of a run, which is then read in every way there is."""
    run, outside = folder / "attacked run", folder / "outside"
    outside.mkdir()
    for name, attack in orbax_folders.attacks(outside):
        for way, read in orbax_folders.READS.items():
            shutil.copytree(folder / "orbax", run)
            attack(run / "checkpoints" / str(orbax_folders.STEP))
            guard.watch("orbax", f"{name}, {way}", lambda read=read: read(run))
            shutil.rmtree(run)


def _read(guard: Guard, folder: Path, door: Door, name: str, data: bytes) -> None:
    _write(folder, door, data)
    guard.watch(door.kind, f"{door.name}, {name}", lambda: door.read(folder / door.name))
    if data is not door.valid:
        _write(folder, door, door.valid)


def _write(folder: Path, door: Door, data: bytes) -> None:
    path = folder / door.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _record(guard: Guard, trap: Path, seconds: float) -> dict:
    total = sum(guard.counts.values(), Counter())
    faults = ("executions", "without_a_message", "hangs", "memory")
    figures = {kind: dict(count) for kind, count in sorted(guard.counts.items())}
    executed = total["executions"] + trap.exists()
    return {
        "tried": total["tried"],
        "refused": total["refused"],
        "read": total["read"],
        "faults": {name: total[name] for name in faults} | {"executions": executed},
        "by_kind": figures,
        "peak_memory_growth_mb": round(guard.memory / 2**20),
        "greatest_growth_by": guard.greatest[1],
        "seconds": round(seconds),
        "processor_seconds": {kind: round(s, 1) for kind, s in sorted(guard.seconds.items())},
        "first_faults": guard.faults[:50],
        "command": records.command(),
        "versions": records.versions(),
        "date": date.today().isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutations", type=int, default=200, help="of each valid file")
    parser.add_argument("--cuts", type=int, default=300, help="lengths each is cut at")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/hostile_inputs.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = run(Path(folder), options.mutations, options.cuts, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n")
    for kind, count in record["by_kind"].items():
        print(f"{kind:16} {count}")
    print("\n".join(record["first_faults"]))
    print(f"{record['tried']} tried in {record['seconds']} s, faults {record['faults']}")
    print(f"peak memory grew by {record['peak_memory_growth_mb']} MB,")
    print(f"most by {record['greatest_growth_by']}; written to {options.out}")
    sys.exit(any(record["faults"].values()))


if __name__ == "__main__":
    main()
