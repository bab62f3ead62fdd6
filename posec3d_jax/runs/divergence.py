"""Notices a loss or a state that is not finite, without waiting for the device at every step.

The losses of the last steps stay on the device and are read together when a line is logged or a
checkpoint saved; the clips of a step are computed again from (seed, step).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.files import disk
from posec3d_jax.steps.state import TrainState

DIVERGED_FILE = "diverged.json"
_LISTED = 12  # clips spelt out in the message; the file has all


class DivergenceCheck:
    """Holds what the steps since the last check returned."""

    def __init__(self, workdir: Path, step: int, clips_of: Callable[[int], list[str]]):
        """`step`: done so far. `clips_of`: names of the clips of a step's batch, from 1 on."""
        self._workdir, self._clips_of = workdir, clips_of
        self._good = step
        self._pending: list[tuple[jax.Array, jax.Array]] = []
        self._all_finite = jax.jit(_all_finite)

    def add(self, metrics: dict[str, jax.Array]) -> None:
        """Takes note of a step's metrics, or of several steps' [K], which stay on the device."""
        self._pending.append((metrics["loss"], metrics["grad_norm"]))

    def check_losses(self, last: str) -> None:
        """Waits for the steps taken so far.

        Args:
          last: the last good checkpoint, for the message.

        Raises:
          FloatingPointError: a loss or gradient was not finite; names step, clips and `last`.
        """
        pairs = [np.stack(pair, -1).reshape(-1, 2) for pair in jax.device_get(self._pending)]
        rows = np.concatenate([np.zeros((0, 2)), *pairs])
        for step, (loss, norm) in enumerate(rows, self._good + 1):
            if not np.isfinite(loss) or not np.isfinite(norm):
                raise self._diverged(step, f"the loss is {loss}, the gradient's norm {norm}", last)
        self._good += len(rows)
        self._pending.clear()

    def check_state(self, state: TrainState, last: str) -> None:
        """As `check_losses`, and that parameters, statistics and optimizer state are finite."""
        before = self._good
        self.check_losses(last)
        if not self._all_finite((state.params, state.batch_stats, state.opt_state)):
            self._good = before
            raise self._diverged(int(state.step), "a parameter or statistic is not finite", last)

    def _diverged(self, step: int, what: str, last: str) -> FloatingPointError:
        clips = self._clips_of(step)
        facts = {"step": step, "last_good_step": self._good, "what": what, "clips": clips}
        if jax.process_index() == 0:
            disk.write_json(self._workdir / DIVERGED_FILE, facts | {"checkpoint": last})
        listed = ", ".join(clips[:_LISTED]) + ", ..." * (len(clips) > _LISTED)
        return FloatingPointError(
            f"{what} at step {step}; up to step {self._good} all was finite. The clips of that "
            f"step are {listed} ({DIVERGED_FILE} in the run's directory has them all). The last "
            f"good checkpoint: {last}. Lower config.optimizer.learning_rate, or look at these "
            "clips with `posec3d inspect`"
        )


def _all_finite(tree: Any) -> jax.Array:
    return jnp.all(jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]))
