"""How fast this package is, beside PyTorch and NumPy doing the same, in one run.

    pip install -r benchmarks/requirements.txt      # PyTorch, for the benchmarks only
    python -m benchmarks.speed                      # every part; up to an hour on 2 cores
    python -m benchmarks.speed --parts=drawing,networks --networks=slowonly --rounds=5
    python -m benchmarks.speed --gpu                # sizes, precision and peers of a GPU

Peers run in processes of their own with equal allocator settings, in alternating rounds; a figure
is the median over rounds, a ratio the median of the rounds' own ratios (ours / theirs, in time).
Without PyTorch its columns stay empty. Times are of the machine named in the record; the ratios are
what carries over.
"""

import argparse
import importlib.util
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.input_pipeline import prepare_generated
from benchmarks.machine import machine
from benchmarks.peers import Peer, alternate, choose_parts, compare
from benchmarks.starting import GOALS, start

NETWORKS = ("slowonly", "c3d_light", "x3d_shallow")
Row = dict[str, Any]


class Bench:
    """The peers, and how long to time them."""

    def __init__(self, rounds: int, seconds: float, gpu: bool, networks: Sequence[str] = NETWORKS):
        self.rounds, self.seconds, self.gpu, self.networks = rounds, seconds, gpu, networks
        self.ours, self.numpy = Peer("jax_cases"), Peer("numpy_cases")
        self.torch = Peer("torch_cases") if importlib.util.find_spec("torch") else None

    def row(self, name: str, ours: tuple, theirs: tuple | None = None, clips: int = 1) -> Row:
        """One line: `ours` and `theirs` are (peer, case, options); times are divided by `clips`."""
        pairs = [pair for pair in (ours, theirs) if pair and pair[0]]
        facts = [peer.prepare(case, **options) for peer, case, options in pairs]
        times = alternate([peer for peer, _, _ in pairs], self.rounds, self.seconds)
        times = [
            [t / f.get("clips", clips) for t in row] for row, f in zip(times, facts, strict=True)
        ]
        row = {"name": name} | compare(times) | {"options": ours[2], "facts": facts[0]}
        row["peer"] = theirs and theirs[1]
        peer = f"{row['peer_seconds'] * 1e3:10.2f} {row['ratio']:7.2f}" if len(times) == 2 else ""
        print(f"{name:58} {row['seconds'] * 1e3:10.2f} {peer}", flush=True)
        return row

    def close(self) -> None:
        for peer in filter(None, (self.ours, self.numpy, self.torch)):
            peer.close()


def drawing(bench: Bench) -> Iterator[Row]:
    """Geometry and drawing against NumPy, a clip of two persons and 48 x 56 x 56; a test sample."""
    for stream in ("joint", "limb"):
        ours = bench.ours, "draw", {"batch": 16, "stream": stream}
        theirs = bench.numpy, "draw", {"stream": stream}
        yield bench.row(f"drawing a training clip, {stream}", ours, theirs, clips=16)
    for stream in ("joint", "limb"):
        options = {"stream": stream}
        ours, theirs = (bench.ours, "draw_test", options), (bench.numpy, "draw_test", options)
        yield bench.row(f"drawing a test sample, 10 clips x flip, {stream}", ours, theirs)


def networks(bench: Bench) -> Iterator[Row]:
    """Volumes to logits, and to updated parameters, against PyTorch, 48 x 56 x 56."""
    for network, case in itertools.product(bench.networks, ("train_step", "forward")):
        options = {"network": network} | _size(bench)
        theirs = bench.torch, case, options | {"compiled": bench.gpu}
        name = f"{network} {case.replace('_', ' ')}, batch {options['batch']}, {options['dtype']}"
        yield bench.row(name, (bench.ours, case, options), theirs)


def _size(bench: Bench) -> dict[str, Any]:
    if bench.gpu:
        return {"batch": 64, "dtype": "bfloat16"}
    return {"batch": 4, "dtype": "float32"}


def from_keypoints(bench: Bench) -> Iterator[Row]:
    """The same from keypoints on our side, drawing included, against PyTorch on drawn volumes."""
    cases = (("forward", "whole_forward"), ("train_step", "whole_step"))
    for network, (case, whole), persons in itertools.product(bench.networks, cases, (1, 2)):
        options = {"network": network} | _size(bench)
        theirs = bench.torch, case, options | {"compiled": bench.gpu}
        ours = bench.ours, whole, options | {"persons": persons}
        name = f"{network} {case.replace('_', ' ')} from keypoints, {persons} persons"
        yield bench.row(name, ours, theirs)


