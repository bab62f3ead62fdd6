"""One process at a time at an output, in a bucket too: it is locked, fetched, and sent in the end.

A bucket has no locks of a kernel. The lock there is an object that says who holds it, by a word of
its own that no other process has, and counts up: whoever finds one watches whether it moves. Two
that begin at the same moment both write theirs; the later one stands, which each sees a moment on.
"""

import json
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from absl import logging

from posec3d_jax.files.buckets import BucketError, address_of, fetch, reaching, send
from posec3d_jax.files.locks import (
    MOST_BYTES,
    LockedError,
    beating,
    holding,
    parsed,
    refusal,
    this_process,
    who,
)

BEAT_SECONDS, WATCH_SECONDS, SETTLE_SECONDS = 10.0, 30.0, 2.0


@contextmanager
def working_in(folder: Path, lock: Path, command: str, own: Sequence[str]) -> Iterator[None]:
    """Holds a folder while it is written; what a mirror stands for is held, fetched and sent, too.

    Args:
      folder: of the run or data set.
      lock: the file of its lock, the same for everybody who writes there.
      command: what this process is doing, for the message that another one gets.
      own: see `buckets.send`.

    Raises:
      LockedError: another process is at it.
      DiskError, BucketError: nothing can be written there.
    """
    with holding(lock, folder, command):
        if not (address := address_of(lock)):
            yield
            return
        with _holding_object(address, address_of(folder), command):
            fetch(folder)
            try:
                yield
            finally:
                send(folder, own)


@contextmanager
def _holding_object(address: str, output: str, command: str) -> Iterator[None]:
    """Holds the object at an address as a lock; this machine's other processes are locked out."""
    mine = this_process(command) | {"word": secrets.token_hex(8)}
    _await_silence(address, output)
    _write(address, mine | {"beat": 0})
    time.sleep(SETTLE_SECONDS)
    if (found := _read(address)).get("word") != mine["word"]:
        raise LockedError(refusal(output, found))
    try:
        with beating(lambda count: _write(address, mine | {"beat": count}), BEAT_SECONDS):
            yield
    finally:
        with suppress(BucketError), reaching(address) as place:
            if _read(address).get("word") == mine["word"]:
                place.unlink(missing_ok=True)


def _await_silence(address: str, output: str) -> None:
    """Returns where the lock of another machine has stood still for a while, or there is none.

    Raises:
      LockedError: it moves.
    """
    found, give_up = _read(address), time.monotonic() + WATCH_SECONDS
    if not found or found.get("host") == socket.gethostname():
        return  # of this machine: its own lock has told that nobody is there any more
    logging.warning(
        "%s: %s was at it; looking for %g s whether it still is",
        *(output, who(found), WATCH_SECONDS),
    )
    while time.monotonic() < give_up:
        time.sleep(min(1.0, WATCH_SECONDS))
        if (now := _read(address)).get("beat") != found.get("beat") and now:
            raise LockedError(refusal(output, now))


def _read(address: str) -> dict[str, Any]:
    with reaching(address) as place:
        if not place.exists():
            return {}
        with place.open("rb") as file:
            return parsed(file.read(MOST_BYTES))


def _write(address: str, holder: dict[str, Any]) -> None:
    with reaching(address) as place, place.open("wb") as file:
        file.write(json.dumps(holder).encode())
