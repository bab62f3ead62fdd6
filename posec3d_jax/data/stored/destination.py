"""Whether a data set may be written where a config says."""

from collections.abc import Collection
from pathlib import Path

from posec3d_jax.data.pose_files import TOOLS
from posec3d_jax.data.stored.info import DTYPES, INFO_FILE, STORAGES, DataError
from posec3d_jax.files.places import expand


def check_destination(config_data, out: Path, overwrite: bool, written: Collection[str]) -> None:
    """Before anything is read: whether a data set can be written, and nothing else is lost by it.

    Args:
      config_data: `config.data`.
      out: where it goes.
      overwrite: whether a data set that is there may be replaced.
      written: what a data set has in its folder.

    Raises:
      DataError: it cannot; says why and what to do.
    """
    if not config_data.dir:
        raise DataError("config.data.dir is empty; set it to the folder to write")
    if config_data.storage not in STORAGES:
        raise DataError(
            f"config.data.storage is {config_data.storage!r}; expected one of {STORAGES}"
        )
    if config_data.keypoint_dtype not in DTYPES:
        raise DataError(
            f"config.data.keypoint_dtype is {config_data.keypoint_dtype!r}; expected one of "
            f"{DTYPES}"
        )
    source = expand(config_data.source) if config_data.source else None
    walked = source and config_data.format in ("directory", *TOOLS) and source.is_dir()
    if walked and out.resolve().is_relative_to(source.resolve()):
        raise DataError(
            f"config.data.dir, {out}, lies in config.data.source, {source}, where its files would "
            "be taken for more of the source; choose a folder beside it"
        )
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / INFO_FILE).is_file():
        raise DataError(
            f"{out} exists and is no data set; empty it yourself, or choose another config.data.dir"
        )
    if not overwrite:
        raise DataError(f"{out} holds a data set already; --overwrite replaces it")
    if others := sorted(path.name for path in out.iterdir() if path.name not in written):
        raise DataError(
            f"{out} holds a data set, and besides {', '.join(others[:5])}, which --overwrite would "
            "delete: move that elsewhere, or choose another config.data.dir"
        )
