"""Reads pickles of arrays and plain containers, and refuses everything else by name.

A pickle is a program: `pickle.load` on a stranger's file runs whatever the file says. Here all it
can call are the constructors below. NumPy's own are not among them, because their `__setstate__`
trusts the file: one that declares false dtype flags crashes the process. So the pieces of an array
(dtype, shape, bytes) are collected by the stand-ins below, checked, and put together at the end.
Files written by Python 2 (protocol 2, NumPy's old module paths) are read as well.
"""

import pickle
import re
import struct
from collections import OrderedDict, defaultdict
from functools import partial
from pathlib import Path

import numpy as np

from posec3d_jax.files.arrays import brief
from posec3d_jax.files.bounded_pickle import BoundedUnpickler, Constructor, Refused, check_key
from posec3d_jax.files.kinds import advice, kind_of

PLAIN_DTYPE = re.compile(r"[<>=|]?[?bBhHiIlLqQefdgFDG]|[<>=|]?[biufcSU][1-9]\d{0,8}")
TEXT_CODECS = ("latin1", "latin-1", "ascii", "utf-8", "utf8")
NDARRAY = "numpy.ndarray"  # the array type as an argument; nothing a pickle could call

# What damaged pickles were seen to raise when whole ones were cut and their bytes changed.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
)


class _Dtype:
    """Stands in for `numpy.dtype` while unpickling; numbers, booleans and text only."""

    __hash__ = None

    def __init__(self, spec, align=False, copy=False):
        if not isinstance(spec, str) or not PLAIN_DTYPE.fullmatch(spec):
            raise Refused(
                f"an array of dtype {brief(spec)}; only arrays of numbers, booleans and text are "
                "read, so store lists in place of object arrays, and no structured dtypes"
            )
        self.value = np.dtype(spec)

    def restore(self, state):
        _, order, *structure = state
        if any(part is not None for part in structure[:3]):
            raise Refused("a structured dtype")
        if order in ("<", ">"):
            self.value = self.value.newbyteorder(order)


class _Array:
    """Stands in for an array while unpickling; `value` is the array once its state has come."""

    __hash__ = None
    value: np.ndarray

    def __init__(self, kind, shape, dtype):
        if kind != NDARRAY:
            raise Refused("an array of a type of its own")

    def restore(self, state):
        _, shape, dtype, is_fortran, data = state
        self.value = _from_bytes(data, dtype, shape, "F" if is_fortran else "C")


class _Type:
    """Stands in for a plain type while unpickling; as `defaultdict(list)` names one."""

    __hash__ = None

    def __init__(self, value: type):
        self.value = value


