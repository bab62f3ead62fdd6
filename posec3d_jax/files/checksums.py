"""Checksums of a folder's files: taken once it is complete, compared before it is trusted."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from posec3d_jax.files.disk import sync

_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


def checksums(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file below `folder`, by its path there; all of them synced."""
    paths = sorted(folder.rglob("*"))
    found = {path.relative_to(folder).as_posix(): _facts(path) for path in paths if path.is_file()}
    for path in paths:
        sync(path)
    return found


def find_damage(folder: Path, taken: Any, source: str) -> str:
    """What is wrong with the files below `folder`, in words; '' if they are as they were written.

    Files that were added later do not count.

    Args:
      folder: of the files.
      taken: what `checksums` gave, as JSON has it; it may be a stranger's.
      source: where that was read from, for the message.
    """
    try:
        expected = {name: (int(size), str(digest)) for name, (size, digest) in taken.items()}
    except _UNREADABLE as error:
        return f"{source} cannot be read ({str(error)[:200]})"
    faults = (_fault(folder, *item, source) for item in expected.items())
    return _first(faults)


def _fault(folder: Path, name: str, facts: tuple[int, str], source: str) -> str:
    """What is wrong with one file, in words."""
    path, (size, digest) = folder / name, facts
    if ".." in path.parts or not path.is_relative_to(folder):
        return f"{source} names {name!r:.200}, which is not below the folder"
    try:
        if not path.is_file():  # a pipe or device might be read without end
            return f"{name} cannot be read ({'no regular' if path.exists() else 'No such'} file)"
        found = path.stat().st_size
        if found != size:
            return f"{name} has {found} bytes, {size} were written"
        return "" if _facts(path)[1] == digest else f"{name} has other bytes than were written"
    except (OSError, ValueError) as error:
        return f"{name!r:.200} cannot be read ({getattr(error, 'strerror', None) or error})"


def _first(faults: Iterable[str]) -> str:
    return next((fault for fault in faults if fault), "")


def _facts(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
