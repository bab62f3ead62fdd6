"""The loop of a training run: what happens after a step, in which order, and how a run ends early.

The order is a contract: step, log, save, validate.
- Before a checkpoint of a step is saved, the metrics of all steps up to it are on disk: a resumed
  run drops the lines after it, writes them again, and has neither a gap nor a double line.
- A step that is validated is saved first: a run that ends within its validation loses nothing,
  because it begins with that validation when it resumes.
- The state is read by the save and by the validation, then given away to the next step.
A call to the device may take several steps, but none of these things falls between them.
What a step reads was put on the devices on purpose: an array of the host that slipped into it would
be sent each time, and the step would wait.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from posec3d_jax.machine import host
from posec3d_jax.runs.divergence import DivergenceCheck
from posec3d_jax.runs.plan import Plan
from posec3d_jax.runs.preemption import StopSignal
from posec3d_jax.runs.run_log import RunLog
from posec3d_jax.runs.saving import Checkpoints
from posec3d_jax.runs.watchdog import Watchdog
from posec3d_jax.steps.state import TrainState

Validate = Callable[[TrainState, Callable[[], None]], dict[str, float]]


@dataclass
class TrainingLoop:
    """The pieces of a run; `run` is its life."""

    step: Callable  # (state, batch or stack of them, *constants) -> (state, metrics of each step)
    constants: tuple[Any, ...]
    log: RunLog
    checkpoints: Checkpoints
    check: DivergenceCheck
    validate: Validate | None  # calls back after each of its batches
    after_step: Callable[[Plan, int], None] | None
    stop: StopSignal = field(default_factory=StopSignal)
    watchdog: Watchdog = field(init=False)
    _running: jax.Array | None = None  # a result of the last call to the device

    def run(self, state: TrainState, batches: Iterator[Any]) -> dict[str, Any]:
        """Trains from `state` to the end of the plan and returns the last metrics.

        Raises:
          Stopped: told to by a signal; the last step is saved.
          FloatingPointError, DiskError: see `train.train_and_evaluate`.
        """
        plan, number, last = self.log.plan, int(state.step), {}
        self.watchdog = Watchdog(self.log.config.train.stall_minutes)
        with self.watchdog, self.stop:
            last |= self._validate_if_due(state, number)
            while number < plan.total:
                batch = self._next(batches)
                with _nothing_sent_unasked():
                    state, metrics = self.step(state, batch, *self.constants)
                self._running = metrics["loss"]
                number += metrics["loss"].size
                self.check.add(metrics)
                if plan.logs_after(number):
                    last |= self._log(number, metrics)
                stopping = self.stop.reached()
                if stopping or plan.saves_after(number):
                    self._save(state, number)
                if stopping:
                    raise self.stop.stopped(number)
                last |= self._validate_if_due(state, number)
                if plan.saves_after(number):
                    host.give_back_memory()
                self.watchdog.beat(f"step {number}")
                if self.after_step:
                    self.after_step(plan, number)
            self.checkpoints.wait()
        self.log.finished(number)
        return last

    def _next(self, batches: Iterator[Any]) -> Any:
        """The next batch; the time that the device had nothing to do for want of it is noted.

        While the device is still at the last batch, nothing waits but this thread. If it finishes
        in the meantime, all of that time counts: at most this was lost.
        """
        started = time.perf_counter()
        batch = next(batches)
        if self._running is None or self._running.is_ready():
            self.log.waited += time.perf_counter() - started
        return batch

    def _log(self, number: int, metrics: dict[str, jax.Array]) -> dict[str, float]:
        self.check.check_losses(self.checkpoints.latest_path())
        last = {name: np.ravel(values)[-1] for name, values in jax.device_get(metrics).items()}
        return self.log.log(number, last)

    def _save(self, state: TrainState, number: int) -> None:
        self.check.check_state(state, self.checkpoints.latest_path())
        self.log.saving(number)
        self.checkpoints.save(state)

    def _validate_if_due(self, state: TrainState, number: int) -> dict[str, float]:
        """Validation metrics, logged; {} if this step is none to validate, or was validated."""
        due = number and self.log.plan.validates_after(number)
        if not self.validate or not due or number in self.checkpoints.top1:
            return {}

        def after_batch() -> None:
            self.watchdog.beat(f"a batch of the validation after step {number}")
            self.stop.raise_if_received(number)

        started = time.perf_counter()
        metrics = self.validate(state, after_batch)
        self.log.pause(time.perf_counter() - started)
        values = self.log.log_validation(number, metrics)
        self.checkpoints.top1[number] = metrics["top1"]
        return values


@contextmanager
def _nothing_sent_unasked() -> Iterator[None]:
    """An implicit transfer to a device, or from one to another, is an error."""
    with (
        jax.transfer_guard_host_to_device("disallow"),
        jax.transfer_guard_device_to_device("disallow"),
    ):
        yield
