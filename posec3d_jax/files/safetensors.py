"""Reads and writes safetensors: a length, a JSON table of contents, then the numbers.

The format (huggingface/safetensors, README "Format") is so small that no package is needed.
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": jnp.bfloat16,
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_METADATA = "__metadata__"
_LONGEST_TABLE = 100_000_000  # bytes, the format's own limit


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that begins with these nine bytes or more may be one."""
    return len(head) > 8 and head[8:9] == b"{"


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors by name, and the file's metadata.

    Raises ValueError, without the file's name, where it is damaged.
    """
    with open(path, "rb") as file:
        size = path.stat().st_size - 8
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(size, _LONGEST_TABLE):
            raise ValueError(f"its table of contents has {length} bytes, the file {size + 8}")
        table = json.loads(file.read(length), object_pairs_hook=_unique)
        data = memoryview(file.read())
    metadata = table.pop(_METADATA, {})
    if not isinstance(metadata, dict):
        raise ValueError(f"{_METADATA} is no object")
    places = [(name, *_place(name, entry)) for name, entry in table.items()]
    _check_places(sorted((first, last, name) for name, _, _, first, last in places), len(data))
    return {
        name: np.frombuffer(data[first:last], dtype).reshape(shape)
        for name, dtype, shape, first, last in places
    }, metadata


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("its table of contents has a name twice")
    return table


def _place(name: str, entry: Any) -> tuple[np.dtype, list[int], int, int]:
    """A tensor's dtype, shape, and where it begins and ends; ValueError where they disagree."""
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= set(entry):
        raise ValueError(f"{name} lacks dtype, shape or data_offsets")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _DTYPES:
        raise ValueError(f"{name} has dtype {kind!r:.80}; expected one of {list(_DTYPES)}")
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or len(offsets) != 2:
        raise ValueError(f"{name} has a shape or data_offsets that are not of whole numbers")
    dtype, (first, last) = np.dtype(_DTYPES[kind]), offsets
    if len(shape) > 32 or last - first != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name} of shape {str(shape):.80} has {last - first} bytes")
    return dtype, shape, first, last


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def _check_places(places: list[tuple[int, int, str]], size: int) -> None:
    """ValueError unless the tensors fill the file, each beginning where another ends."""
    end = 0
    for first, last, name in places:
        if first != end:
            raise ValueError(f"{name} begins at byte {first}, the tensor before it ends at {end}")
        end = last
    if end != size:
        raise ValueError(f"its tensors end at byte {end} of {size}")


def write_safetensors(
    path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Writes little-endian contiguous tensors, in the order given."""
    table: dict[str, object] = {_METADATA: dict(metadata)} if metadata else {}
    start = 0
    for name, array in tensors.items():
        end = start + array.nbytes
        kind, shape = _NAMES[array.dtype], list(array.shape)
        table[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
        start = end
    header = json.dumps(table, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the numbers begin at a multiple of eight
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for array in tensors.values():
            file.write(array.tobytes())
