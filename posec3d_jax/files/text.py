"""Strangers' text files, read whole and within bounds."""

import csv
import io
import stat
from pathlib import Path

from posec3d_jax.files.arrays import MOST_BYTES, BadSample

MOST_TEXT = MOST_BYTES // 8  # bytes: cells and lists of a table take several times its text


def check_file(file: Path, most: int = MOST_BYTES) -> None:
    """ValueError for what is no regular file (a pipe would never end), or larger than `most`."""
    facts = file.stat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > most:
        raise ValueError(f"no regular file of at most {most} bytes")


def load_text(file: Path) -> str:
    """The text of a UTF-8 file; `BadSample` where it is none or too long."""
    try:
        check_file(file, MOST_TEXT)
        return file.read_text("utf-8-sig")
    except (MemoryError, OSError, ValueError) as error:
        raise BadSample("unreadable_file", f"{file.name}: no readable text: {error}") from error


def load_cells(file: Path) -> list[list[str]]:
    """The rows of a CSV file, empty ones left out; `BadSample` where it is none."""
    try:
        rows = list(csv.reader(io.StringIO(load_text(file))))
    except csv.Error as error:
        raise BadSample("unreadable_file", f"{file.name}: no readable table: {error}") from error
    return [row for row in rows if any(row)]
