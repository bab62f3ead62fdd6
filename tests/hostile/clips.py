"""Files of clips that somebody has thought about: `.npz`, `.json`, `.mat`, tables, and pipes."""

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HUGE = 10**12


def npy(shape: tuple, kind: str = "<f4", data: bytes = b"") -> bytes:
    """An array file whose header says what it likes."""
    header = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


@cache
def bomb(name: str, megabytes: int) -> bytes:
    """A zip with one entry of zeros; made piecewise, as it is to be read."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(name, "w", force_zip64=True) as entry:
            entry.write(npy((megabytes << 18,)))
            for _ in range(megabytes):
                entry.write(bytes(1 << 20))
    return file.getvalue()


def npz() -> Iterator[tuple[str, bytes]]:
    """Of a clip's `.npz`."""
    for shape in ((HUGE,), (-1,), (2**40, 2**40), (1, 3, 17, 2), (0, HUGE), ("a",), (1.5,)):
        for kind in ("<f4", "|O", "|V99999999", "<U999999999", "[('a', '<f4')]", "x"):
            label = npy((), "<i8", bytes(8))
            entries = {"keypoint.npy": npy(shape, kind, bytes(64)), "label.npy": label}
            yield f"array of {shape} {kind}", zipped(entries)
    yield (
        "a header that calls",
        zipped({"keypoint.npy": npy((1,), "'+__import__('os').getcwd()+'")}),
    )
    yield "a deep header", zipped({"keypoint.npy": npy(("(" * 5000,))})
    yield "a bomb of 1 GB", bomb("keypoint.npy", 1024)
    for name in ("../../x.npy", "/tmp/x.npy", "..\\x.npy", "a\0.npy", "keypoint.npy/"):
        yield f"an entry {name!r}", zipped({name: npy((1,), data=bytes(4))})
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"compression {method}", zipped({"keypoint.npy": npy((1,), data=bytes(4))}, method)
    whole = zipped({"keypoint.npy": npy((1,), data=bytes(4))})
    yield "an entry that says 4 GB", _lying(whole, 0xFFFFFFF0)
    yield "an entry that says nothing", _lying(whole, 0)
    entry = b"PK\x01\x02\x14\x03\x14\x00"
    yield "an encrypted entry", whole.replace(entry + b"\x00", entry + b"\x01")
    yield "ten thousand entries", zipped({f"{i}.npy": b"" for i in range(10_000)})
    yield "a plain array", npy((HUGE,))
    yield "a pickle", pickle.dumps({"keypoint": 1})


def _lying(archive: bytes, size: int) -> bytes:
    """The archive with other sizes in its directory."""
    place = archive.index(b"PK\x01\x02")
    return archive[: place + 20] + struct.pack("<II", size, size) + archive[place + 28 :]


def json_files() -> Iterator[tuple[str, bytes]]:
    """Of a clip's `.json`, of splits and of classes."""
    yield "deep lists", b"[" * 100_000
    yield "deep objects", b'{"a":' * 100_000
    yield "deep lists that end", b"[" * 900 + b"]" * 900
    yield "an integer of a million digits", b'{"keypoint": [' + b"9" * 10**6 + b'], "label": 0}'
    yield "a number beyond float", b'{"keypoint": [[[[1e999, NaN]]]], "label": 1e999}'
    yield "not UTF-8", b'{"keypoint": "\xff\xfe"}'
    yield "UTF-16", '{"label": 0}'.encode("utf-16")
    yield "a key twice", b'{"label": 0, "label": 1, "keypoint": []}'
    yield "nothing", b""
    names = ["../../x", "/etc/passwd", "a\x00", "\x1b[2J", "x" * 10**5, "", ".."]
    yield "splits that lead away", json.dumps({"train": names, "../../test": names}).encode()
    yield "classes that lead away", json.dumps(names).encode()


def mats() -> Iterator[tuple[str, bytes]]:
    """Of a MATLAB file."""
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    yield "no head", b"\0" * 200
    yield "version 4 of 10**18 bytes", struct.pack("<5i", 0, 10**9, 10**9, 0, 2) + b"x\0"
    yield "version 7.3", b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(600)
    packed = _packed_zeros(1024)
    yield "a bomb of 1 GB", head + struct.pack("<II", 15, len(packed)) + packed
    for kind in (1, 2, 3, 6, 9, 14, 17):
        for shape in ((65536, 65536), (0, 2**31 - 1), (-1, 5), (2**31 - 1, 2**31 - 1)):
            flags = _element(6, struct.pack("<II", kind, 0))
            body = flags + _element(5, struct.pack("<ii", *shape)) + _element(1, b"x")
            matrix = body + struct.pack("<II", 9, 0xFFFFFFF8)
            yield f"class {kind} of {shape}", head + _element(14, matrix)
    yield "an element longer than the file", head + struct.pack("<II", 14, 0xFFFFFFFF)


@cache
def _packed_zeros(megabytes: int) -> bytes:
    squeezer = zlib.compressobj(1)
    pieces = [squeezer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join(pieces) + squeezer.flush()


def _element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def texts() -> Iterator[tuple[str, bytes]]:
    """Of tables of numbers."""
    yield "a line of a megabyte", b"1 " * 500_000
    yield "words", b"rm -rf /\n" * 3
    yield "numbers beyond float", b"1e999 " * 61
    yield "not text", bytes(range(256)) * 4
    yield "one line that never ends", b"9" * 10**6
    yield "huge segments", b"s01_e01\nwalk: 0 " + b"9" * 5000
    yield "odd digits", "s01_e01\nwalk: ² ٣\n".encode()
    yield "nothing", b""


def odd_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """What is no regular file: reading a pipe would never end."""
    os.mkfifo(folder / "pipe")
    yield "a pipe", folder / "pipe"
    (folder / "zeros").symlink_to("/dev/zero")
    yield "endless zeros", folder / "zeros"
    (folder / "loop").symlink_to(folder / "loop")
    yield "a link to itself", folder / "loop"
    (folder / "folder").mkdir()
    yield "a folder", folder / "folder"
