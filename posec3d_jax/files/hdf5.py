"""Strangers' HDF5 files: plain arrays that lie in the file itself, of bounded size.

HDF5 can point into other files (links, external and virtual data sets) and may hold pickles as
strings; neither is followed. Needs h5py, the extra `hdf5`.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posec3d_jax.files.arrays import MOST_BYTES, BadSample
from posec3d_jax.files.text import check_file

KINDS = "fiuSO"  # numbers, and text of fixed or of any length
MOST_TEXTS = 10_000
_ERRORS = (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)


def load_hdf5(
    file: Path, keys: Sequence[str], optional: Sequence[str] = (), attributes: Sequence[str] = ()
) -> tuple[dict[str, np.ndarray], dict[str, dict]]:
    """Arrays by key, and by key ('' is the file itself) those of `attributes` that are there.

    Raises `BadSample`: no HDF5 file, one of `keys` absent, data elsewhere or too large, no h5py.
    """
    try:
        import h5py
    except ModuleNotFoundError as error:
        message = "reading HDF5 needs h5py: pip install 'posec3d-jax[hdf5]'"
        raise BadSample("missing_package", message) from error
    try:
        check_file(file)
        with h5py.File(file, "r") as contents:
            present = [key for key in (*keys, *optional) if key in keys or key in contents]
            data = {key: _plain(contents, key, h5py) for key in present}
            found = {key: _attributes(entry, attributes) for key, entry in data.items()}
            found[""] = _attributes(contents, attributes)
            return {key: entry[()] for key, entry in data.items()}, found
    except BadSample:
        raise
    except _ERRORS as error:
        message = f"not a readable HDF5 file (truncated?): {' '.join(str(error).split())[:200]}"
        raise BadSample("unreadable_file", message) from error


def _plain(contents, key: str, h5py):
    if key not in contents:
        raise BadSample("missing_key", f"the file has no data set {key!r}", key)
    data = contents[key] if isinstance(contents.get(key, getlink=True), h5py.HardLink) else None
    if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external:
        raise BadSample("refused_link", "its data lie elsewhere, which is not followed", key)
    if data.dtype.kind not in KINDS or 8 * math.prod(data.shape) > MOST_BYTES:
        raise BadSample("wrong_type", f"a {data.dtype} of shape {data.shape}", key)
    text = data.dtype.kind in "SO"
    if text and (h5py.check_string_dtype(data.dtype) is None or data.size > MOST_TEXTS):
        raise BadSample("wrong_type", f"a {data.dtype} of shape {data.shape}, expected names", key)
    return data


def _attributes(entry, names: Sequence[str]) -> dict:
    return {name: entry.attrs[name] for name in names if name in entry.attrs}
