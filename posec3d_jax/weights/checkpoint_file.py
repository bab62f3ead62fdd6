"""Reads a checkpoint of PYSKL or mmaction2, whatever its format, into named arrays."""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.files.array_pickle import DAMAGE
from posec3d_jax.files.kinds import CUT_ZIP, advice, kind_of
from posec3d_jax.files.safetensors import looks_like_safetensors, read_safetensors
from posec3d_jax.files.torch import PICKLE_START, ZIP_START, read_legacy, read_zip
from posec3d_jax.files.torch_pickle import Inert, Refused, Tensor
from posec3d_jax.weights.names import without_wrappers

# What may hold weights; a pickle may, in PyTorch's old format, and a zip may have been cut short.
_KINDS = ("a PyTorch checkpoint", "a PyTorch checkpoint of before 1.6", "safetensors", "a pickle")
_KINDS += (CUT_ZIP,)
_PLAIN = (str, int, float, bool)


@dataclass(frozen=True)
class CheckpointFile:
    """Tensors by the references' names, and those notes of the file that are plain values."""

    tensors: dict[str, np.ndarray]
    notes: dict[str, Any]
    format: str


def read_checkpoint(path: str | Path) -> CheckpointFile:
    """Reads a .pth of either age or a .safetensors; the content decides, not the file's name.

    Only the tensors of `state_dict` (or of the file itself, where it is nothing but tensors) are
    read; everything else in the file is passed over unseen, except the plain values of `meta`.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: naming the file, what is wrong with it, and what to do.
    """
    path = Path(path)
    if not path.is_file() and (path.exists() or path.is_symlink()):
        found = "a folder" if path.is_dir() else "no regular file"
        run = "; for a run of ours, config.init_from or --checkpoint takes it as it is"
        raise ValueError(
            f"{path} is {found}; expected a .pth or .safetensors file{run * path.is_dir()}"
        )
    with open(path, "rb") as file:
        head = file.read(16)
    try:
        return _read(path, head)
    except Refused as refused:
        if kind_of(path) not in _KINDS:
            raise ValueError(f"{path} holds no weights. {advice(path, '')}") from refused
        raise ValueError(
            f"{path}: {refused}. Expected a PyTorch checkpoint that holds a state_dict: save "
            "`{'state_dict': model.state_dict()}` with torch.save, or as safetensors"
        ) from refused
    except (*DAMAGE, OSError, struct.error, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        if kind_of(path) not in _KINDS:
            raise ValueError(f"{path} holds no weights. {advice(path, '')}") from error
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) is truncated or damaged: "
            f"{type(error).__name__}: {error}. Copy or download it again"
        ) from error


def _read(path: Path, head: bytes) -> CheckpointFile:
    selection = _Selection()
    if head.startswith(ZIP_START):
        tensors, kind = read_zip(path, selection), "PyTorch"
    elif looks_like_safetensors(head):  # whose length may begin as a pickle does
        (tensors, selection.notes), kind = read_safetensors(path), "safetensors"
    elif head.startswith(PICKLE_START):
        tensors, kind = read_legacy(path, selection), "PyTorch before 1.6"
    else:
        raise Refused(f"no checkpoint: {path.stat().st_size} bytes that begin with {head!r}")
    named = {without_wrappers(name): array for name, array in tensors.items()}
    if len(named) != len(tensors):
        raise Refused("two tensors of it have the same name but for a 'module.' before it")
    return CheckpointFile(named, selection.notes, kind)


class _Selection:
    """Finds the state_dict among a checkpoint's objects, and notes what is said about it."""

    def __init__(self):
        self.notes: dict[str, Any] = {}

    def __call__(self, value: object) -> dict[str, Tensor]:
        if isinstance(value, Inert):
            raise Refused(
                f"a whole object of class {value.origin}, which only its program can read"
            )
        if not isinstance(value, Mapping):
            raise Refused(f"a {type(value).__name__} and no dict")
        meta = value.get("meta")
        if isinstance(meta, Mapping):
            plain = {k: v for k, v in meta.items() if isinstance(v, _PLAIN)}
            self.notes = {k: v for k, v in plain.items() if isinstance(k, str)}
        state = value.get("state_dict", value)
        if not isinstance(state, Mapping) or not any(isinstance(v, Tensor) for v in state.values()):
            keys = ", ".join(map(str, list(value)[:20]))[:200]
            raise Refused(f"a dict without a state_dict (it has {keys})")
        for name, item in state.items():
            if isinstance(item, Inert):
                raise Refused(f"{name} is a {item.origin}; only plain dense tensors can be read")
        return {str(name): item for name, item in state.items() if isinstance(item, Tensor)}
