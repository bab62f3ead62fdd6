"""Being told to stop: SIGTERM or Ctrl-C lets the step finish; the run saves, leaves, and can go on.

One process handles the signals itself. Of many, JAX's preemption service tells all of them as soon
as one gets SIGTERM, and they stop after the same step. A second signal ends a process at once.
"""

import signal
import threading
from types import FrameType

import jax
from absl import logging
from jax.experimental import multihost_utils

EXIT_STATUS = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong, run the same command again


class Stopped(SystemExit):
    """The run was told to stop and has saved; a program that lets this pass ends with status 75."""

    def __init__(self, message: str):
        super().__init__(EXIT_STATUS)
        self._message = message

    def __str__(self) -> str:
        return self._message


class StopSignal:
    """`with StopSignal() as stop:` and then ask after each call to the device."""

    def __init__(self):
        self._name, self._asked = "", 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopSignal":
        if jax.process_count() == 1 and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception) -> None:
        self._restore()

    def reached(self) -> bool:
        """Whether to save and stop now: the same answer on every process.

        Every process has to ask equally often. It is by that count, which must rise by one, that
        the service makes them stop at the same point.
        """
        self._asked += 1
        if jax.process_count() > 1 and multihost_utils.reached_preemption_sync_point(self._asked):
            self._name = "SIGTERM"
        return bool(self._name)

    def raise_if_received(self, step: int) -> None:
        """For work after the save of `step`: ends it without waiting for the next step.

        Raises:
          Stopped: this process was told to stop, and is the only one.
        """
        if jax.process_count() == 1 and self._name:
            raise self.stopped(step)

    def stopped(self, step: int) -> Stopped:
        """What to raise once `step` is saved; says so in the log."""
        stopped = Stopped(
            f"stopped by {self._name} after step {step}, which is saved; run the same command "
            "again to go on"
        )
        logging.warning("%s", stopped)
        return stopped

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._name = signal.Signals(number).name
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler or signal.SIG_DFL)
