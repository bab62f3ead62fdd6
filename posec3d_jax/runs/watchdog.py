"""Ends a process that hangs: a message and the stacks of all threads instead of waiting forever."""

import faulthandler
import sys
import threading
import time

_GRACE = 1.0  # seconds for the words, before the stacks are shown and the process ends


class Watchdog:
    """`with Watchdog(minutes) as watchdog:`, and `watchdog.beat(...)` when something is done.

    The end is faulthandler's, whose thread needs no interpreter: it comes even while a library
    holds the interpreter's lock. The words before it come where Python can still speak.
    """

    def __init__(self, minutes: float):
        """`minutes` without a beat end the process, with exit status 1; 0 turns it off."""
        self._seconds = 60 * minutes
        self._closed = threading.Event()
        self._last = (time.monotonic(), "the start of the loop")
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self.beat("the start of the loop")
        if self._seconds:
            self._thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._seconds:
            faulthandler.cancel_dump_traceback_later()

    def beat(self, what: str) -> None:
        """Something was done: `what`, for the message if nothing follows it."""
        self._last = (time.monotonic(), what)
        if self._seconds:
            faulthandler.dump_traceback_later(
                self._seconds + _GRACE, exit=True, file=sys.__stderr__
            )

    def _watch(self) -> None:
        while not self._closed.wait(max(self._left(), 0.01)):
            if self._left() <= 0:
                self._explain()
                return

    def _left(self) -> float:
        return self._last[0] + self._seconds - time.monotonic()

    def _explain(self) -> None:
        print(
            f"posec3d: nothing was done for {self._seconds / 60:g} minutes after {self._last[1]} "
            "(config.train.stall_minutes): ending this process. The last checkpoint stands; the "
            "same command goes on from it. What each thread was at:",
            file=sys.stderr,
            flush=True,
        )
