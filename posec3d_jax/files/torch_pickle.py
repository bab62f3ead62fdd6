"""Unpickles what `torch.save` wrote, without PyTorch and without running anything the file names.

A checkpoint's pickle is a program that calls functions by name. Here the few names that build
tensors mean the stand-ins below, which only take notes; every other name (optimizers, configs,
NumPy scalars of a training framework) means an inert class that swallows whatever is done to it.
The bytes of a tensor are read later, and only of those tensors that are wanted.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import jax.numpy as jnp
import numpy as np

from posec3d_jax.files.bounded_pickle import BoundedUnpickler, Constructor, Refused, check_key

_MOST_NAMES = 10_000  # unknown classes that a checkpoint may name; each costs a kilobyte
_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": jnp.bfloat16,
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
    "UntypedStorage": "u1",
}
_DTYPES = {
    "float64": "f8",
    "float32": "f4",
    "float16": "f2",
    "bfloat16": jnp.bfloat16,
    "int64": "i8",
    "int32": "i4",
    "int16": "i2",
    "uint16": "u2",
    "int8": "i1",
    "uint8": "u1",
    "bool": "?",
}


class Inert:
    """Stands for an object of an unknown class: made of anything, keeps nothing, does nothing."""

    origin = "?"

    def __setitem__(self, key, value):
        pass


@dataclass(eq=False)
class Storage:
    """Where numbers lie in the file: `count` of `dtype` under `key`; views begin at `start`."""

    dtype: np.dtype
    key: str
    count: int
    start: int = 0


@dataclass(eq=False)
class Tensor:
    """A tensor that has not been read yet: a strided window of a storage, in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    def read(self, read_storage: Callable[[Storage], bytes], order: str) -> np.ndarray:
        """The values; `order` is the file's byte order, '<' or '>'.

        Raises ValueError where the window does not lie in its storage, as in damaged files.
        """
        whole = np.frombuffer(read_storage(self.storage), self.dtype)
        if order == ">":
            whole = whole.byteswap()
        size, first = math.prod(self.shape), self.storage.start + self.offset
        pairs = list(zip(self.shape, self.strides, strict=True))
        last = first + sum((n - 1) * stride for n, stride in pairs)
        inside = size == 0 or (0 <= first and last < len(whole) and size <= len(whole))
        if not inside or min((*self.shape, *self.strides), default=0) < 0:
            raise ValueError(
                f"a tensor of shape {list(self.shape)} exceeds its {len(whole)} values"
            )
        steps = [stride * whole.itemsize for stride in self.strides]
        values = whole[first:] if size else whole[:0]
        return np.lib.stride_tricks.as_strided(values, self.shape, steps).copy()


class _Kind:
    """Stands for a storage class or a dtype."""

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)


def _tensor(storage, offset, shape, strides, *_):
    return _view(storage, storage.dtype, offset, shape, strides)


def _tensor_with_dtype(storage, offset, shape, strides, _grad, _hooks, kind, *_):
    return _view(storage, kind.dtype, offset, shape, strides)


def _view(storage, dtype, offset, shape, strides) -> Tensor:
    if not isinstance(storage, Storage) or not isinstance(shape, tuple) or len(shape) > 32:
        raise Refused("a tensor of something that is no storage, or has no shape")
    if not all(type(n) is int for n in (offset, *shape, *strides)):
        raise Refused("a tensor whose shape is not of whole numbers")
    return Tensor(storage, offset, shape, tuple(strides), dtype)


def _size(shape=()) -> tuple:
    return shape if isinstance(shape, tuple) else Inert()


def _first(tensor, *_):
    """A parameter is a tensor with training attributes, which are dropped."""
    return tensor


def _from_type(function, _type, args, _state):
    return function.call(*args) if isinstance(function, Constructor) else Inert()


def _known() -> dict[tuple[str, str], object]:
    calls = {
        ("torch", "Size"): _size,
        ("torch._utils", "_rebuild_tensor"): _tensor,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch._utils", "_rebuild_tensor_v3"): _tensor_with_dtype,
        ("torch._utils", "_rebuild_parameter"): _first,
        ("torch._utils", "_rebuild_parameter_with_state"): _first,
        ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    }
    table: dict[tuple[str, str], object] = {n: Constructor(call) for n, call in calls.items()}
    for name, dtype in _STORAGES.items():
        table["torch", name] = table["torch.storage", name] = _Kind(dtype)
    return table | {("torch", name): _Kind(dtype) for name, dtype in _DTYPES.items()}


KNOWN = _known()


class TorchUnpickler(BoundedUnpickler):
    """Reads one pickle; `storages` collects what its tensors refer to, by key."""

    targets = (dict, Inert)

    def __init__(self, file: BinaryIO, size: int | None = None):
        super().__init__(file, size)
        self.storages: dict[str, Storage] = {}
        self._named = KNOWN | {("collections", "OrderedDict"): Constructor(self._ordered_dict)}

    def find_class(self, module: str, name: str):
        if (module, name) not in self._named:
            if len(self._named) > _MOST_NAMES:
                raise Refused(f"more than {_MOST_NAMES} unknown classes")
            inert = type("Inert", (Inert,), {"origin": f"{module}.{name}"[:200]})
            self._named[module, name] = inert
        return self._named[module, name]

    def make(self, function, args: tuple):
        if isinstance(function, type) and issubclass(function, Inert):
            return function()
        return function if isinstance(function, Inert) else super().make(function, args)

    def alter(self, value, state) -> None:
        """Attributes are dropped; an inert class or one of the known functions takes none."""
        if not isinstance(value, dict | Inert | Tensor | Storage):
            raise Refused("it alters a constructor")

    def _ordered_dict(self, items=()) -> OrderedDict:
        self.charge(128 * len(items))
        return OrderedDict((check_key(key), value) for key, value in items)

    def persistent_load(self, pid):
        if not isinstance(pid, tuple) or not pid:
            raise Refused("a reference to nothing in the file")
        if pid[0] == "module":  # old files put a class's source code beside the class
            return pid[1]
        kind, key, _location, count, *view = pid[1:]
        if pid[0] != "storage" or not isinstance(kind, _Kind) or type(count) is not int:
            return Inert()
        start = view[0][1] if view and view[0] else 0
        if type(start) is not int or not isinstance(key, str | int):
            raise Refused("a storage whose name or place is none")
        storage = Storage(kind.dtype, str(check_key(key)), count, start)
        self.storages.setdefault(storage.key, storage)
        return storage