def persons(bench: Bench) -> Iterator[Row]:
    """What drawing adds to a SlowOnly training step, and how the step grows with persons."""
    options = _size(bench)
    step = bench.row("training step without drawing", (bench.ours, "train_step", options))
    yield step
    for count in (1, 2, 5, 13):
        name = f"drawing for a training step, {count} persons"
        row = bench.row(name, (bench.ours, "draw", options | {"persons": count}))
        row["share_of_step"] = row["seconds"] / (row["seconds"] + step["seconds"])
        yield row


def scaling(bench: Bench) -> Iterator[Row]:
    """The cost of drawing against frames, resolution and batch."""
    plain = {"batch": 4, "persons": 2, "frames": 48, "size": 56}
    for change in ({}, {"frames": 96}, {"size": 112}, {"batch": 16}, {"persons": 4}):
        options = plain | change
        name = ", ".join(f"{value} {key}" for key, value in options.items())
        yield bench.row(f"drawing, {name}", (bench.ours, "draw", options), clips=options["batch"])


def memory_limit(bench: Bench) -> Iterator[Row]:
    """On a GPU: the time of six passes over its activations as a share of a training step's.

    Six is a frugal count: write, read, statistics, normalise, and two of the gradient. Activations
    are what convolutions write, at the compute dtype.
    """
    if not bench.gpu:
        return
    copied = bench.row("copying 4 GB on the device", (bench.ours, "copy", {"gigabytes": 4.0}))
    yield copied | {"bytes_a_second": 8e9 / copied["seconds"]}
    for network in bench.networks:
        options = {"network": network} | _size(bench)
        row = bench.row(f"{network} train step", (bench.ours, "train_step", options))
        limit = 6 * 2 * options["batch"] * row["facts"]["activations"] * copied["seconds"] / 8e9
        print(f"  of the limit of memory, {limit * 1e3:.2f} ms: {limit / row['seconds']:.0%}")
        yield row | {"limit_seconds": limit, "share_of_limit": limit / row["seconds"]}


def recognition(bench: Bench) -> Iterator[Row]:
    """One recording, keypoints on the host to a label: one clip, and the test protocol."""
    for network in bench.networks:
        for clips, flip, name in ((1, False, "one clip"), (10, True, "10 clips x flip")):
            options = {"network": network, "clips": clips, "flip": flip}
            theirs = bench.torch, "predict", options
            name = f"{network}, {name}, keypoints to label"
            yield bench.row(name, (bench.ours, "predict", options), theirs)


def starting(bench: Bench) -> Iterator[Row]:
    """A fresh process to its first label and training step, compiling, and with that kept."""
    for network, goal in itertools.product(bench.networks, GOALS):
        with tempfile.TemporaryDirectory() as cache:
            for kept in ("nothing kept", "programs kept"):
                name = f"{network}, start to first {goal}, {kept}"
                row = {"name": name} | start(network, goal, Path(cache))
                print(f"{name:58} {row['seconds'] * 1e3:10.2f}", flush=True)
                yield row


def end_to_end(bench: Bench) -> Iterator[Row]:
    """Data on disk to updated parameters, against PyTorch fed by NumPy drawing in workers."""
    size, workers = (_size(bench), 16) if bench.gpu else (_size(bench) | {"batch": 8}, 2)
    with tempfile.TemporaryDirectory() as folder:
        (pack,) = prepare_generated(Path(folder), 400, ["pack"])
        for network in bench.networks if bench.gpu else ("x3d_shallow",):
            options = {"network": network, "folder": str(pack)} | size
            peer_options = options | {"workers": workers, "compiled": bench.gpu}
            theirs = bench.torch, "end_to_end", peer_options
            name = f"{network} end to end, batch {size['batch']}"
            yield bench.row(name, (bench.ours, "end_to_end", options), theirs)


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    part.__name__: part
    for part in (
        drawing,
        networks,
        from_keypoints,
        persons,
        memory_limit,
        scaling,
        recognition,
        end_to_end,
        starting,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gpu", action="store_true", help="sizes and precisions of a GPU")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/speed.json"))
    options = choose_parts(parser, PARTS, NETWORKS)
    print(f"{'milliseconds':58} {'ours':>10} {'peer':>10} {'ratio':>7}")
    chosen = options.networks.split(",")
    with closing(Bench(options.rounds, options.seconds, options.gpu, chosen)) as bench:
        _measure(bench, options.parts.split(","), options.out)
    print(f"written to {options.out}")


def _measure(bench: Bench, parts: Sequence[str], out: Path) -> None:
    """Writes the record anew after every row, so that a run that was cut short has left one."""
    record = {"machine": machine(), "rounds": bench.rounds, "parts": {part: [] for part in parts}}
    out.parent.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for row in PARTS[part](bench):
            record["parts"][part].append(row)
            out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
