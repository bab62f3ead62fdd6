"""Checksums of a folder's files: written once it is complete, compared before it is trusted."""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from posec3d_jax.files.disk import sync, write_whole

CHECKSUM_FILE = "checksums.json"
_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


def write_checksums(folder: Path, without: Collection[str] = ()) -> None:
    """Writes checksums.json: size and SHA-256 of every file below `folder`, all of them synced.

    Args:
      folder: of the files.
      without: names of files that may change later.

    Raises:
      DiskError: it cannot be written.
    """
    paths = sorted(path for path in folder.rglob("*"))
    left_out = {CHECKSUM_FILE, *without}
    files = [path for path in paths if path.is_file() and path.name not in left_out]
    facts = {path.relative_to(folder).as_posix(): _facts(path) for path in files}
    for path in paths:
        sync(path)
    write_whole(folder / CHECKSUM_FILE, json.dumps(facts, indent=1) + "\n")


def find_damage(folder: Path) -> str:
    """What is wrong with the files below `folder`, in words; '' if they are as they were written.

    Files that were added later do not count.
    """
    try:
        facts = json.loads((folder / CHECKSUM_FILE).read_text(encoding="utf-8"))
        expected = {name: (int(size), str(digest)) for name, (size, digest) in facts.items()}
    except FileNotFoundError:
        return f"{CHECKSUM_FILE} is missing"
    except _UNREADABLE as error:
        return f"{CHECKSUM_FILE} cannot be read ({str(error)[:200]})"
    for name, (size, digest) in expected.items():
        path = folder / name
        if ".." in path.parts or not path.is_relative_to(folder):
            return f"{CHECKSUM_FILE} names {name!r:.200}, which is not below the folder"
        try:
            if not path.is_file():  # a pipe or device might be read without end
                return (
                    f"{name} cannot be read ({'no regular' if path.exists() else 'No such'} file)"
                )
            found = path.stat().st_size
            if found != size:
                return f"{name} has {found} bytes, {size} were written"
            if _facts(path)[1] != digest:
                return f"{name} has other bytes than were written"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
    return ""


def _facts(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
