"""Reads a checkpoint back before it gets its name: what is on disk has to be what was saved."""

import zlib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tensorstore as ts

from posec3d_jax.files.places import plain_name
from posec3d_jax.runs.vetting import ForgedError, arrays_in, stored_arrays

Sums = dict[str, tuple[tuple[int, ...], int]]


def checksums_of(tree: Any) -> Sums:
    """Shape and crc32 of each array of a tree, by the name that it is stored under.

    It copies the arrays from the devices, so it belongs before they are given away.
    """
    named = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): (np.shape(leaf), _checksum(leaf))
        for path, leaf in named
    }


def check_saved(part: Path, wanted: Sums) -> None:
    """Reads every array of a part of a checkpoint, such as 'model', and compares.

    Raises:
      ForgedError: an array is missing, cannot be read, or has another shape or other values.
    """
    stored = stored_arrays(part)
    for name, (shape, _) in wanted.items():
        if name not in stored or stored[name][0] != shape:
            found = f"with shape {stored[name][0]}" if name in stored else "not there"
            raise ForgedError(f"read back, {name} is {found}; expected shape {shape}")
    with plain_name(part) as plain:
        for name, (_, checksum) in wanted.items():
            kvstore = {**arrays_in(plain), "path": f"{name}/"}
            array = ts.open({"driver": "zarr3", "kvstore": kvstore}).result().read().result()
            if _checksum(array) != checksum:
                raise ForgedError(f"read back, {name} has other values than were saved")


def _checksum(array: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
