"""Writing so that a crash leaves old or new, never half; and what to do about a full disk."""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FULL = {errno.ENOSPC: "No space left on device", errno.EDQUOT: "Disk quota exceeded"}


class DiskError(OSError):
    """A file could not be written; the message names it and says what to do."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError within into a DiskError that names `path`."""
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        cause = error.strerror or error
        raise DiskError(f"{path} could not be written: {cause}{advice(error, path)}") from error


@contextmanager
def filling(path: Path) -> Iterator[None]:
    """Turns what any library raises within about a full disk into a DiskError that names `path`."""
    try:
        yield
    except DiskError:
        raise
    except Exception as error:
        if not (said := advice(error, path)):
            raise
        cause = next((text for text in _FULL.values() if text in str(error)), "the disk is full")
        raise DiskError(f"{path} could not be written: {cause}{said}") from error


def advice(error: Exception, path: Path) -> str:
    """What to do about an error of any library, if it is a full disk; '' if it is not."""
    full = isinstance(error, OSError) and error.errno in _FULL
    if not full and not any(text in str(error) for text in _FULL.values()):
        return ""
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e6
    return f" ({free:,.0f} MB are free there). Make room, then run the same command again"


def write_whole(path: Path, contents: str | bytes) -> None:
    """Replaces a file: a reader, and a machine that lost power, sees the old one or the new one.

    Raises:
      DiskError: it cannot be written; the old contents stay.
    """
    contents = contents.encode() if isinstance(contents, str) else contents
    with replacing(path) as partial, open(partial, "wb") as file:
        file.write(contents)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a name of this process's own to write to; what is there takes the place of `path`.

    Raises:
      DiskError: it cannot be written; what was there stays.
    """
    start = path.name[:40]  # letters may have four bytes, and a name 255
    partial = path.with_name(f".{start}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    with writing(path):
        try:
            yield partial
            os.replace(partial, path)
            sync(path.parent)
        finally:
            partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Returns once a file's contents, or the names in a folder, would outlive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Writes a file that a reader never sees half of.

    Raises:
      DiskError: it cannot be written.
    """
    write_whole(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The object in a JSON file, {} where there is none; ValueError names a damaged file."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged: it holds a {type(value).__name__} and no object")
    return value


def payload_size(folder: Path) -> int:
    """Bytes of all files below a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
