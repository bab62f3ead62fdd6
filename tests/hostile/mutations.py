"""Valid files and values, changed at random from a seed."""

import random
from collections.abc import Iterator

import numpy as np

_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


def odd_values() -> list:
    """What a value of a file should not be, but may."""
    loop: list = [1]
    for _ in range(60):
        loop = [loop, loop]  # shared: small here, 2**60 elements to whoever unfolds it
    deep: list = []
    for _ in range(400):
        deep = [deep]
    return [
        None, True, -1, 0, 2**31, 2**63, -(2**70), 10**400, 1e400, float("nan"), -0.0, 1e-320, "",
        "x" * 3000, "../../x", "/etc/passwd", "a\0b", "\x1b[2J", "\ud800", "٣²", b"\xff", [],
        {}, (),
        [[]], [1, [2, 3]], {"": {}}, deep, {"keypoint": 1}, [None] * 5, 1j, set(),
    ] + [loop]  # fmt: skip


def odd_arrays() -> list[np.ndarray]:
    """Arrays of every unexpected shape and type that needs no pickle."""
    shapes = [(), (0,), (1,), (3, 0, 17, 2), (1, 0, 17, 2), (0, 3, 17, 2), (1, 3, 17, 2)]
    shapes += [(1, 3, 17), (1,) * 30, (10_000, 1, 17, 2), (1, 3, 10_000, 2), (4, 17, 3), (2, 2)]
    kinds = ("f2", "f8", "i1", "i8", "u8", "?", "c16", "S3", "U2", "M8[s]", ">f4")
    arrays = [np.zeros(shape, kind) for shape in shapes for kind in kinds]
    extremes = [np.nan, np.inf, -np.inf, 1e300, -1e38, 3e38]
    return arrays + [np.full((1, 3, 17, 2), value) for value in extremes]


def change_value(rng: random.Random, value, form: str):
    """A copy of `value` with one of its parts exchanged, for one it can hold: form 'json',
    'arrays' (NumPy or MATLAB) or 'pickle'."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return value | {key: change_value(rng, value[key], form)}
    if isinstance(value, list | tuple) and value and rng.random() < 0.85:
        items = list(value)
        place = rng.randrange(len(items))
        items[place] = change_value(rng, items[place], form)
        return type(value)(items)
    if form == "json":
        kinds = (type(None), bool, int, float, str, list, dict)
        return rng.choice([v for v in odd_values()[:-1] if isinstance(v, kinds)])
    if rng.random() < 0.5:
        return rng.choice(odd_arrays())
    return rng.choice(odd_values() if form == "pickle" else odd_values()[:-1])


def change_bytes(rng: random.Random, data: bytes) -> bytes:
    """A copy with one to four places changed, cut out, doubled, or filled with a large number."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(changed) + 1)
        length = min(rng.choice((1, 1, 2, 4, 8, 40)), len(changed) - place)
        how = rng.randrange(6)
        if how == 0:
            changed[place : place + length] = rng.randbytes(length)
        elif how == 1:
            del changed[place : place + length]
        elif how == 2:
            changed[place:place] = changed[place : place + length]
        elif how == 3:
            number, size = rng.choice(_NUMBERS), rng.choice((1, 2, 4, 8))
            order = rng.choice(("little", "big"))
            number &= 256**size - 1
            changed[place : place + size] = number.to_bytes(size, order)
        elif how == 4 and changed:
            place = min(place, len(changed) - 1)
            changed[place] ^= 1 << rng.randrange(8)
        else:
            changed[place:place] = rng.randbytes(length)
    return bytes(changed)


def cuts(data: bytes, count: int) -> Iterator[bytes]:
    """The beginnings of `data` at `count` lengths, or at every length where there are fewer."""
    step = max(len(data) // max(count, 1), 1)
    return (data[:length] for length in range(0, len(data), step))
