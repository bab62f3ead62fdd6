"""One process at a time at one output: a lock that says who holds it and ends with its holder.

The lock is the kernel's (flock), on a file beside the output: it goes with the process, however
that ends, and a file system of several machines (NFS) shares it. Some are mounted so that locks
stay on their own machine; therefore the holder also counts up in the file, and whoever finds the
file of another machine watches for a while whether the count moves.
"""

import errno
import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from absl import logging

from posec3d_jax.files.disk import writing
from posec3d_jax.files.places import make_writable

BEAT_SECONDS, WATCH_SECONDS = 5.0, 30.0  # NFS may show a change half a minute late
MOST_BYTES = 4096  # of a lock's file
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class LockedError(ValueError):
    """Another process is at this output; the message says which one and since when."""


@contextmanager
def holding(path: Path, output: Path, command: str, watch: float = WATCH_SECONDS) -> Iterator[None]:
    """Holds the lock of an output while it is written.

    Args:
      path: of the lock's file, the same for everybody who writes this output; gone afterwards.
      output: what is written, for messages.
      command: what this process is doing, for the message that another one gets.
      watch: seconds to look whether a holder on another machine is alive.

    Raises:
      LockedError: another process (or another thread of this one) holds it.
      DiskError: nothing can be written there.
    """
    was_there = path.parent.exists()
    make_writable(path.parent)
    with writing(path):
        descriptor = _lock(path, output)
    try:
        _await_silence(path, output, watch)
        holder = this_process(command)
        with writing(path):
            _write(descriptor, holder | {"beat": 0})
        with beating(lambda n: _write(descriptor, holder | {"beat": n}), BEAT_SECONDS):
            yield
    finally:
        with suppress(OSError):  # a folder that is not empty stays
            path.unlink()
            if not was_there:
                path.parent.rmdir()
        os.close(descriptor)


def this_process(command: str) -> dict[str, Any]:
    """What a lock tells of its holder."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "command": command[:500],
        "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def _lock(path: Path, output: Path) -> int:
    """A descriptor of the lock's file that has the kernel's lock."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise LockedError(refusal(output, _read(path))) from error
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                os.close(descriptor)
                raise
            logging.warning("%s: no locks on this file system; the count in it has to do", path)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)  # its last holder removed it in between


def _await_silence(path: Path, output: Path, watch: float) -> None:
    """Returns once a lock's file of another machine has stood still for `watch` seconds.

    Raises:
      LockedError: it moves.
    """
    found, here = _read(path), socket.gethostname()
    if not found or found.get("host") == here:  # of this machine: the kernel's lock has told
        return
    logging.warning(
        "%s: %s was at it; looking for %g s whether it still is", output, who(found), watch
    )
    give_up = time.monotonic() + watch
    while (left := give_up - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        now = _read(path)
        if now and now.get("beat") != found.get("beat"):
            raise LockedError(refusal(output, now))


@contextmanager
def beating(write: Callable[[int], None], seconds: float) -> Iterator[None]:
    """Has the holder's count written every so many seconds."""
    ended = threading.Event()

    def beat() -> None:
        count = 0
        while not ended.wait(seconds):
            count += 1
            with suppress(OSError):  # a full disk is told by what it is full for
                write(count)

    thread = threading.Thread(target=beat, name="lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _write(descriptor: int, holder: dict[str, Any]) -> None:
    """The holder as JSON, padded so that a shorter text leaves nothing of a longer one."""
    os.pwrite(descriptor, json.dumps(holder).encode().ljust(MOST_BYTES - 1) + b"\n", 0)
    os.fsync(descriptor)


def _read(path: Path) -> dict[str, Any]:
    """What a lock's file says; {} where it says nothing."""
    try:
        with open(path, "rb") as file:
            return parsed(file.read(MOST_BYTES))
    except OSError:
        return {}


def parsed(text: bytes) -> dict[str, Any]:
    """The holder in a lock's text; {} where it is none."""
    try:
        value = json.loads(text)
    except (RecursionError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def who(holder: dict[str, Any]) -> str:
    """The holder that a lock tells of, in words."""
    said = {key: str(holder.get(key, "?"))[:200] for key in ("pid", "host", "since", "command")}
    if not holder:
        return "another process"
    return "process {pid} on {host}, since {since}: {command}".format(**said)


def refusal(output: str | Path, holder: dict[str, Any]) -> str:
    """What is said to whoever comes second."""
    return (
        f"{output} is in use by {who(holder)}. Two at once would spoil it: wait until that ends, "
        "end it, or write to another place"
    )