def _from_bytes(data, dtype: _Dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    """The array with these bytes; read-only, as it shares them."""
    if not isinstance(data, bytes) or not isinstance(dtype, _Dtype):
        raise ValueError("array data that is no bytes, or has no dtype")
    if 0 in shape:
        return np.zeros(shape, dtype.value)
    return np.frombuffer(data, dtype.value).reshape(shape, order=order)


class _PlainUnpickler(BoundedUnpickler):
    def __init__(self, file):
        super().__init__(file)
        own = {  # those that copy, and so are charged for it
            ("_codecs", "encode"): self._encode,
            ("builtins", "bytes"): partial(self._bytes, bytes),
            ("builtins", "bytearray"): partial(self._bytes, bytearray),
            ("builtins", "set"): partial(self._set, set),
            ("builtins", "frozenset"): partial(self._set, frozenset),
            ("collections", "OrderedDict"): self._ordered_dict,
            ("collections", "defaultdict"): self._default_dict,
        }
        for core in ("numpy.core", "numpy._core"):
            own[f"{core}.multiarray", "scalar"] = self._scalar
            own[f"{core}.numeric", "_frombuffer"] = self._buffered_array
        self._named = ALLOWED | {name: Constructor(call) for name, call in own.items()}

    def find_class(self, module: str, name: str):
        key = ("builtins" if module == "__builtin__" else module, name)  # Python 2's
        if key not in self._named:
            raise Refused(f"the global '{module}.{name}'")
        return self._named[key]

    def alter(self, value, state) -> None:
        if isinstance(value, _Array):
            *parts, data = state
            value.restore((*parts, self._raw(data)))
        elif isinstance(value, _Dtype):
            value.restore(state)
        elif not isinstance(value, OrderedDict):  # whose further attributes are left out
            super().alter(value, state)

    def _raw(self, data) -> bytes:
        """Bytes, also of a byte string of Python 2, which has become text."""
        if isinstance(data, str | bytearray):
            self.charge(len(data))
            return data.encode("latin1") if isinstance(data, str) else bytes(data)
        return data

    def _encode(self, text: str, codec: str) -> bytes:
        """How protocols below 3 spell bytes: text, and the codec that gives the bytes back."""
        if codec not in TEXT_CODECS:
            raise Refused("'_codecs.encode' with a codec that is not for text")
        self.charge(len(text))
        return text.encode(codec)

    def _bytes(self, kind: type, data=b"", codec: str = ""):
        """A byte string; `bytes(n)` would be n zeros."""
        if isinstance(data, str):
            return kind(self._encode(data, codec))
        if not isinstance(data, bytes | bytearray):
            raise Refused(f"{kind.__name__} of a {type(data).__name__}")
        self.charge(len(data))
        return kind(data)

    def _set(self, kind: type, items=()):
        self.charge(32 * len(items))
        return kind(map(check_key, items))

    def _ordered_dict(self, items=()) -> OrderedDict:
        self.charge(128 * len(items))
        pairs = items.items() if isinstance(items, dict) else items
        return OrderedDict((check_key(key), value) for key, value in pairs)

    def _default_dict(self, factory=None, items=()) -> defaultdict:
        if factory is not None and not isinstance(factory, _Type):
            raise Refused("a defaultdict of something that is no plain type")
        return defaultdict(factory and factory.value, self._ordered_dict(items))

    def _buffered_array(self, data, dtype, shape, order, axis_order=None) -> np.ndarray:
        """How protocol 5 stores an array: one buffer, and for layout 'K' the order of its axes."""
        data = self._raw(data)
        if order == "K" and axis_order is not None:
            return _from_bytes(data, dtype, shape, "C").transpose(axis_order)
        return _from_bytes(data, dtype, shape, order)

    def _scalar(self, dtype, data) -> np.generic:
        """A NumPy number."""
        return _from_bytes(self._raw(data), dtype, (1,), "C")[0]


def _allowed() -> dict[tuple[str, str], object]:
    """What any pickle may name besides, under every module path that NumPy has used for it."""
    table = {("numpy", "ndarray"): NDARRAY, ("numpy", "dtype"): Constructor(_Dtype)}
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray", "_reconstruct"] = Constructor(_Array)
    plain = (dict, list, tuple, str, bool, int, float)
    table |= {("builtins", kind.__name__): _Type(kind) for kind in plain}
    return table | {("builtins", "complex"): Constructor(_complex)}


def _complex(real: float, imaginary: float) -> complex:
    return complex(real, imaginary)


ALLOWED = _allowed()


def _finish(value, done: dict[int, object]):
    """`value` with its stand-ins replaced; containers in place, and each once however often met."""
    if isinstance(value, _Array | _Dtype | _Type):
        return value.value
    if not isinstance(value, dict | list | tuple):
        return value
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, tuple):
        done[id(value)] = value  # until it is known; a tuple that contains itself stays as it is
        done[id(value)] = tuple(_finish(item, done) for item in value)
        return done[id(value)]
    done[id(value)] = value
    for key in value if isinstance(value, dict) else range(len(value)):
        value[key] = _finish(value[key], done)
    return value


def load_pickle(path: Path) -> object:
    """What the pickle file `path` holds, without running any code of its; arrays are read-only.

    Raises ValueError naming the file: for a global that is not allowed (by name), and for a
    truncated or damaged file (with its size in bytes), or one of another kind (saying of which).
    OSError as usual.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder, and no pickle. {advice(path, 'a pickle')}")
    with open(path, "rb") as file:
        try:
            value = _finish(_PlainUnpickler(file).load(), {})
        except Refused as refused:
            raise ValueError(
                f"{path}: refused {refused}. Loading a pickle can run any code, so only NumPy "
                "arrays, dicts, lists, tuples, sets, text and numbers are read. If you trust the "
                "file, load it yourself and write it again as these."
            ) from refused
        except DAMAGE as error:
            size = Path(path).stat().st_size
            if other := advice(path, "a pickle"):
                raise ValueError(f"{path} is no pickle ({size} bytes). {other}") from error
            raise ValueError(
                f"{path}: not a whole pickle ({size} bytes): {type(error).__name__}: {error}. "
                "The file is truncated or damaged; copy or download it again."
            ) from error
    if isinstance(value, int) and kind_of(path) != "a pickle":  # PyTorch's old format begins so
        raise ValueError(f"{path} is no pickle of arrays. {advice(path, 'a pickle')}")
    return value
