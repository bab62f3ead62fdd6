"""Pickles that somebody has thought about: code to run, bombs, forged arrays."""

import pickle
import struct
from collections.abc import Iterator

import numpy as np

HUGE = 10**12


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
    named = (b"numpy\ndtype", b"collections\nOrderedDict", b"builtins\nlist", b"numpy\nndarray")
    for what in named:
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
    megabyte = struct.pack("<i", 10**6) + b"\x7f" * 10**6
    yield "a long integer of a megabyte", b"\x80\x02\x8b" + megabyte + b"."
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
    lists = b"]" + b"".join(b"q%c](h%ch%ce" % (i, i, i) for i in range(1, 60))
    yield "such a list as a label", _annotation(b"X\x01\x00\x00\x00a", lists)
    split = b"X\x05\x00\x00\x00split}X\x01\x00\x00\x00a" + lists + b"s"
    yield "such a list as a split", b"\x80\x02}(" + split + b"X\x0b\x00\x00\x00annotations](}eu."
    copies = b"X" + struct.pack("<I", 10**5) + b"a" * 10**5 + b"q\x01"
    encode = b"c_codecs\nencode\nh\x01X\x06\x00\x00\x00latin1\x86R"
    yield "a text encoded a thousand times", b"\x80\x02(" + copies + encode * 1000 + b"l."
    big = b"(" + b"K\x01" * 10**5 + b"tq\x01"
    for kind in (b"builtins\nset", b"builtins\nfrozenset", b"collections\nOrderedDict"):
        call = b"c" + kind + b"\nh\x01\x85R"
        yield f"{kind!r} of 100,000, a thousand times", b"\x80\x02(" + big + call * 1000 + b"l."
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
