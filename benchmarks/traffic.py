"""What a compiled training step reads and writes: bytes of every operation, from its program.

    python -m benchmarks.traffic --network=slowonly
    python -m benchmarks.traffic --network=slowonly --target=h200.txtpb    # without that GPU

Training is bound by memory, so that these bytes over the memory's bandwidth are what a step takes
at least; a change to the network can be judged by them before it is timed. With --target the step
is compiled for a GPU that need not be there (pip install 'jax[cuda13-local]'; the files are those
of openxla/xla, xla/backends/gpu/target_config/specs). Without the GPU nothing is autotuned, so that
products go to cuBLAS. What a library moves inside of one operation is not seen.
"""

import argparse
import collections
import itertools
import math
import re
from pathlib import Path

from jax.experimental import topologies

from benchmarks import jax_cases
from posec3d_jax.machine.sharding import make_mesh

# Bytes of a value, by XLA's name of its type.
SIZES = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "f32": 4, "s32": 4, "u32": 4}
SIZES |= {"f64": 8, "s64": 8, "u64": 8}
FREE = ("parameter", "get-tuple-element", "tuple", "bitcast", "constant")
_LINE = re.compile(r"\s+(?:ROOT )?%([\w.\-]+) = (.*?) ([\w\-]+)\((.*)")


def traffic(program: str) -> list[tuple[int, str, str]]:
    """(bytes, kind, where) of each operation of a compiled program's text, in its order.

    `kind` is the library's function or XLA's fusion, `where` the part of the network. Operations
    inside of a fusion touch no memory. The scratch space of a library's call does not count.
    """
    entry = program[program.index("\nENTRY") :]
    shapes, rows = {}, []
    for line in entry.splitlines():
        if not (match := _LINE.match(line)):
            continue
        name, shape, operation, rest = match.groups()
        shapes[name] = shape
        if operation in FREE:
            continue
        operands = re.findall(r"%([\w.\-]+)", rest.split("), ")[0])
        written = re.sub(r"[us]8\[\d+\]", "", shape) if operation == "custom-call" else shape
        size = sum(map(_bytes, [written, *(shapes.get(operand, "") for operand in operands)]))
        library = re.search(r'custom_call_target="([^"]*)"', line)
        where = re.search(r'op_name="([^"]*)"', line)
        kind = library.group(1) if library else re.sub(r"[\d.]+$", "", name)
        rows.append((size, kind, where.group(1) if where else ""))
    return rows


def _bytes(shape: str) -> int:
    arrays = re.findall(r"\b([a-z]+\d*)\[([\d,]*)\]", shape)
    counts = ((kind, map(int, filter(None, extents.split(",")))) for kind, extents in arrays)
    return sum(SIZES.get(kind, 0) * math.prod(extents) for kind, extents in counts)


def program_of(network: str, batch: int, dtype: str, target: str) -> str:
    """The text of the compiled step, volume given, for the backend that is here or for `target`."""
    mesh, options, kind = make_mesh(), {}, ""
    if target:
        options = {"xla_gpu_enable_triton_gemm": False}  # needs autotuning, and so the GPU
        kind = "gpu"
        there = topologies.get_topology_desc(
            platform="cuda", target_config=Path(target).read_text(), topology="1x1x1"
        )
        mesh = make_mesh(there.devices)
    lowered = jax_cases.lowered_step(batch, mesh, kind, network=network, dtype=dtype)
    return lowered.compile(compiler_options=options).as_text()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="slowonly")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--target", default="", help="compile for the GPU that this file describes")
    parser.add_argument("--most", type=int, default=20, help="lines of each table")
    options = parser.parse_args()
    rows = traffic(program_of(options.network, options.batch, options.dtype, options.target))
    total = sum(row[0] for row in rows)
    print(
        f"{total / 1e9:.1f} GB in {len(rows)} operations, {total / options.batch / 1e9:.3f} a clip"
    )
    kinds = collections.Counter()
    for size, kind, _ in rows:
        kinds[kind] += size
    for kind, size in kinds.most_common(options.most):
        print(f"{size / 1e9:9.2f} GB  {kind}")
    for size, kind, where in itertools.islice(sorted(rows, reverse=True), options.most):
        print(f"{size / 1e9:9.2f} GB  {kind:32} {where[-70:]}")


if __name__ == "__main__":
    main()
