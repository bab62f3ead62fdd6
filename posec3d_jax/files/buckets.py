"""Runs and data sets in buckets: a folder of this machine stands for each, its mirror.

A bucket keeps whole objects: nothing in it is appended to, renamed, or mapped into memory, and what
checkpoints, metrics and data sets promise is built on that. So a command works in the mirror as on
any disk. `fetch` makes it what is in the bucket; `send` sends what changed, the files that say that
others are whole last, so that a reader of the bucket never takes half for the whole either.
etils.epath speaks to the bucket; as rsync does, size and time tell whether a file changed.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from posec3d_jax.files.disk import replacing
from posec3d_jax.files.places import cache_root, expand

_ADDRESS = re.compile(r"(gs|s3|az)://([^/]+(/[^/]+)*)/*")
_PASSING = re.compile(r"\.lock$|\.partial$|orbax-checkpoint-tmp|(^|/)\.importing/")
_MARKS = re.compile(r"(^|/)(info\.json|metrics\.json|\d+\.seal\.json)$")  # say that all is whole
_AT_ONCE, _TRIES, _PAUSE = 16, 3, 2.0  # transfers; seconds before the next try

Facts = tuple[int, int]  # bytes, and when it was changed, in nanoseconds


class BucketError(OSError):
    """A bucket cannot be read or written; the message names the address and says what to check."""


def is_address(place: str | Path) -> bool:
    """Whether a place is one in a bucket."""
    return bool(_ADDRESS.fullmatch(str(place)))


def local_folder(place: str | Path) -> Path:
    """The folder to work in at a place: itself; of an address its mirror, fetched.

    It is fetched once in a process; whoever writes there fetches it again, once it is his.

    Raises:
      ValueError: see `expand`.
      BucketError: it cannot be read.
    """
    return _fetched(str(place)) if is_address(place) else expand(place)


@cache
def _fetched(address: str) -> Path:
    folder = mirror_of(address)
    fetch(folder)
    return folder


def mirror_of(address: str) -> Path:
    """The folder that stands for an address, which need not be there."""
    scheme, path = _ADDRESS.fullmatch(address).groups()[:2]
    if {".", ".."} & set(path.split("/")):
        raise ValueError(f"{address}: a name in a bucket has no . or .. in it")
    return _root() / scheme / path


def address_of(path: Path) -> str:
    """The address that a path below the mirrors stands for; '' for every other path."""
    path = path.absolute()
    if not path.is_relative_to(_root()):
        return ""
    scheme, *parts = path.relative_to(_root()).parts
    return f"{scheme}://{'/'.join(parts)}"


def fetch(folder: Path) -> None:
    """Makes a mirror what is in the bucket; does nothing for any other folder.

    Raises:
      BucketError: it cannot be read.
    """
    if not (address := address_of(folder)):
        return
    with reaching(address) as place:
        there, here = _there(place), _here(folder)
        for name in here.keys() - there.keys():
            (folder / name).unlink()
        changed = [name for name in there if here.get(name) != there[name]]
        _at_once(partial(_download, place, folder, there), changed)


def send(folder: Path, own: Sequence[str]) -> None:
    """Makes a part of the bucket what it is in a mirror; does nothing for any other folder.

    Args:
      folder: a mirror, or a folder below one.
      own: the files and folders in it that the caller alone writes, '.' for all. What is in the
        bucket besides stays as it is, though it may have changed since it was fetched.

    Raises:
      BucketError: it cannot be written.
    """
    if not (address := address_of(folder)):
        return
    with reaching(address) as place:
        there, here = _there(place), _here(folder)
        mine = [name for name in sorted(there.keys() | here.keys()) if _is_below(name, own)]
        changed = [name for name in mine if name in here and here[name] != there.get(name)]
        gone = [name for name in mine if name not in here]
        marks = {name for name in {*changed, *gone} if _MARKS.search(name)}
        _at_once(partial(_delete, place), sorted(marks & there.keys()))
        _at_once(partial(_upload, place, folder), [name for name in changed if name not in marks])
        _at_once(partial(_upload, place, folder), [name for name in changed if name in marks])
        _at_once(partial(_delete, place), [name for name in gone if name not in marks])


def send_file(file: Path) -> None:
    """The same of one file."""
    send(file.parent, (file.name,))


@contextmanager
def reaching(address: str) -> Iterator[Any]:
    """The address as epath's path; whatever goes wrong there becomes a BucketError."""
    try:
        from etils import epath

        yield epath.Path(address)
    except BucketError:
        raise
    except ImportError as error:
        raise BucketError(
            f"{address} cannot be reached without its library ({error}): install gcsfs (gs), s3fs "
            "(s3) or adlfs (az)"
        ) from error
    except Exception as error:  # each library has errors of its own
        cause = (str(error).splitlines() or [""])[0][:300]
        raise BucketError(
            f"{address} cannot be read or written ({type(error).__name__}: {cause}). Check the "
            "address, the network and your rights (for gs: gcloud auth application-default login)"
        ) from error


def _root() -> Path:
    return cache_root() / "buckets"


def _is_below(name: str, places: Sequence[str]) -> bool:
    return any(place in (".", name) or name.startswith(f"{place}/") for place in places)


def _here(folder: Path) -> dict[str, Facts]:
    """The files of a mirror that are of the run or data set, by their path in it."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        with suppress(FileNotFoundError):  # it was renamed meanwhile
            if not _PASSING.search(name) and path.is_file():
                found[name] = path.stat().st_size, path.stat().st_mtime_ns
    return found


def _there(place: Any) -> dict[str, Facts]:
    """The same of what is in the bucket, which knows whole seconds."""
    found, folders = {}, [("", place)]
    while folders:
        prefix, folder = folders.pop()
        children = folder.iterdir() if folder.is_dir() else ()
        children = [child for child in children if child != folder]  # some list the folder, too
        for child, facts in zip(children, _at_once(lambda c: c.stat(), children), strict=True):
            name = prefix + child.name
            if facts.is_directory:
                folders.append((f"{name}/", child))
            elif not _PASSING.search(name):
                found[name] = facts.length, facts.mtime * 10**9
    return found


def _download(place: Any, folder: Path, there: dict[str, Facts], name: str) -> None:
    target = folder / name
    if not target.resolve().is_relative_to(folder.resolve()):
        raise BucketError(f"{place} holds {name!r}, which leads out of it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as partial_file:
        with (place / name).open("rb") as source, open(partial_file, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        os.utime(partial_file, ns=(there[name][1],) * 2)


def _upload(place: Any, folder: Path, name: str) -> None:
    source, target = folder / name, place / name
    before = source.stat()
    with open(source, "rb") as file, target.open("wb") as sent:
        shutil.copyfileobj(file, sent, 1 << 20)
    now = source.stat()
    if (now.st_ino, now.st_mtime_ns) == (before.st_ino, before.st_mtime_ns):
        os.utime(source, (target.stat().mtime,) * 2)  # else it goes again next time


def _delete(place: Any, name: str) -> None:
    (place / name).unlink(missing_ok=True)


def _at_once(action: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """The results for all items, several at a time; each is tried again where it fails."""
    with ThreadPoolExecutor(_AT_ONCE, "bucket") as pool:
        return list(pool.map(partial(_tried, action), items))


def _tried(action: Callable[[Any], Any], item: Any) -> Any:
    for left in reversed(range(_TRIES)):
        try:
            return action(item)
        except (BucketError, FileNotFoundError, ImportError, PermissionError):
            raise  # would fail again
        except Exception:
            if not left:
                raise
            time.sleep(_PAUSE)
