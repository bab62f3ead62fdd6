"""Where a command writes: paths as people type them, and whether anything can be written there."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posec3d_jax.files.disk import DiskError

# What libraries take literally: some read the rest, such as [ * ?, as a pattern of names.
_ADDRESS = re.compile(r"(gs|s3|az|abfss?|hdfs|hf|dbfs|https?|ftp|file):/", re.IGNORECASE)
_PLAIN = re.compile(r"[\w./ +=@,:~-]*")


def expand(path: str | Path) -> Path:
    """The path that somebody typed: `~` and `~name` are the homes that a shell would put there.

    Raises:
      ValueError: there is no such home, or it is an address; of those in buckets only a run's and a
        data set's can be worked with, see buckets.py.
    """
    if address := _ADDRESS.match(str(path)):
        raise ValueError(
            f"{path} is in a bucket or on a server ({address[1]}), and this is no place that is "
            "read or written there: only a run (--workdir) and a prepared data set "
            "(config.data.dir) may be, as gs://, s3:// or az://. Mount the bucket (gcsfuse, s3fs) "
            "and name the mount, or use a folder here and copy it (gcloud storage rsync -r, aws "
            "s3 sync)"
        )
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"{path} begins with a home that is not known here; write ./{path} for a folder of "
            "that name"
        ) from error


def cache_root() -> Path:
    """Where this package keeps what it can get again: below $XDG_CACHE_HOME, else ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".cache") / "posec3d_jax"


def make_writable(folder: Path) -> Path:
    """Makes a folder, and writes and removes a file in it: before any work, not after it.

    Raises:
      DiskError: nothing can be written there; says which part of the path is in the way, and why.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        existing = next(p for p in (folder, *folder.absolute().parents) if os.path.lexists(p))
        found = "" if existing == folder else f" (of it, {existing} is there)"
        if not existing.is_dir():
            found = f": {existing} is {'a link to nothing' if existing.is_symlink() else 'a file'}"
        raise DiskError(
            f"nothing can be written in {folder}{found}: {error.strerror or error}. Choose another "
            "place, or give yourself the right to write there"
        ) from error
    return folder


@contextmanager
def plain_name(folder: Path) -> Iterator[Path]:
    """The same folder by a path without characters that a library could take for a pattern.

    That is a link in a temporary folder, where the folder's own path has such characters.
    """
    folder = folder.absolute()
    if _PLAIN.fullmatch(str(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="posec3d-") as links:
        link = Path(links) / "folder"
        link.symlink_to(folder, target_is_directory=True)
        yield link
