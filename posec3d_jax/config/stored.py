"""The config beside a run: written at its start, read with the keys that were added since."""

import json
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from posec3d_jax.config.ranges import check_ranges
from posec3d_jax.files.disk import read_json
from posec3d_jax.files.places import expand

CONFIG_FILE = "config.json"


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


def config_to_dict(config) -> dict[str, Any]:
    """The resolved config as plain JSON-able data."""
    return json.loads(config.to_json_best_effort())


def stored_config(workdir: str | Path) -> dict[str, Any]:
    """The config of the run in that directory, with every key of today; {} where there is none."""
    path = expand(workdir) / CONFIG_FILE
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
    path = expand(workdir) / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: no run was started in {workdir}")
    return check_ranges(ConfigDict(stored_config(workdir))).lock()
