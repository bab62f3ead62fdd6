"""Reads and writes safetensors: a length, a JSON table of contents, then the numbers.

The format (huggingface/safetensors, README "Format") is so small that no package is needed.
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

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


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that begins with these nine bytes or more may be one."""
    return len(head) > 8 and head[8:9] == b"{"


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors by name, and the file's metadata.

    Raises ValueError, without the file's name, where it is damaged.
    """
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        raise ValueError(f"its table of contents has {length} bytes, the file {len(data)}")
    table = json.loads(data[8 : 8 + length])
    metadata = table.pop(_METADATA, {})
    return {
        name: _tensor(name, entry, data[8 + length :]) for name, entry in table.items()
    }, metadata


def _tensor(name: str, entry: Mapping, data: bytes) -> np.ndarray:
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"{name} has dtype {entry['dtype']}; expected one of {list(_DTYPES)}")
    dtype, (first, last) = np.dtype(_DTYPES[entry["dtype"]]), entry["data_offsets"]
    if last - first != math.prod(entry["shape"]) * dtype.itemsize or not 0 <= first <= last:
        raise ValueError(f"{name} of shape {entry['shape']} has {last - first} bytes")
    if last > len(data):
        raise ValueError(f"{name} ends at byte {last} of {len(data)}")
    return np.frombuffer(data[first:last], dtype).reshape(entry["shape"])


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
