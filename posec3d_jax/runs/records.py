"""What it takes to run a result again: command, config, seed, versions, hardware."""

import os
import platform
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posec3d_jax.files.disk import write_json

RUN_FILE = "run.json"
_PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "posec3d-jax")


def command() -> str:
    """The command line of this process, as one would type it."""
    started = sys.orig_argv[1:]
    module = started[started.index("-m") + 1] if "-m" in started else ""
    if Path(sys.argv[0]).name == "posec3d" or module == "posec3d_jax.main":
        program = ["posec3d"]
    else:
        program = ["python", "-m", module] if module else ["python", Path(sys.argv[0]).name]
    return shlex.join([*program, *sys.argv[1:]])


def versions() -> dict[str, str]:
    """Python and the packages that numbers depend on."""
    from importlib import metadata  # here: it takes long to load

    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """Devices and host processor."""
    import jax  # here: names of classes are asked for where nothing needs it

    return {
        "backend": jax.default_backend(),
        "devices": jax.device_count(),
        "device_kind": jax.devices()[0].device_kind,
        "processes": jax.process_count(),
        "host_cpu": _cpu_name(),
        "host_cores": os.cpu_count(),
    }


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def names_of_classes(config_data, stored: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A name for each class that the network tells apart: 'class 3' where there is none.

    Args:
      config_data: `config.data`.
      stored: as the run knows them; () for the config's. Names of another number of classes than
        the network has, as of the data set that a config was copied from, are nobody's.
    """
    chosen = tuple(name for name, _ in config_data.classes)
    for names in (stored, chosen, tuple(config_data.class_names)):
        if len(names) == config_data.num_classes:
            return names
    return tuple(f"class {k}" for k in range(config_data.num_classes))


def write_record(
    path: str | Path,
    *,
    protocol: str,
    metrics: Mapping[str, float],
    clips: int,
    seed: Any,
    config: Any,
    training: Any,
    **facts: Any,
) -> None:
    """Writes results/<name>.json: one figure, and all that it takes to get it again.

    Args:
      path: of the file; its stem names the result.
      protocol: how it was tested, in words.
      metrics: fractions, `top1` among them.
      clips: how many were tested.
      seed: of the training; a list for several runs, as `config` and `training` are then.
      config: the resolved config as a dict.
      training: run.json of the training.
      **facts: anything else.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "name": path.stem,
        "protocol": protocol,
        "metrics": dict(metrics),
        "clips": clips,
        **facts,
        "command": command(),
        "training": training,
        "seed": seed,
        "versions": versions(),
        "hardware": hardware(),
        "config": config,
    }
    write_json(path, record)
