"""Strangers' arrays (.npz, .mat, JSON, text tables), read within bounds, never executed."""

import json
import math
import reprlib
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError

import numpy as np

from posec3d_jax.files.kinds import advice

# Bytes that a file of clips may come to when it is unpacked: more than any real one, and no more
# than a machine has. A zip bomb of 4 MB comes to 4 GB.
MOST_BYTES = 1 << 29
MOST_NUMBERS = 10_000_000  # in nested lists; an array in a file of its own may have more

# What NumPy and scipy (besides its MatReadError) raise on truncated, damaged and (scipy) too new
# files, found by cutting real ones and changing their bytes.
MAT_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
NPZ_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
MAT_KINDS = ("double", "single", "char", "logical")
MAT_KINDS += tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_COMPRESSED = 15  # the type of a compressed element of a MATLAB file


class BadSample(ValueError):
    """One sample cannot be used; readers turn it into a finding and go on with the next."""

    def __init__(self, kind: str, message: str, key: str = ""):
        super().__init__(message)
        self.kind, self.key = kind, key


def load_mat(file: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The variables `keys` of a MATLAB file; `BadSample` where it is damaged or lacks one."""
    from scipy.io import loadmat, matlab  # here: it takes long to load, and few files need it

    try:
        _check_mat(file, keys)
        contents = loadmat(file, variable_names=keys)
    except (*MAT_ERRORS, matlab.MatReadError) as error:
        message = _unreadable(file, "MATLAB 5", "a .mat of MATLAB 5", error)
        raise BadSample("unreadable_file", message) from error
    for key in keys:
        if key not in contents:
            message = f"the file has no variable {key!r} ({_size(file)} bytes; truncated?)"
            raise BadSample("missing_key", message, key)
    return {key: contents[key] for key in keys}


def _check_mat(file: Path, keys: tuple[str, ...]) -> None:
    """ValueError for a file that is not of version 5, or whose variables `keys` are too large."""
    from scipy.io import whosmat

    _check_size(file)
    with open(file, "rb") as stream:
        head = stream.read(128)
        if head[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
            raise ValueError("its head does not say MATLAB 5")
        order = "<" if head[126:128] == b"IM" else ">"
        left = MOST_BYTES
        while len(tag := stream.read(8)) == 8:
            kind, length = struct.unpack(f"{order}II", tag)
            if kind == _COMPRESSED:
                left -= _inflated(stream.read(min(length, MOST_BYTES)), left)
            else:
                stream.seek(length, 1)
    for name, shape, kind in whosmat(file):
        if name in keys and (kind not in MAT_KINDS or 8 * math.prod(shape) > MOST_BYTES):
            raise ValueError(f"variable {name!r} is a {kind} of shape {shape}")


def _inflated(data: bytes, most: int) -> int:
    """Bytes that compressed data comes to; ValueError where they are more than `most`."""
    inflater, size = zlib.decompressobj(), 0
    while piece := inflater.decompress(data, 1 << 20):
        size += len(piece)
        data = inflater.unconsumed_tail
        if size > most:
            raise ValueError(f"it comes to more than {MOST_BYTES} bytes when unpacked")
    return size


def _check_size(file: Path) -> None:
    """ValueError for what is no regular file (a pipe would never end), or a huge one."""
    facts = file.stat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > MOST_BYTES:
        raise ValueError(f"no regular file of at most {MOST_BYTES} bytes")


def _unreadable(file: Path, what: str, kind: str, error: Exception) -> str:
    """Why a file is none of what was expected; what it really is, where that is the cause."""
    if other := advice(file, kind):
        return f"not a readable {what} file ({_size(file)} bytes). {other}"
    return f"not a readable {what} file ({_size(file)} bytes; truncated?): {_line(error)}"


def _line(error: Exception) -> str:
    """What an error says, on one short line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def load_npz(file: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file; `BadSample` where it is damaged or holds Python objects."""
    try:
        _check_npz(file)
        with np.load(file, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except NPZ_ERRORS as error:
        message = _unreadable(file, ".npz", "an .npz of arrays", error)
        raise BadSample("unreadable_file", message) from error


def _check_npz(file: Path) -> None:
    """ValueError for an archive that unpacks to too much, or an array larger than its entry."""
    _check_size(file)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        methods = {entry.compress_type for entry in entries}
        if not methods <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError("compressed in a way that np.savez_compressed does not use")
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise ValueError(f"it comes to more than {MOST_BYTES} bytes when unpacked")
        for entry in entries:
            with archive.open(entry) as array:
                shape, dtype, _ = npy_header(array)
            if math.prod(shape) * dtype.itemsize > entry.file_size:
                raise ValueError(f"{entry.filename!r:.80} is shorter than its shape {shape} says")


def load_npy(file: Path) -> np.ndarray:
    """The array of an `.npy` file; `BadSample` where it is damaged or holds Python objects."""
    try:
        _check_size(file)
        with open(file, "rb") as stream:
            shape, dtype, _ = npy_header(stream)
            if math.prod(shape) * dtype.itemsize > file.stat().st_size:
                raise ValueError(f"the file is shorter than its shape {shape} says")
        return np.load(file, allow_pickle=False)
    except NPZ_ERRORS as error:
        message = _unreadable(file, ".npy", "an .npy array", error)
        raise BadSample("unreadable_file", message) from error


def npy_header(stream) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Shape and dtype of the array that begins here, and whether it is in Fortran's order."""
    read = np.lib.format.read_array_header_1_0
    if np.lib.format.read_magic(stream) != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    return shape, dtype, fortran


def load_json(file: Path):
    """The contents of a JSON file; `BadSample` where it is damaged."""
    try:
        _check_size(file)
        return json.loads(file.read_text("utf-8-sig"))
    except (MemoryError, OSError, RecursionError, ValueError) as error:
        message = _unreadable(file, "JSON", "JSON", error)
        raise BadSample("unreadable_file", message) from error


def load_table(file: Path, columns: int, delimiter: str | None = None) -> np.ndarray:
    """The numbers [N, columns] of a text file; `BadSample` where it is no such table."""
    try:
        _check_size(file)
        rows = np.loadtxt(file, delimiter=delimiter, ndmin=2)
    except (MemoryError, OSError, ValueError) as error:
        raise BadSample("unreadable_file", f"no table of numbers: {_line(error)}") from error
    if rows.shape[1] != columns:
        raise BadSample("wrong_shape", f"{rows.shape[1]} numbers a line, expected {columns}")
    return rows


def check_lists(values, key: str) -> None:
    """`BadSample` for nested lists that unfold to too many numbers: in a pickle they may share."""
    left, open_lists = MOST_NUMBERS, [values]
    while open_lists:
        items = open_lists.pop()
        if isinstance(items, list | tuple):
            left -= len(items)
            if left < 0:
                message = f"nested lists of more than {MOST_NUMBERS} numbers"
                raise BadSample("wrong_type", message, key)
            open_lists += (item for item in items if isinstance(item, list | tuple))


def number_array(values, key: str) -> np.ndarray:
    """An array of real numbers, from one or from nested lists; `BadSample` where it is none."""
    check_lists(values, key)
    try:
        array = values if isinstance(values, np.ndarray) else np.asarray(values, np.float32)
    except (MemoryError, OverflowError, TypeError, ValueError) as error:
        message = f"no array of numbers (lists of unequal lengths, or text?): {error}"
        raise BadSample("wrong_type", message, key) from error
    if array.dtype.kind not in "fiu":
        raise BadSample("wrong_type", f"dtype {array.dtype}, expected real numbers", key)
    return array


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def scalar(contents: dict[str, np.ndarray], key: str):
    """The single value of a MATLAB variable; `BadSample` where it holds another number of them."""
    if contents[key].size != 1:
        raise BadSample("wrong_shape", f"shape {contents[key].shape}, expected one value", key)
    return contents[key].item()


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 120, 120


def brief(value: object) -> str:
    """`repr` cut short, for messages: that of a value out of a file may be longer than memory."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # an integer of more than 4300 digits
        return f"a very large {type(value).__name__}"
