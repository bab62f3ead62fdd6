"""Files that somebody has thought about: code to run, bombs, forged sizes, names that lead away."""

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

HUGE = 10**12
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
TENSOR += b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ%s\x89}tR"
WHOLE = TENSOR % b"K\x00K\x04\x85K\x01\x85"


def pickles(trap: str) -> Iterator[tuple[str, bytes]]:
    """Of pickles; `trap` is the folder that those which run code would make."""
    for function in ("os mkdir", "posix mkdir", "builtins eval", "numpy load", "subprocess call"):
        module, name = function.encode().split()
        text = trap if b"mkdir" in name else f"__import__('os').mkdir({trap!r})"
        called = b"X" + struct.pack("<I", len(text)) + text.encode() + b"\x85R."
        yield f"calls {function}", b"\x80\x02c%s\n%s\n" % (module, name) + called
        stack = b"\x80\x04\x8c%c%s\x8c%c%s\x93" % (len(module), module, len(name), name)
        yield f"calls {function} by STACK_GLOBAL", stack + called
        yield f"INST {function}", b"(X" + called[1:-3] + b"i%s\n%s\n." % (module, name)
    yield "getattr through a dotted name", b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93."
    yield "extension registry", b"\x80\x02\x82\x01."
    yield "persistent reference", b"\x80\x02K\x01Q."
    yield "alters a constructor", b"\x80\x02c_codecs\nencode\nN}X\x01\x00\x00\x00aK\x01s\x86b."
    for what in (b"numpy\ndtype", b"collections\nOrderedDict", b"builtins\nlist", b"numpy\nndarray"):
        yield f"alters {what!r}", b"\x80\x02c%s\nN}X\x01\x00\x00\x00aK\x01s\x86b." % what
        yield f"NEWOBJ of {what!r}", b"\x80\x02c%s\n)\x81." % what
    for slot in (10**5, 10**7, 2**31 - 1, 2**32 - 1):
        yield f"memo slot {slot}", b"\x80\x02Nr" + struct.pack("<I", slot) + b"."
    for size in (2**20, 2**31, 2**40, 2**62):
        number = struct.pack("<Q", size)
        yield f"bytes of {size}", b"\x80\x04\x8e" + number + b"x."
        yield f"text of {size}", b"\x80\x04\x8d" + number + b"x."
        yield f"bytearray of {size}", b"\x80\x05\x96" + number + b"x."
        yield f"frame of {size}", b"\x80\x04\x95" + number + b"N."
        yield f"short long of {size}", b"\x80\x02\x8b" + number[:4] + b"x."
    yield "an integer of a million digits", b"I" + b"9" * 10**6 + b"\n."
    yield "a long integer of a megabyte", b"\x80\x02\x8b" + struct.pack("<i", 10**6) + b"\x7f" * 10**6 + b"."
    for name in (b"bytes", b"bytearray"):
        count = b"\x8a\x08" + struct.pack("<q", 10**11)
        yield f"{name!r}(10**11)", b"\x80\x02cbuiltins\n" + name + b"\n" + count + b"\x85R."
    yield "deep lists", b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."
    yield "deep tuples", b"\x80\x02)" + b"\x85" * 200_000 + b"."
    yield "a thousand million tuples out of 120 bytes", b"\x80\x02)" + b"2\x86" * 60 + b"."
    laughs = b")" + b"2\x86" * 60
    yield "such a tuple as a key", b"\x80\x02}" + laughs + b"Ns."
    yield "such a tuple as a clip's name", _annotation(laughs)
    yield "such a tuple as a dtype", b"\x80\x02cnumpy\ndtype\n" + laughs + b"\x85R."
    lists = b"]" + b"q\x01]q\x02(h\x01h\x01eh\x02" * 0 + b"".join(b"q%c](h%ch%ce" % (i, i, i) for i in range(1, 60))
    yield "such a list as a label", _annotation(b"X\x01\x00\x00\x00a", lists)
    yield "such a list as a split", b"\x80\x02}(X\x05\x00\x00\x00split}X\x01\x00\x00\x00a" + lists + b"sX\x0b\x00\x00\x00annotations](}eu."
    copies = b"X" + struct.pack("<I", 10**5) + b"a" * 10**5 + b"q\x01"
    encode = b"c_codecs\nencode\nh\x01X\x06\x00\x00\x00latin1\x86R"
    yield "a text encoded a thousand times", b"\x80\x02(" + copies + encode * 1000 + b"l."
    big = b"(" + b"K\x01" * 10**5 + b"tq\x01"
    for kind in (b"builtins\nset", b"builtins\nfrozenset", b"collections\nOrderedDict"):
        yield f"{kind!r} of a hundred thousand, a thousand times", b"\x80\x02(" + big + (b"c" + kind + b"\nh\x01\x85R") * 1000 + b"l."
    for shape in ((HUGE,), (-1,), (2**62, 4), (0, HUGE), (1,) * 40):
        for kind in ("f4", "S0", "U999999999", "V8", "O", "M8[s]"):
            yield f"array of {shape} {kind}", _array(shape, kind, b"\0" * 16)
    yield "structured dtype", pickle.dumps(np.zeros(2, [("a", "f4")]))
    yield "objects", pickle.dumps(np.array([{}, []], object))
    yield "a dict that contains itself", b"\x80\x02}q\x01K\x01h\x01s."
    yield "a list that contains itself", b"\x80\x02]q\x01h\x01a."
    yield "a tuple that contains itself", b"\x80\x02](K\x01h\x01tq\x02."
    yield "no stop", b"\x80\x02" + b"N0" * 1000
    yield "no pickle", b"<!DOCTYPE html>"
    yield "protocol 255", b"\x80\xff."


