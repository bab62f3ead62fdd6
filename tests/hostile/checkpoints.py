"""Checkpoints that somebody has thought about: forged tensors and tables, bombs."""

import json
import struct
import zipfile
from collections.abc import Iterator

from tests.hostile.clips import bomb, zipped
from tests.hostile.pickles import HUGE, pickles

TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
TENSOR += b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ%s\x89}tR"
WHOLE = TENSOR % b"K\x00K\x04\x85K\x01\x85"  # four numbers; the windows below are other places
MILLION = b"J\x00\x00\x10\x00"
WINDOWS = {
    "expanded": b"K\x00J\xff\xff\xff\x7f\x85K\x00\x85",
    "backwards": b"K\x03K\x04\x85J\xff\xff\xff\xff\x85",
    "of a float": b"K\x00G?\xf0\0\0\0\0\0\0\x85K\x01\x85",
    "of 40 axes": b"K\x00(" + b"K\x01" * 40 + b"t(" + b"K\x00" * 40 + b"t",
    "beyond": b"K\x03K\x04\x85K\x01\x85",
    "negative": b"K\x00J\xff\xff\xff\xff\x85K\x01\x85",
}


def checkpoints(trap: str) -> Iterator[tuple[str, bytes]]:
    """Of a `.pth` of either age and a `.safetensors`."""
    for name, data in pickles(trap):
        yield f"pickle: {name}", data
        yield f"zip: {name}", zipped({"a/data.pkl": data})
        body = data[2:] if data.startswith(b"\x80") else data
        beside = _state(WHOLE)[:-1] + b"X\x04\x00\x00\x00meta" + body[:-1] + b"s."
        yield f"beside weights: {name}", _pth(beside)
    for name, window in WINDOWS.items():
        yield f"a tensor {name}", _pth(_state(TENSOR % window))
    many = b"".join(b"X\x04\x00\x00\x00%04dh\x01s" % i for i in range(5000))
    large = WHOLE.replace(b"K\x04tQ", MILLION + b"tQ").replace(b"K\x04\x85", MILLION + b"\x85")
    state = _state(large + b"q\x01")[:-2] + many + b"s."
    yield "4 MB of weights five thousand times", _pth(state, bytes(4 << 20))
    squeezed = {"a/data.pkl": _state(WHOLE), "a/data/0": bytes(16)}
    yield "a compressed storage", zipped(squeezed, zipfile.ZIP_DEFLATED)
    yield "a bomb of 1 GB", bomb("a/data.pkl", 1024)
    away = _state(WHOLE).replace(b"X\x01\x00\x00\x000", b"X\x07\x00\x00\x00../../x")
    yield "a storage that leads away", _pth(away)
    classes = b"".join(b"ca\n%d\n0" % i for i in range(20_000))
    yield "twenty thousand classes", b"\x80\x02" + classes + b"}."
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
    legacy = magic + _state(WHOLE) + b"\x80\x02](X\x01\x00\x00\x000e."
    for count in (2**62, 2**33, -1, 5, 0):
        yield f"legacy storage of {count}", legacy + struct.pack("<q", count) + bytes(16)
    yield "legacy without system", magic[:-2] + b"K\x01." + _state(WHOLE)
    yield from ((f"safetensors: {name}", data) for name, data in safetensors())


def _state(tensor: bytes) -> bytes:
    """The pickle of {'state_dict': {'w': tensor}}."""
    return b"\x80\x02}X\x0a\x00\x00\x00state_dict}X\x01\x00\x00\x00w%sss." % tensor


def _pth(objects: bytes, storage: bytes = bytes(16)) -> bytes:
    return zipped({"a/data.pkl": objects, "a/data/0": storage})


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
    shapes = [(-1,), (-2, -2), (1.5,), (True, 4), (2**62, 2**62), (0, HUGE), ("4",), ([4],)]
    for shape in [*shapes, (1,) * 99]:
        yield f"shape {shape}"[:60], file({"w": entry(shape)})
    for offsets in ((16, 0), (-16, 0), (0,), (0, 16, 32), ("0", "16"), (0.0, 16.0), (0, 2**70)):
        yield f"offsets {offsets}", file({"w": entry((4,), offsets)})
    tables = [[], 1, None, {"w": None}, {"w": []}, {"w": {}}, {"__metadata__": 5}]
    for odd in [*tables, {"w": entry(dtype=[])}]:
        yield f"table {odd}"[:60], file(odd)
    yield "a name twice", file(b'{"w": %b, "w": %b}' % ((json.dumps(entry()).encode(),) * 2))
    yield "a deep table", file(b'{"w":' * 50_000)
