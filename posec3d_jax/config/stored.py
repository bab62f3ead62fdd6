"""The config beside a run: written at its start, read with the keys that were added since."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from posec3d_jax.config.checks import check_keys, keys_of
from posec3d_jax.config.keys import FORMER_KEYS, find_key
from posec3d_jax.config.keys.key import ALWAYS, BOTH
from posec3d_jax.config.values import as_tuples
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.disk import read_json

CONFIG_FILE = "config.json"


def config_to_dict(config) -> dict[str, Any]:
    """The resolved config as plain JSON-able data."""
    return json.loads(config.to_json_best_effort())


def stored_config(workdir: str | Path) -> dict[str, Any]:
    """The config of the run in that directory, with every key of today; {} where there is none.

    Raises ValueError where the file is damaged.
    """
    path = local_folder(workdir) / CONFIG_FILE
    config = read_json(path)
    try:
        return with_later_keys(config)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def with_later_keys(config: dict[str, Any]) -> dict[str, Any]:
    """A stored config with the keys that were added since, as they were before they existed.

    Keys that are gone are left out.
    Raises ValueError where a part of it that has keys is no object.
    """
    if not config:
        return {}
    config = dict(config)
    for key in list(keys_of(config)):
        if key.earlier is ALWAYS:
            continue
        part, _, name = key.name.rpartition(".")
        if not part:
            config.setdefault(name, key.earlier)
            continue
        if not isinstance(config.get(part, {}), dict):
            raise ValueError(f"{part!r} is no object")
        earlier = json.loads(json.dumps(key.earlier))  # tuples are lists in what is stored
        config[part] = {name: earlier} | config.get(part, {})
    for key in FORMER_KEYS:
        part, _, gone = key.rpartition(".")
        config[part] = {name: value for name, value in config[part].items() if name != gone}
    return config


def load_config(workdir: str | Path) -> ConfigDict:
    """The config that a run was started with, locked.

    Raises:
      FileNotFoundError: there is no run in that directory.
      ValueError: the file is damaged, or a value in it makes no sense.
    """
    path = local_folder(workdir) / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: no run was started in {workdir}")
    return config_of(stored_config(workdir))


def config_of(stored: dict[str, Any]) -> ConfigDict:
    """A stored config as one to work with, locked.

    Args:
      stored: as `config_to_dict` gives it, of this version of the package or an earlier one.

    Raises:
      ValueError: a part of it that has keys is no object, or a value makes no sense.
    """
    config = check_keys(with_later_keys(stored))
    for key in keys_of(config):
        *parts, name = key.name.split(".")
        node = config
        for part in parts:
            node = node.get(part, {})
        if isinstance(node.get(name), list):  # which is how JSON has tuples
            node[name] = as_tuples(node[name])
    return ConfigDict(config).lock()


def differing(
    before: dict[str, Any], now: dict[str, Any], decides: Collection[str] = ()
) -> dict[str, tuple[Any, Any]]:
    """The dotted keys in which two configs differ, with both values; 'absent' where one lacks it.

    Args:
      before: as `config_to_dict` or `stored_config` gives it.
      now: likewise.
      decides: only keys that decide one of these, see `Key.decides`; () for all keys.
    """
    old, new = _flat(before), _flat(now)
    return {
        name: (old.get(name, "absent"), new.get(name, "absent"))
        for name in sorted(old.keys() | new.keys())
        if old.get(name, "absent") != new.get(name, "absent")
        and (not decides or _decides(name) in decides)
    }


def _decides(name: str) -> str:
    """What a key decides; a key that is in no table counts as deciding everything."""
    key = find_key(name)
    return key.decides if key else BOTH


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys to values; a list is a value."""
    pairs: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            pairs |= _flat(value, f"{prefix}{key}.")
        else:
            pairs[prefix + key] = value
    return pairs
