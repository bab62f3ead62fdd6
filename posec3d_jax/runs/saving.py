"""The checkpoints of a training: saved in the background, read back, sealed, kept or deleted.

A step's checkpoint holds two parts: 'model' (params and batch_stats, all that inference needs) and
'training' (step and optimizer state); with them the facts of its run, and checksums of its files.
Where a moving mean of the weights is kept, it is the model, and the weights are in 'training'.
The latest few are kept, and the best by validation top-1.

Orbax writes a checkpoint in the background; when it is done, the arrays are read back, the seal is
written beside the folder, and only then older ones are deleted. Whatever kills a run leaves sealed
checkpoints, and at most a folder without a seal, which the next run puts aside.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
from jax.experimental import multihost_utils

from posec3d_jax.files.buckets import send
from posec3d_jax.files.disk import DiskError, advice
from posec3d_jax.files.places import make_writable
from posec3d_jax.runs.checkpoints import FOLDER
from posec3d_jax.runs.claim import TRAINED
from posec3d_jax.runs.metric_writer import validation_top1
from posec3d_jax.runs.orbax_trees import (
    CheckpointError,
    Tree,
    abstract,
    read,
    remove_temporary,
    write,
)
from posec3d_jax.runs.sealing import (
    best_step,
    finished_steps,
    is_sealed,
    read_facts,
    remove,
    seal,
    set_damaged_aside,
)
from posec3d_jax.runs.verification import Sums, check_saved, checksums_of
from posec3d_jax.steps.state import TrainState


class Checkpoints:
    """The checkpoints of one run: `with Checkpoints(workdir) as checkpoints: ...`.

    `top1` maps validated steps to their top-1, which decides what is kept; the run adds to it.
    """

    def __init__(self, workdir: str | Path, keep: int = 2, facts: Mapping[str, Any] | None = None):
        """Opens the run's checkpoints and puts damaged ones aside.

        Args:
          workdir: the run's directory.
          keep: how many of the latest are kept.
          facts: JSON-able; stored with every checkpoint, for `stored_facts`.

        Raises:
          ValueError: `keep` is below 2: the last one might be damaged.
          CheckpointError: all there are, are damaged.
        """
        if keep < 2:
            raise ValueError(
                f"config.train.keep_checkpoints is {keep}; expected at least 2, because the one "
                "before the newest is used if the newest is damaged"
            )
        self._folder = Path(workdir).absolute() / FOLDER
        self._keep, self._facts, self._saving = keep, dict(facts or {}), 0
        self._lead = jax.process_index() == 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._pending: Future | None = None
        if self._lead:
            make_writable(self._folder)
            remove_temporary(self._folder)
            set_damaged_aside(self._folder)
        multihost_utils.sync_global_devices("checkpoints checked")
        steps = finished_steps(self._folder)
        if not steps and list(self._folder.glob("*.damaged")):
            raise CheckpointError(
                f"every checkpoint in {self._folder} is damaged (see {self._folder}/*.damaged); "
                "restore a copy, or remove them to train from the start"
            )
        self._latest = steps[-1] if steps else None
        self.top1 = validation_top1(workdir)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind, *exception) -> None:
        try:
            self.wait()
        except Exception:
            if kind is None:  # else it would hide what went wrong first
                raise
        finally:
            self._worker.shutdown()

    def save(self, state: TrainState) -> None:
        """Saves in the background; returns once the state is copied, so it may be donated.

        Raises:
          DiskError: this save, or the one before it, could not be written.
        """
        step = int(state.step)
        if step == (self._saving if self._pending else self._latest):
            return
        self.wait()
        self._saving = step
        parts = _parts(state)
        with self._explaining():
            folder = self._folder / str(step)
            sums = {name: checksums_of(part) for name, part in parts.items()} if self._lead else {}
            written = write(folder, parts)
            self._pending = self._worker.submit(self._complete, written, folder, sums)

    def wait(self) -> None:
        """Returns once the last save is on disk, read back and sealed.

        Raises:
          DiskError: it could not be written.
        """
        pending, self._pending = self._pending, None
        if pending is None:
            return
        with self._explaining():
            pending.result()
        multihost_utils.sync_global_devices("checkpoint sealed")
        self._latest = self._saving

    def _complete(self, written: Callable, folder: Path, sums: Mapping[str, Sums]) -> None:
        """Reads back and seals what Orbax has written, then deletes what is no longer kept."""
        written()
        if not self._lead:
            return
        for part, saved in sums.items():
            check_saved(folder / part, saved)
        seal(folder, self._facts)
        steps = finished_steps(self._folder)
        kept = {*steps[-self._keep :], best_step(steps, dict(self.top1))}
        for step in steps:
            if step not in kept:
                remove(self._folder / str(step))
        send(self._folder.parent, TRAINED)

    def latest_step(self) -> int | None:
        """Step of the newest checkpoint; None where there is none."""
        return self._latest

    def forget_after(self, step: int) -> None:
        """Training goes on from `step`: what was validated beyond it does not count."""
        self.top1 = {validated: top1 for validated, top1 in self.top1.items() if validated <= step}

    def latest_path(self) -> str:
        """The newest checkpoint, in words."""
        step = self.latest_step()
        return "none yet" if step is None else str(self._folder / str(step))

    def stored_facts(self) -> dict[str, Any]:
        """The facts of the run that wrote the newest checkpoint; {} where it stored none."""
        return read_facts(self._folder / str(self.latest_step()))

    def restore(self, state: TrainState) -> TrainState:
        """The newest checkpoint in place of `state`, whose shapes and shardings it takes.

        Raises:
          CheckpointError: it holds weights alone, such as imported ones, or cannot be read.
        """
        wanted = _parts(jax.tree.map(abstract, state))
        folder = self._folder / str(self.latest_step())
        if not (folder / "training").is_dir():
            raise CheckpointError(
                f"{folder} holds weights and no training state, so it cannot be resumed; set "
                "config.init_from to it and choose another --workdir"
            )
        parts = read(folder, wanted)
        model, training = parts["model"], dict(parts["training"])
        if state.averaged is None:
            return TrainState(**model, **training)
        return TrainState(**training.pop("weights"), **training, averaged=model)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turns what any library raises when a save fails into an error that says what to do."""
        try:
            yield
        except Exception as error:
            if self._lead:  # what there is of it only takes up room
                remove_temporary(self._folder)
                if not is_sealed(unsealed := self._folder / str(self._saving)):
                    shutil.rmtree(unsealed, ignore_errors=True)
            kept = [step for step in finished_steps(self._folder) if step != self._saving]
            cause = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise DiskError(
                f"the checkpoint of step {self._saving} could not be saved in {self._folder}: "
                f"{cause}{advice(error, self._folder)}. There are whole checkpoints of these "
                f"steps: {', '.join(map(str, kept)) or 'none'}"
            ) from error


def _parts(state: TrainState) -> dict[str, Tree]:
    """What a checkpoint holds of a state, or of its shapes."""
    training = {"step": state.step, "opt_state": state.opt_state}
    if state.averaged is not None:
        training["weights"] = {"params": state.params, "batch_stats": state.batch_stats}
    return {"model": state.tested, "training": training}
