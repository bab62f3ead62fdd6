"""What it takes to run a result again: command, config, seed, versions, hardware."""

import importlib.metadata
import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
from ml_collections import ConfigDict

from posec3d_jax.config_ranges import check_ranges
from posec3d_jax.disk import write_whole

RUN_FILE, CONFIG_FILE = "run.json", "config.json"
# Keys that configs got after the first runs were stored, with what those runs did.
_LATER_KEYS = {
    "data": {"classes": [], "clips_per_class": 0, "resident": False},
    "noise": {
        "drop": 0.0,
        "joints": [],
        "jitter": 0.0,
        "offset": 0.0,
        "score": 0.0,
        "in_training": False,
        "in_test": True,
        "seed": 0,
    },
    "sampling": {"next_frames": False, "test_flip": True},
    "volume": {"short_limb": "start"},
    "geometry": {
        "allow_imgpad": True,
        "missing": "coordinate",
        "train_mirror": "W-x",
        "test_mirror": "W-1-x",
    },
    "graph": {"stream": "joint", "threshold": 0.01, "use_score": True},
    "optimizer": {"nesterov": False},
    "evaluate": {"mean_class": "union"},
    "train": {
        "keep_checkpoints": 2,
        "stall_minutes": 30.0,
        "steps_per_dispatch": 1,
        "remat": False,
    },
}
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
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """Devices and host processor."""
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


def config_to_dict(config) -> dict[str, Any]:
    """The resolved config as plain JSON-able data."""
    return json.loads(config.to_json_best_effort())


def stored_config(workdir: str | Path) -> dict[str, Any]:
    """The config of the run in that directory, with every key of today; {} where there is none."""
    path = Path(workdir) / CONFIG_FILE
    config = read_json(path)
    for part in _LATER_KEYS:
        if not isinstance(config.get(part, {}), dict):
            raise ValueError(f"{path} is damaged: {part!r} is no object")
    return with_later_keys(config)


def with_later_keys(config: dict[str, Any]) -> dict[str, Any]:
    """A stored config with the keys that were added since, as they were before they existed."""
    later = {part: keys | config.get(part, {}) for part, keys in _LATER_KEYS.items()}
    return {"encoder": "volume"} | config | later if config else {}


def load_config(workdir: str | Path) -> ConfigDict:
    """The config that a run was started with, locked.

    Raises:
      FileNotFoundError: there is no run in that directory.
      ValueError: the file is damaged, or a number in it makes no sense.
    """
    path = Path(workdir) / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: no run was started in {workdir}")
    return check_ranges(ConfigDict(stored_config(workdir))).lock()


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


def write_json(path: Path, value: Any) -> None:
    """Writes a file that a reader never sees half of.

    Raises:
      DiskError: it cannot be written.
    """
    write_whole(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The object in a JSON file, {} where there is none; ValueError names a damaged file."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged: it holds a {type(value).__name__} and no object")
    return value
