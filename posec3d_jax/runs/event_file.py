"""TensorBoard event files of scalars, written without TensorFlow, PyTorch or protobuf.

The format is TFRecord framing (length, checksum, data, checksum) around the protocol buffer
`tensorboard.compat.proto.Event`, of which only the handful of fields below is needed.
"""

import os
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


class EventFile:
    """One new event file in a folder; every write reaches the disk's cache at once."""

    def __init__(self, folder: Path):
        self._file = _create(folder)
        self._write(_bytes_field(3, b"brain.Event:2"))  # file_version, must come first

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds one value of each tag at `step`; NaN and infinity are stored as they are."""
        summary = b"".join(_bytes_field(1, _scalar(tag, value)) for tag, value in values.items())
        self._write(_int_field(2, step) + _bytes_field(5, summary))

    def restart(self, step: int) -> None:
        """Makes TensorBoard forget what earlier files of the folder say of `step` and later."""
        started = _int_field(1, 1)  # SessionLog.status = START
        self._write(_int_field(2, step) + _bytes_field(7, started))

    def sync(self) -> None:
        """Returns once all events would outlive a loss of power."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        with suppress(OSError):  # what could not be written was told when it was
            self._file.close()

    def _write(self, fields: bytes) -> None:
        event = struct.pack("<Bd", 1 << 3 | 1, time.time()) + fields  # wall_time is field 1
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))
        self._file.flush()


def drop_after(folder: Path, step: int) -> None:
    """Cuts a folder's event files before the first event of a step beyond `step`, or half-written.

    The steps of a file never go back (each run writes a new file), so nothing else is lost.
    """
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        kept = _end_of_kept(data, step)
        if kept < len(data):
            os.truncate(path, kept)


def _end_of_kept(data: bytes, step: int) -> int:
    """Where the whole events of steps up to `step` end."""
    start = 0
    while len(data) >= start + 16:
        (length,) = struct.unpack_from("<Q", data, start)
        event = data[start + 12 : start + 12 + length]
        checksum = data[start + 12 + length : start + 16 + length]
        if checksum != _checksum(event) or _step(event) > step:
            break
        start += 16 + length
    return start


def _step(event: bytes) -> int:
    """Field 2 of an event as `_write` makes them: after the wall time, absent from the first."""
    if event[9:10] != _varint(2 << 3):
        return 0
    value = shift = 0
    for byte in event[10:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value


def _create(folder: Path) -> BinaryIO:
    """Opens a file whose name sorts after the folder's others: TensorBoard reads in that order."""
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob("events.out.tfevents.*")))
    return open(folder / f"events.out.tfevents.{int(time.time()):010d}.{number:06d}", "xb")


def _scalar(tag: str, value: float) -> bytes:
    """Summary.Value: tag is field 1, simple_value field 2 (a 4-byte float)."""
    return _bytes_field(1, tag.encode()) + struct.pack("<B", 2 << 3 | 5) + _float32(value)


def _float32(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:  # finite, but beyond float32: as a cast would have it
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))


def _int_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes_field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; only for value >= 0."""
    if value < 0:
        raise ValueError(f"cannot encode {value}; expected a non-negative number")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _checksum(data: bytes) -> bytes:
    """TFRecord's masked CRC-32C."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    masked = (crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF
    return struct.pack("<I", masked)


def _crc_entry(index: int) -> int:
    for _ in range(8):
        index = index >> 1 ^ (0x82F63B78 if index & 1 else 0)  # Castagnoli, bits reversed
    return index


_CRC_TABLE = tuple(_crc_entry(index) for index in range(256))
