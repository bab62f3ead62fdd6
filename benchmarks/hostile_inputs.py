"""Reads thousands of hostile and broken files under guard, and counts what became of them.

    python -m benchmarks.hostile_inputs --mutations=200 --cuts=300 --seeds=4   # of each valid file
    python -m benchmarks.hostile_inputs ... --minutes=9                        # in several sittings

Attacks (code to run, bombs, forged sizes), every valid file cut at many lengths, and the same files
changed at random are given to the readers; random command lines to their parser, random paths to
whatever takes one, random requests to the service. A fault is: anything executed, anything written
outside a temporary folder, more than 30 s, memory that runs out, an error that is none of those
that the package documents, or one without a message. The record says how many were tried, how many
were refused as a whole, how many were read (bad clips of a data set are then findings), and the
faults. What is done is noted part by part beside the record: the same command goes on from there.
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
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from posec3d_jax.runs import records
from tests.hostile import checkpoints, clips, http_requests, orbax_folders, paths, pickles
from tests.hostile.command_lines import command_lines, parse
from tests.hostile.doors import Door, doors
from tests.hostile.guard import Guard
from tests.hostile.mutations import change_bytes, change_value, cuts

FAULTS = ("executions", "without_a_message", "hangs", "memory")


def run(folder: Path, done: set[str], options: argparse.Namespace) -> Iterator[dict]:
    """What became of each part that is not done yet, until the time is up."""
    warnings.simplefilter("ignore")  # damaged text makes NumPy warn before it is refused
    give_up = time.monotonic() + 60 * options.minutes
    found = doors(folder)
    for door in found:  # loads every module, and shows that the files are valid to begin with
        _write(folder, door, door.valid)
        door.read(folder / door.name)
    if find_spec("tensorflow"):  # which TFDS imports for a dtype that it does not know
        import tensorflow  # noqa: F401
    service = http_requests.Service(folder) if http_requests.INSTALLED else None
    guard = Guard(folder.resolve())
    trap = folder / "trap"
    for name, work in _parts(guard, folder, found, service, options):
        if name in done or time.monotonic() > give_up:
            continue
        started, memory = time.monotonic(), guard.memory
        work()
        part = {"part": name, "seconds": time.monotonic() - started, "trap": trap.exists()}
        grown = {"grown": guard.memory - memory, "greatest": guard.greatest[1]}
        yield part | grown | guard.take()
    if service:
        service.close()


def _parts(
    guard: Guard,
    folder: Path,
    found: list[Door],
    service: http_requests.Service | None,
    options: argparse.Namespace,
) -> Iterator[tuple[str, Callable[[], None]]]:
    """All parts in their order: a name, and what is to be done."""
    attacked = set()
    for door in found:
        # Of pickles and of checkpoints there are several files, but one reader.
        one = door.kind if door.kind in ("pickle", "checkpoint") else door.name
        if one not in attacked and door.kind != "orbax":  # whose attacks are on folders
            yield f"attacks {door.name}", partial(_attack, guard, folder, door, options.every)
        attacked.add(one)
    yield (
        "attacks on checkpoint folders",
        partial(_attack_checkpoint_folders, guard, folder, options.every),
    )
    for door in found:
        yield f"cuts {door.name}", partial(_cut, guard, folder, door, options.cuts)
    for seed in range(options.seeds):
        count = options.mutations
        yield f"command lines {seed}", partial(_type_all, guard, seed, 10 * count)
        yield f"paths {seed}", partial(_walk_all, guard, folder, seed, 5 * count)
        if service:
            yield f"requests {seed}", partial(_ask_all, guard, service, seed, 5 * count)
        for door in found:
            work = partial(_change_all, guard, folder, door, options.mutations, seed)
            yield f"changes {seed} {door.name}", work


def _cut(guard: Guard, folder: Path, door: Door, most: int) -> None:
    for number, data in enumerate(cuts(door.valid, most)):
        _read(guard, folder, door, f"cut {number}", data)


def _change_all(guard: Guard, folder: Path, door: Door, count: int, seed: int) -> None:
    rng = random.Random(f"{seed} {door.name}")
    for number in range(count):
        _read(guard, folder, door, f"change {number} of seed {seed}", _change(rng, door))


def _type_all(guard: Guard, seed: int, count: int) -> None:
    for line in command_lines(random.Random(seed), count):
        guard.watch("command line", " ".join(line)[:200], partial(parse, line))


def _walk_all(guard: Guard, folder: Path, seed: int, count: int) -> None:
    for use, path in paths.uses(random.Random(seed), folder / f"named {seed}", count):
        guard.watch("path", f"{use}: {path!r:.200}", partial(paths.try_, use, path))


def _ask_all(guard: Guard, service: http_requests.Service, seed: int, count: int) -> None:
    for request in service.requests(random.Random(seed), count):
        guard.watch("request", f"{request!r:.200}", partial(service.ask, request))


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


def _attack(guard: Guard, folder: Path, door: Door, every: int) -> None:
    trap = str(folder / "trap")  # which those that run code would make
    chosen = {
        "pickle": lambda: pickles.pickles(trap),
        "mat": clips.mats,
        "text": clips.texts,
        "checkpoint": lambda: checkpoints.checkpoints(trap),
    }
    others = clips.json_files if door.name.endswith(".json") else clips.npz
    for name, data in islice(chosen.get(door.kind, others)(), 0, None, every):
        _read(guard, folder, door, name, data)
    place = folder / door.name
    for name, odd in clips.odd_files(Path(tempfile.mkdtemp(dir=folder))):
        place.unlink()
        place.symlink_to(odd)
        guard.watch("no regular file", f"{door.name}: {name}", lambda: door.read(place))
        place.unlink()
        _write(folder, door, door.valid)


def _attack_checkpoint_folders(guard: Guard, folder: Path, every: int) -> None:
    """Each attack on a fresh copy of a run, which is then read in every way there is."""
    run, outside = folder / "attacked run", folder / "outside"
    outside.mkdir()
    for name, attack in islice(orbax_folders.attacks(outside), 0, None, every):
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


def record_of(parts: list[dict]) -> dict:
    """The record of all parts so far."""
    by_kind: dict[str, Counter] = {}
    for part in parts:
        for kind, count in part["counts"].items():
            by_kind.setdefault(kind, Counter()).update(count)
    total = sum(by_kind.values(), Counter())
    faults = {name: total[name] for name in FAULTS}
    faults["executions"] += any(part["trap"] for part in parts)
    largest = max(parts, key=lambda part: part["grown"])
    processor = sum((Counter(part["processor"]) for part in parts), Counter())
    return {
        **{name: total[name] for name in ("tried", "refused", "read")},
        "faults": faults,
        "by_kind": {kind: dict(count) for kind, count in sorted(by_kind.items())},
        "peak_memory_growth_mb": round(largest["grown"] / 2**20),
        "greatest_growth_by": largest["greatest"],
        "seconds": round(sum(part["seconds"] for part in parts)),
        "processor_seconds": {kind: round(s, 1) for kind, s in sorted(processor.items())},
        "first_faults": [fault for part in parts for fault in part["faults"]][:50],
        "parts": len(parts),
        "command": records.command(),
        "versions": records.versions(),
        "date": date.today().isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutations", type=int, default=200, help="of each valid file and seed")
    parser.add_argument("--cuts", type=int, default=300, help="lengths each is cut at")
    parser.add_argument("--every", type=int, default=1, help="3: only every third attack")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds of the random ones")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no part after these")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/hostile_inputs.json"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    notes = options.out.with_suffix(".parts.jsonl")
    parts = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
    with tempfile.TemporaryDirectory() as folder, open(notes, "a") as noted:
        for part in run(Path(folder), {part["part"] for part in parts}, options):
            noted.write(json.dumps(part) + "\n")
            noted.flush()
            parts.append(part)
    record = record_of(parts)
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
