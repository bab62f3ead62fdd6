"""Interprets a pickle so that the file can neither run code, nor exhaust memory, nor hang.

A pickle is a program. What it may call is the subclasses' business; here is what it costs. Python's
compiled interpreter takes a file's word for sizes: a memo slot of number 4,000,000,000 allocates
64 GB, and a tuple that holds itself forty times over, used as a key, is hashed for a year. So the
same interpreter in Python is used, with these limits: nothing longer than the rest of the file is
read, calls may make no more than a multiple of the file's size, and keys are plain values. It takes
a tenth of a millisecond a clip.
"""

import os
import pickle
from typing import BinaryIO

import numpy as np

_GROWTH = 16  # times the file's size that calls may make; arrays of protocol 2 take about 2
_PLAIN_KEY = (str, bytes, bool, int, float, type(None), np.generic)
_SCRATCH = 1 << 20


class Refused(pickle.UnpicklingError):
    """The pickle asks for something that no file of this kind needs."""


class Constructor:
    """A function that a pickle may call, and do nothing else with."""

    def __init__(self, call):
        self.call = call


class _Bounded:
    """A file that is never asked for more bytes than it has."""

    def __init__(self, file: BinaryIO, size: int):
        self._file, self._end, self.readline = file, file.tell() + size, file.readline

    def read(self, count: int) -> bytes:
        if count > _SCRATCH and count > (left := self._end - self._file.tell()):
            raise EOFError(f"it announces {count} bytes, {left} are left")
        return self._file.read(count)

    def readinto(self, buffer) -> int:
        raise Refused("a mutable byte string")  # its place is made before it is read


class BoundedUnpickler(pickle._Unpickler):
    """One pickle; a subclass says what it may name (`find_class`), and what to do with it.

    `find_class` gives a `Constructor`, or whatever `make` and `alter` of the subclass understand.
    """

    targets: tuple[type, ...] = (dict,)  # besides which nothing takes items

    def __init__(self, file: BinaryIO, size: int | None = None):
        size = os.fstat(file.fileno()).st_size - file.tell() if size is None else size
        # Latin-1 gives Python 2's byte strings back unchanged, which its arrays rely on.
        super().__init__(_Bounded(file, size), encoding="latin1")
        self._left = _GROWTH * size + _SCRATCH

    def charge(self, count: int) -> None:
        """Counts bytes that a call is about to make; Refused when they are far more than read."""
        self._left -= count
        if self._left < 0:
            raise Refused(f"more than {_GROWTH} times its own size")

    def make(self, function, args: tuple):
        """What calling `function` gives."""
        if not isinstance(function, Constructor) or not isinstance(args, tuple):
            raise Refused("a call of something that is no function")
        return function.call(*args)

    def alter(self, value, state) -> None:
        """Gives `value` the state that the file has for it."""
        raise Refused(f"it alters a {type(value).__name__}")

    # What follows takes the place of the steps in which a pickle acts on objects.

    def _reduce(self):
        args = self.stack.pop()
        self.stack[-1] = self.make(self.stack[-1], args)

    def _newobj_ex(self):
        self.stack.pop()  # keyword arguments
        self._reduce()

    def _instantiate(self, klass, args):
        self.append(self.make(klass, tuple(args)))

    def _build(self):
        state = self.stack.pop()
        self.alter(self.stack[-1], state)

    def _setitems(self):
        self._store(self.pop_mark(), self.stack[-1])

    def _setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._store([key, value], self.stack[-1])

    def _dict(self):
        items = self.pop_mark()
        self.append({})
        self._store(items, self.stack[-1])

    def _store(self, items, target) -> None:
        if not isinstance(target, self.targets):
            raise Refused(f"items of a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[check_key(key)] = value

    def _appends(self):
        items, target = self.pop_mark(), self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, self.targets):
            raise Refused(f"elements of a {type(target).__name__}")

    def _append(self):
        value, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, list):
            target.append(value)
        elif not isinstance(target, self.targets):
            raise Refused(f"elements of a {type(target).__name__}")

    def _additems(self):
        items, target = self.pop_mark(), self.stack[-1]
        if not isinstance(target, set):
            raise Refused(f"elements of a {type(target).__name__}")
        target.update(map(check_key, items))

    def _frozenset(self):
        items = self.pop_mark()
        self.append(frozenset(map(check_key, items)))

    def _bytearray8(self):
        size = int.from_bytes(self.read(8), "little")
        self.append(bytearray(self.read(size)))

    dispatch = pickle._Unpickler.dispatch | {
        pickle.REDUCE[0]: _reduce,
        pickle.NEWOBJ[0]: _reduce,
        pickle.NEWOBJ_EX[0]: _newobj_ex,
        pickle.BUILD[0]: _build,
        pickle.SETITEM[0]: _setitem,
        pickle.SETITEMS[0]: _setitems,
        pickle.DICT[0]: _dict,
        pickle.APPEND[0]: _append,
        pickle.APPENDS[0]: _appends,
        pickle.ADDITEMS[0]: _additems,
        pickle.FROZENSET[0]: _frozenset,
        pickle.BYTEARRAY8[0]: _bytearray8,
    }


def check_key(key):
    """The key, if it is quickly hashed: text, a number, or a short tuple of such; else Refused."""
    parts = key if type(key) is tuple else (key,)
    for part in parts:
        long = type(part) is int and part.bit_length() > 64
        if long or len(parts) > 32 or not isinstance(part, _PLAIN_KEY):
            raise Refused(f"a key or an element of a set that is a {type(key).__name__}")
    return key