def _annotation(name: bytes, label: bytes = b"K\x01") -> bytes:
    keys = b"X\x09\x00\x00\x00frame_dir" + name + b"X\x05\x00\x00\x00label" + label
    return b"\x80\x02](}(" + keys + b"ue."


def _array(shape: tuple[int, ...], kind: str, data: bytes) -> bytes:
    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    dtype = b"cnumpy\ndtype\n" + text(kind) + b"\x85R"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    axes = b"(" + b"".join(b"\x8a\x09" + n.to_bytes(9, "little", signed=True) for n in shape) + b"t"
    return b"\x80\x03" + start + b"(K\x01" + axes + dtype + b"\x89C%c" % len(data) + data + b"tb."


def npy(shape: tuple, kind: str = "<f4", data: bytes = b"") -> bytes:
    """An array file whose header says what it likes."""
    header = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def _zip(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


def _bomb(name: str, megabytes: int) -> bytes:
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
            entries = {"keypoint.npy": npy(shape, kind, bytes(64)), "label.npy": npy((), "<i8", bytes(8))}
            yield f"array of {shape} {kind}", _zip(entries)
    yield "a header that calls", _zip({"keypoint.npy": npy((1,), "'+__import__('os').getcwd()+'")})
    yield "a deep header", _zip({"keypoint.npy": npy(("(" * 5000,))})
    yield "a bomb of 2 GB", _bomb("keypoint.npy", 2048)
    for name in ("../../x.npy", "/tmp/x.npy", "..\\x.npy", "a\0.npy", "keypoint.npy/"):
        yield f"an entry {name!r}", _zip({name: npy((1,), data=bytes(4))})
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"compression {method}", _zip({"keypoint.npy": npy((1,), data=bytes(4))}, method)
    whole = _zip({"keypoint.npy": npy((1,), data=bytes(4))})
    yield "an entry that says 4 GB", _lying(whole, 0xFFFFFFF0)
    yield "an entry that says nothing", _lying(whole, 0)
    yield "an encrypted entry", whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    yield "ten thousand entries", _zip({f"{i}.npy": b"" for i in range(10_000)})
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
    squeezer = zlib.compressobj(1)
    pieces = [squeezer.compress(_element(14, bytes(0)) + bytes(1 << 20)) for _ in range(2048)]
    bomb = b"".join(pieces) + squeezer.flush()
    yield "a bomb of 2 GB", head + struct.pack("<II", 15, len(bomb)) + bomb
    for kind in (1, 2, 3, 6, 9, 14, 17):
        for shape in ((65536, 65536), (0, 2**31 - 1), (-1, 5), (2**31 - 1, 2**31 - 1)):
            flags = _element(6, struct.pack("<II", kind, 0))
            body = flags + _element(5, struct.pack("<ii", *shape)) + _element(1, b"x")
            matrix = body + struct.pack("<II", 9, 0xFFFFFFF8)
            yield f"class {kind} of {shape}", head + _element(14, matrix)
    yield "an element longer than the file", head + struct.pack("<II", 14, 0xFFFFFFFF)


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


def checkpoints(trap: str) -> Iterator[tuple[str, bytes]]:
    """Of a `.pth` of either age and a `.safetensors`."""
    for name, data in pickles(trap):
        yield f"pickle: {name}", data
        yield f"zip: {name}", _zip({"a/data.pkl": data})
        state = b"\x80\x02}X\x0a\x00\x00\x00state_dict}X\x01\x00\x00\x00w" + WHOLE + b"sX\x04\x00\x00\x00meta"
        body = data[2:] if data.startswith(b"\x80") else data
        yield f"beside weights: {name}", _zip({"a/data.pkl": state + body[:-1] + b"s.", "a/data/0": bytes(16)})
    value = b"\x80\x02}X\x0a\x00\x00\x00state_dict}X\x01\x00\x00\x00w%sss."
    windows = {"expanded": b"K\x00J\xff\xff\xff\x7f\x85K\x00\x85", "backwards": b"K\x03K\x04\x85J\xff\xff\xff\xff\x85"}
    windows |= {"of a float": b"K\x00G?\xf0\0\0\0\0\0\0\x85K\x01\x85", "of 40 axes": b"K\x00(" + b"K\x01" * 40 + b"t(" + b"K\x00" * 40 + b"t"}
    windows |= {"beyond": b"K\x03K\x04\x85K\x01\x85", "negative": b"K\x00J\xff\xff\xff\xff\x85K\x01\x85"}
    for name, window in windows.items():
        yield f"a tensor {name}", _zip({"a/data.pkl": value % (TENSOR % window), "a/data/0": bytes(16)})
    names = b"".join(b"X\x04\x00\x00\x00%04dh\x01" % i for i in range(5000))
    many = b"\x80\x02}X\x0a\x00\x00\x00state_dict}(X\x01\x00\x00\x00w" + WHOLE.replace(b"K\x04tQ", b"J\x00\x00\x10\x00tQ").replace(b"K\x04\x85", b"J\x00\x00\x10\x00\x85") + b"q\x01" + names + b"us."
    yield "4 MB of weights five thousand times", _zip({"a/data.pkl": many, "a/data/0": bytes(4 << 20)})
    yield "a compressed storage", _zip({"a/data.pkl": value % WHOLE, "a/data/0": bytes(16)}, zipfile.ZIP_DEFLATED)
    yield "a bomb of 2 GB", _bomb("a/data.pkl", 2048)
    yield "a storage that leads away", _zip({"a/data.pkl": (value % WHOLE).replace(b"X\x01\x00\x00\x000", b"X\x07\x00\x00\x00../../x"), "a/data/0": bytes(16)})
    classes = b"".join(b"ca\n%d\n0" % i for i in range(20_000))
    yield "twenty thousand classes", b"\x80\x02" + classes + b"}."
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
    for count in (2**62, 2**33, -1, 5, 0):
        yield f"legacy storage of {count}", magic + value % WHOLE + b"\x80\x02](X\x01\x00\x00\x000e." + struct.pack("<q", count) + bytes(16)
    yield "legacy without system", magic[:-3] + b"K\x01." + value % WHOLE
    yield from (("safetensors: " + name, data) for name, data in safetensors())


def safetensors() -> Iterator[tuple[str, bytes]]:
    """Of a `.safetensors`."""

    def file(table: object, data: bytes = bytes(16), length: int | None = None) -> bytes:
        text = table if isinstance(table, bytes) else json.dumps(table).encode()
        return struct.pack("<Q", len(text) if length is None else length) + text + data

    def entry(shape=(4,), offsets=(0, 16), dtype="F32"):
        return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}

    for length in (0, 1, 2**31, 2**63, 2**64 - 1):
        yield f"a table of {length}", file({"w": entry()}, length=length)
    yield "overlapping", file({"a": entry(), "b": entry()})
    yield "a hole", file({"a": entry((1,), (0, 4)), "b": entry((1,), (12, 16))})
    yield "more than the file", file({"w": entry((HUGE,), (0, 4 * HUGE))})
    for shape in ((-1,), (-2, -2), (1.5,), (True, 4), (2**62, 2**62), (0, HUGE), ("4",), ([4],), (1,) * 99):
        yield f"shape {shape}"[:60], file({"w": entry(shape)})
    for offsets in ((16, 0), (-16, 0), (0,), (0, 16, 32), ("0", "16"), (0.0, 16.0), (0, 2**70)):
        yield f"offsets {offsets}", file({"w": entry((4,), offsets)})
    for odd in ([], 1, None, {"w": None}, {"w": []}, {"w": {}}, {"__metadata__": 5}, {"w": entry(dtype=[])}):
        yield f"table {odd}"[:60], file(odd)
    yield "a name twice", file(b'{"w": %b, "w": %b}' % ((json.dumps(entry()).encode(),) * 2))
    yield "a deep table", file(b'{"w":' * 50_000)


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
