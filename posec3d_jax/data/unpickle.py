"""Reads pickles of arrays and plain containers, and refuses everything else by name.

A pickle is a program: `pickle.load` on a stranger's file runs whatever the file says. Here all it
can call are the constructors below. NumPy's own are not among them, because their `__setstate__`
trusts the file: one that declares false dtype flags crashes the process. So the pieces of an array
(dtype, shape, bytes) are collected by the stand-ins below, checked, and put together at the end.
Files written by Python 2 (protocol 2, NumPy's old module paths) are read as well.
"""

import pickle
import re
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np

PLAIN_DTYPE = re.compile(r"[<>=|]?[?bBhHiIlLqQefdgFDGSU]|[<>=|]?[biufcSU]\d+")
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
)


class Refused(pickle.UnpicklingError):
    """The pickle asks for something that is no array of plain values and no plain container."""


class _Dtype:
    """Stands in for `numpy.dtype` while unpickling; numbers, booleans and text only."""

    __hash__ = None

    def __init__(self, spec, align=False, copy=False):
        if not isinstance(spec, str) or not PLAIN_DTYPE.fullmatch(spec):
            raise Refused(
                f"an array of dtype {spec!r}; only arrays of numbers, booleans and text are read, "
                "so store lists in place of object arrays, and no structured dtypes"
            )
        self.value = np.dtype(spec)

    def __setstate__(self, state):
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
            raise Refused(f"an array of type {kind!r}")

    def __setstate__(self, state):
        _, shape, dtype, is_fortran, data = state
        if isinstance(data, str):  # a byte string of Python 2
            data = data.encode("latin1")
        self.value = _from_bytes(data, dtype, shape, "F" if is_fortran else "C")


def _from_bytes(data, dtype: _Dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    """The array with these bytes; read-only, as it shares them."""
    if not isinstance(data, bytes | bytearray) or not isinstance(dtype, _Dtype):
        raise ValueError("array data that is no bytes, or has no dtype")
    if 0 in shape or not dtype.value.itemsize:
        return np.zeros(shape, dtype.value)
    return np.frombuffer(bytes(data), dtype.value).reshape(shape, order=order)


def _buffered_array(data, dtype, shape, order, axis_order=None) -> np.ndarray:
    """How protocol 5 stores an array: one buffer, and for layout 'K' the order of its axes."""
    if order == "K" and axis_order is not None:
        return _from_bytes(data, dtype, shape, "C").transpose(axis_order)
    return _from_bytes(data, dtype, shape, order)


def _scalar(dtype, data) -> np.generic:
    """A NumPy number."""
    data = data.encode("latin1") if isinstance(data, str) else data
    return _from_bytes(data, dtype, (1,), "C")[0]


def _encode(text: str, codec: str) -> bytes:
    """How protocols below 3 spell bytes: text, and the codec that gives the bytes back."""
    if codec not in TEXT_CODECS:
        raise Refused(f"'_codecs.encode' with codec {codec!r}")
    return text.encode(codec)


def _allowed() -> dict[tuple[str, str], object]:
    """What a pickle may name, under every module path Python and NumPy have used for it."""
    table = {
        ("numpy", "ndarray"): NDARRAY,
        ("numpy", "dtype"): _Dtype,
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): OrderedDict,
        ("collections", "defaultdict"): defaultdict,
    }
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray", "_reconstruct"] = _Array
        table[f"{core}.multiarray", "scalar"] = _scalar
        table[f"{core}.numeric", "_frombuffer"] = _buffered_array
    plain = (dict, list, tuple, set, frozenset, str, bytes, bytearray, bool, int, float, complex)
    for module in ("builtins", "__builtin__"):  # Python 3, Python 2
        table |= {(module, kind.__name__): kind for kind in plain}
    return table


ALLOWED = _allowed()


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        if (module, name) not in ALLOWED:
            raise Refused(f"the global '{module}.{name}'")
        return ALLOWED[module, name]


def _finish(value, done: set[int]):
    """`value` with its stand-ins replaced by arrays and dtypes; containers in place, once."""
    if isinstance(value, _Array | _Dtype):
        return value.value
    if isinstance(value, tuple):
        return tuple(_finish(item, done) for item in value)
    if isinstance(value, dict | list) and id(value) not in done:
        done.add(id(value))
        for key in value if isinstance(value, dict) else range(len(value)):
            value[key] = _finish(value[key], done)
    return value


def load_pickle(path: Path) -> object:
    """What the pickle file `path` holds, without running any code of its; arrays are read-only.

    Raises ValueError naming the file: for a global that is not allowed (by name), and for a
    truncated or damaged file (with its size in bytes). OSError as usual.
    """
    with open(path, "rb") as file:
        try:
            # Latin-1 gives Python 2's byte strings back unchanged, which its arrays rely on.
            return _finish(_PlainUnpickler(file, encoding="latin1").load(), set())
        except Refused as refused:
            raise ValueError(
                f"{path}: refused {refused}. Loading a pickle can run any code, so only NumPy "
                "arrays, dicts, lists, tuples, sets, text and numbers are read. If you trust the "
                "file, load it yourself and write it again as these."
            ) from refused
        except DAMAGE as error:
            size = Path(path).stat().st_size
            raise ValueError(
                f"{path}: not a whole pickle ({size} bytes): {type(error).__name__}: {error}. "
                "The file is truncated or damaged, or no pickle; copy or download it again."
            ) from error
