"""Config files: found by path or by the name of a packaged one, and executed once.

A config is a Python program with a function `get_config`. In it, `from configs import ...` finds
the files beside it where its folder is called `configs`, and the packaged configs.
"""

import difflib
import importlib.machinery
import importlib.util
import runpy
import sys
from pathlib import Path

from ml_collections import ConfigDict

from posec3d_jax.config.checks import check_config
from posec3d_jax.files.places import expand

_PACKAGE = Path(__file__).resolve().parents[1]


def read_config(name: str) -> ConfigDict:
    """The config of a file, or a packaged one: checked and locked.

    Args:
      name: 'mine.py', 'mine.py:variant', or the name of a packaged config, 'penn_action:limb'.

    Raises:
      FileNotFoundError: there is no such file, and no packaged config of that name.
      ValueError: no config comes out of it, or a value in it makes no sense.
      Exception: whatever the file raises.
    """
    return check_config(run_config(name)).lock()


def run_config(name: str) -> ConfigDict:
    """As `read_config`, without the checks of its values: they may yet be set otherwise."""
    file, *variant = name.split(":", 1)
    path = find_config(file)
    _offer_configs(path.resolve().parent)
    names = runpy.run_path(str(path))
    if "get_config" not in names:
        raise ValueError(f"{path} has no function get_config; see `posec3d configs custom`")
    config = names["get_config"](*variant)
    if not isinstance(config, ConfigDict):
        raise ValueError(
            f"get_config of {path} returns {type(config).__name__}; expected a config: start from "
            "posec3d_jax.config.base.get_config(), and return it"
        )
    return config


def find_config(file: str) -> Path:
    """The path of a config file, or of the packaged config of that name.

    Raises:
      FileNotFoundError: there is neither; names the nearest packaged one.
      ValueError: it is a folder or a device.
    """
    path, packaged = expand(file), packaged_configs()
    if path.is_file():
        return path
    if file in packaged:
        return packaged[file]
    if path.exists() and file:
        raise ValueError(f"--config={file} is no regular file")
    close = difflib.get_close_matches(path.stem, packaged, 1, 0.6)
    hint = f"; the packaged one is called {close[0]}: --config={close[0]}" if close else ""
    raise FileNotFoundError(
        f"--config={file}: there is no such file, and no packaged config of that name{hint} "
        "(`posec3d configs` lists them)"
    )


def packaged_configs() -> dict[str, Path]:
    """The configs that come with the package, by name."""
    return {path.stem: path for path in sorted(_packaged_folder().glob("[a-z]*.py"))}


def _packaged_folder() -> Path:
    """Of an installed package its own folder `configs`, of a clone the one beside the package."""
    inside = _PACKAGE / "configs"
    return inside if inside.is_dir() else _PACKAGE.parent / "configs"


def _offer_configs(folder: Path) -> None:
    """Makes `from configs import ...` work: beside the config first, then what is packaged."""
    folders = [folder] * (folder.name == "configs") + [_packaged_folder()]
    wanted = [str(place) for place in folders]
    if set(wanted) <= set(getattr(sys.modules.get("configs"), "__path__", ())):
        return
    for name in [name for name in sys.modules if name.startswith("configs.")]:
        del sys.modules[name]  # of another folder
    spec = importlib.machinery.ModuleSpec("configs", None, is_package=True)
    spec.submodule_search_locations = wanted
    sys.modules["configs"] = importlib.util.module_from_spec(spec)
