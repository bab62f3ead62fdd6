"""Downloads into a cache: checked, kept for the next time, and never half there.

What is not finished lies in `partial/` beside the whole files, which get their names last.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from posec3d_jax.files.places import cache_root
from posec3d_jax.weights.transfer import (
    PATIENT,
    VERSION,
    DownloadError,
    Patience,
    Progress,
    complete,
)

_FACTS = ".json"


def cache_folder() -> Path:
    """Where downloads are kept: below $XDG_CACHE_HOME, else ~/.cache."""
    return cache_root() / "weights"


def fetch(
    url: str,
    path: Path,
    sha256: str = "",
    *,
    progress: Progress | None = None,
    patience: Patience = PATIENT,
) -> Path:
    """Brings the file at `url` to `path`, unless it lies there already and is sound.

    Proxies are taken from the environment (https_proxy, no_proxy, ...), as is usual.

    Args:
      url: http or https.
      path: where it goes; beside it `<name>.json` keeps its hash, to tell rot from what was sent.
      sha256: the first digits of the hash that the file must have; '' where none is known.
      progress: told how far it is, after every piece.
      patience: when to give up.

    Returns:
      `path`.

    Raises:
      DownloadError: no such file, a server that cannot be reached, is too slow, redirects without
        end or sends something else, or no room on the disk. What came so far is kept for the next
        attempt, unless it is of no use.
    """
    if is_sound(path, sha256):
        return path
    partial = path.parent / "partial" / path.name
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with _alone(partial, url) as file:
            complete(url, file, progress or (lambda *_: None), patience)
            digest = _sha256(file)
            if sha256 and not digest.startswith(sha256):
                partial.unlink()
                raise DownloadError(
                    f"{url}: the file has SHA-256 {digest[:16]}..., expected {sha256}...; it was "
                    "damaged or exchanged on the way and is not kept. Try again, or from another "
                    "network"
                )
            os.fsync(file.fileno())
            facts = {"url": url, "sha256": digest, "bytes": os.fstat(file.fileno()).st_size}
            path.with_name(path.name + _FACTS).write_text(json.dumps(facts) + "\n")
            os.replace(partial, path)
            partial.with_name(partial.name + VERSION).unlink(missing_ok=True)
    except DownloadError:
        raise
    except OSError as error:
        raise _local(error, path) from error
    return path


def is_sound(path: Path, sha256: str = "") -> bool:
    """Whether a whole file lies there, with the hash it came with and, if given, that one."""
    try:
        facts = json.loads(path.with_name(path.name + _FACTS).read_text())
        with open(path, "rb") as file:
            digest = _sha256(file)
        return digest == facts["sha256"] and digest.startswith(sha256)
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def _alone(partial: Path, url: str) -> Iterator[BinaryIO]:
    """The unfinished file, open for this process and no other."""
    with open(partial, "a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError(
                f"{url} is being downloaded by another process; wait for it"
            ) from None
        yield file


def _local(error: OSError, path: Path) -> DownloadError:
    """An error of this machine's disk, for people."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room and run the same command again: it goes on from what is there"
    else:
        hint = "XDG_CACHE_HOME names another folder for the cache"
    return DownloadError(f"{path} could not be written: {error.strerror or error}; {hint}")


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()
