"""PyTorch's checkpoint files without PyTorch: reads both of its formats, writes the present one.

Since PyTorch 1.6 a checkpoint is an uncompressed zip archive: `data.pkl` (the objects), `data/<n>`
(one storage each), `byteorder`. Before that it was a chain of pickles (magic number, version,
system, objects, storage keys) followed by the storages; many published checkpoints still are.
"""

import math
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from posec3d_jax.files.torch_pickle import Refused, Storage, Tensor, TorchUnpickler

ZIP_START, PICKLE_START = b"PK\x03\x04", b"\x80"
_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_SHARING = 16  # times that tensors may come to the file's size: weights can be tied
_STORAGE_NAMES = {np.dtype("f4"): "FloatStorage", np.dtype("i8"): "LongStorage"}

Select = Callable[[object], Mapping[str, Tensor]]


def read_zip(path: Path, select: Select) -> dict[str, np.ndarray]:
    """The tensors that `select` picks out of the objects of a zip checkpoint."""
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        objects = next((n for n in names if n.rpartition("/")[2] == "data.pkl"), None)
        if objects is None:
            raise Refused(f"a zip archive without data.pkl (it holds {', '.join(names[:3])[:200]})")
        root = objects.removesuffix("data.pkl")

        def entry_of(name: str) -> zipfile.ZipInfo:
            entry = archive.getinfo(f"{root}{name}")
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > size:
                raise Refused(f"{name} is compressed, which torch.save does not do")
            return entry

        big = f"{root}byteorder" in names and archive.read(entry_of("byteorder")) == b"big"
        with archive.open(entry_of("data.pkl")) as file:
            wanted = select(TorchUnpickler(file, entry_of("data.pkl").file_size).load())
        storages = _storages(wanted)
        _check_total(sum(map(_bytes_of, storages.values())), size, 1, "storages")
        _check_total(sum(map(_bytes_in, wanted.values())), size, _SHARING, "tensors")

        def read_storage(storage: Storage) -> bytes:
            entry = entry_of(f"data/{storage.key}")
            if entry.file_size != _bytes_of(storage):
                raise ValueError(f"storage {storage.key} has {entry.file_size} bytes")
            return archive.read(entry)

        found = {key: read_storage(storage) for key, storage in storages.items()}
    return {n: t.read(lambda s: found[s.key], ">" if big else "<") for n, t in wanted.items()}


def read_legacy(path: Path, select: Select) -> dict[str, np.ndarray]:
    """The same of a checkpoint in the format before PyTorch 1.6."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        if TorchUnpickler(file).load() != _MAGIC or TorchUnpickler(file).load() != _VERSION:
            raise Refused("a pickle, but none of PyTorch's")
        system = TorchUnpickler(file).load()
        order = "<" if system.get("little_endian", True) else ">"
        unpickler = TorchUnpickler(file)
        wanted = select(unpickler.load())
        storages = _storages(wanted)
        _check_total(sum(map(_bytes_in, wanted.values())), size, _SHARING, "tensors")
        found = {}
        for key in TorchUnpickler(file).load():
            (count,) = struct.unpack(f"{order}q", file.read(8))
            length, left = count * unpickler.storages[key].dtype.itemsize, size - file.tell()
            if not 0 <= length <= left:
                raise ValueError(f"storage {key} ends after {left} of {length} bytes")
            if key in storages:
                found[key] = file.read(length)
            else:  # an optimizer's, say
                file.seek(length, os.SEEK_CUR)
    return {name: t.read(lambda s: found[s.key], order) for name, t in wanted.items()}


def _storages(tensors: Mapping[str, Tensor]) -> dict[str, Storage]:
    """Each storage once: tensors may share one."""
    return {tensor.storage.key: tensor.storage for tensor in tensors.values()}


def _bytes_of(storage: Storage) -> int:
    return abs(storage.count) * storage.dtype.itemsize


def _bytes_in(tensor: Tensor) -> int:
    return abs(math.prod(tensor.shape)) * tensor.dtype.itemsize


def _check_total(total: int, size: int, times: int, what: str) -> None:
    """Refused where a file of `size` bytes holds more: forged sizes, or one place many times."""
    if total > times * size:
        raise Refused(f"{what} of {total} bytes in a file of {size}")


def write_torch(path: Path, tensors: Mapping[str, np.ndarray], root: str = "archive") -> None:
    """Writes `{'state_dict': tensors, 'meta': {}}` as `torch.save` would; float32 and int64 only.

    `root` is the folder inside the archive. `torch.load(path, weights_only=True)` reads it.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{root}/data.pkl", _pickled(tensors))
        archive.writestr(f"{root}/byteorder", "little")
        for number, array in enumerate(tensors.values()):
            archive.writestr(f"{root}/data/{number}", array.tobytes())
        archive.writestr(f"{root}/version", "3\n")


# The pickle is put together by hand: Python's pickler refuses names that it cannot import.
_ORDERED_DICT = b"ccollections\nOrderedDict\n)R"


def _pickled(tensors: Mapping[str, np.ndarray]) -> bytes:
    items = b"".join(
        _text(name) + _tensor(number, array) for number, (name, array) in enumerate(tensors.items())
    )
    state = _ORDERED_DICT + b"(" + items + b"u"
    return b"\x80\x02}(" + _text("state_dict") + state + _text("meta") + b"}u."


def _tensor(number: int, array: np.ndarray) -> bytes:
    storage = (_text("storage"), b"ctorch\n%s\n" % _STORAGE_NAMES[array.dtype].encode())
    storage += (_text(str(number)), _text("cpu"), _integer(array.size))
    strides = [stride // array.itemsize for stride in array.strides]
    window = (_integer(0), _tuple(map(_integer, array.shape)), _tuple(map(_integer, strides)))
    arguments = (_tuple(storage) + b"Q", *window, b"\x89", _ORDERED_DICT)
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + _tuple(arguments) + b"R"


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def _tuple(items) -> bytes:
    return b"(" + b"".join(items) + b"t"
