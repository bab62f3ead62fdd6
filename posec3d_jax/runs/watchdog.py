"""Ends a process that hangs: a message and the stacks of all threads instead of waiting forever."""

import faulthandler
import os
import sys
import threading
import time

EXIT_STATUS = 70  # EX_SOFTWARE of sysexits.h


class Watchdog:
    """`with Watchdog(minutes) as watchdog:`, and `watchdog.beat(...)` when something is done."""

    def __init__(self, minutes: float):
        """`minutes` without a beat end the process; 0 turns it off."""
        self._seconds = 60 * minutes
        self._done = threading.Event()
        self._last = (time.monotonic(), "the start of the loop")
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self.beat("the start of the loop")
        if self._seconds:
            self._thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def beat(self, what: str) -> None:
        """Something was done: `what`, for the message if nothing follows it."""
        self._last = (time.monotonic(), what)

    def _watch(self) -> None:
        while not self._done.wait(self._left()):
            if self._left() <= 0:
                self._end()

    def _left(self) -> float:
        return self._last[0] + self._seconds - time.monotonic()

    def _end(self) -> None:
        print(
            f"posec3d: nothing was done for {self._seconds / 60:g} minutes after {self._last[1]} "
            "(config.train.stall_minutes): ending this process. The last checkpoint stands; the "
            "same command goes on from it. What each thread was at:",
            file=sys.stderr,
            flush=True,
        )
        faulthandler.dump_traceback(all_threads=True)
        os._exit(EXIT_STATUS)
