"""Reads and writes safetensors files, by the format's own library."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that begins with these nine bytes or more may be one."""
    return len(head) > 8 and head[8:9] == b"{"


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors by name, in the file's order, and the file's metadata.

    Raises ValueError, without the file's name, where it is damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            return tensors, dict(file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def write_safetensors(
    path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Writes the tensors; the library puts those of the widest dtype first, then by name."""
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    save_file(contiguous, path, dict(metadata) or None)
