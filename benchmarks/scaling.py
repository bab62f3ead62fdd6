"""What devices tell each other in a training step, and what that leaves of their speed, on paper.

    python -m benchmarks.scaling --network=slowonly

The step is compiled for eight devices, which this machine pretends to have, and its all-reduces are
counted: gradients, and the sums that BatchNorm's statistics over the global batch are made of. From
there on it is arithmetic, with the assumptions of `MACHINES`: no all-reduce overlaps with anything,
each costs its latency and 2 (n - 1) / n of its bytes over a device's bandwidth, a device always has
64 clips in bfloat16. So the efficiencies are lower bounds of these assumptions, and no measurement.
Where a step has not been timed on a device, it is taken to last as long as its bytes over that
device's memory, which makes it too short and the efficiency too low.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import jax

from benchmarks.jax_cases import QUICK, lowered_step
from benchmarks.traffic import traffic
from posec3d_jax.machine.sharding import make_mesh

DEVICES, CLIPS = 8, 64  # that it is compiled for; of a device and step, in what is worked out
STEP_GB = 121.0  # what SlowOnly's step of 64 clips reads and writes, see `benchmarks.traffic`
FROM_MEMORY, FROM_DISK = 120_000, 9_600  # clips/s of two cores, see `benchmarks.input_pipeline`


@dataclass(frozen=True)
class Machine:
    """Devices that work together, as their makers describe them."""

    name: str
    devices: int
    step: float  # seconds of one device, 64 clips
    bandwidth: float  # bytes/s of a device to the others, in the slowest part of the way
    latency: float  # seconds of a small all-reduce among all
    devices_a_host: int


MEASURED = 48.4e-3  # H200, benchmarks/results/speed_h200.json
MACHINES = (
    Machine("8 H200, NVLink 450 GB/s", 8, MEASURED, 450e9, 15e-6, 8),
    Machine("64 H200, and 400 Gbit/s a GPU between hosts", 64, MEASURED, 50e9, 40e-6, 8),
    Machine("256 H200, and 400 Gbit/s a GPU between hosts", 256, MEASURED, 50e9, 60e-6, 8),
    Machine("TPU v5e, 8, ICI 2 x 50 GB/s", 8, STEP_GB / 819, 100e9, 10e-6, 8),
    Machine("TPU v5e, 256, ICI 2 x 50 GB/s", 256, STEP_GB / 819, 100e9, 35e-6, 4),
)


def told(machine: Machine, count: int, size: int) -> float:
    """Seconds of a step's all-reduces, `count` of together `size` bytes, one after the other."""
    share = 2 * (machine.devices - 1) / machine.devices
    return count * machine.latency + share * size / machine.bandwidth


def all_reduces(network: str, devices: int = DEVICES) -> list[int]:
    """Bytes of each all-reduce of the compiled step of one clip a device."""
    jax.config.update("jax_num_cpu_devices", devices)
    lowered = lowered_step(devices, make_mesh(), "gpu", network=network)
    rows = traffic(lowered.compile(compiler_options=QUICK).as_text())
    return [size // 2 for size, kind, _ in rows if kind.startswith("all-reduce")]


def row(machine: Machine, count: int, size: int) -> dict:
    """A machine's line of the record."""
    seconds = told(machine, count, size)
    wanted = machine.devices_a_host * CLIPS / (machine.step + seconds)
    return asdict(machine) | {
        "all_reduce_ms": round(1e3 * seconds, 2),
        "efficiency": round(machine.step / (machine.step + seconds), 3),
        "clips_a_second_of_a_host": round(wanted),
        "cores_a_host_from_memory": round(2 * wanted / FROM_MEMORY, 2),
        "cores_a_host_from_disk": round(2 * wanted / FROM_DISK, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="slowonly", choices=("slowonly",))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/scaling.json"))
    options = parser.parse_args()
    sizes = all_reduces(options.network)
    facts = {"network": options.network, "all_reduces": len(sizes), "bytes": sum(sizes)}
    rows = [row(machine, len(sizes), sum(sizes)) for machine in MACHINES]
    print(f"{len(sizes)} all-reduces of {sum(sizes) / 1e6:.2f} MB in a step")
    for found in rows:
        print(
            f"{found['name']:46} {found['all_reduce_ms']:7.2f} ms of all-reduces, efficiency "
            f"{found['efficiency']:.3f}, {found['clips_a_second_of_a_host']} clips/s a host: "
            f"{found['cores_a_host_from_memory']} cores from memory, "
            f"{found['cores_a_host_from_disk']} from disk"
        )
    options.out.write_text(json.dumps(facts | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
