"""Checkpoints on disk; the only file that knows Orbax.

A step's checkpoint holds two parts: 'model' (params and batch_stats, all that inference needs) and
'training' (step and optimizer state); with them the facts of its run, and checksums of its files.
The latest few are kept, and the best by validation top-1.

A checkpoint gets its name when it is whole and on disk: Orbax writes to a temporary folder, every
array is read back from there, facts and checksums are added, and the folder is renamed; only then
may an older one go. Whatever kills a run leaves whole checkpoints, and at most a temporary folder
that the next run removes.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import jax
from jax.experimental import multihost_utils
from orbax.checkpoint import v1 as ocp

from posec3d_jax.files.disk import DiskError, advice, payload_size
from posec3d_jax.files.places import expand, make_writable, plain_name
from posec3d_jax.machine.sharding import make_mesh, replicated
from posec3d_jax.runs.metric_writer import validation_top1
from posec3d_jax.runs.sealing import (
    best_step,
    damage_of,
    finished_steps,
    read_facts,
    seal,
    set_damaged_aside,
)
from posec3d_jax.runs.verification import check_saved, checksums_of
from posec3d_jax.runs.vetting import ForgedError, stored_arrays
from posec3d_jax.steps.state import TrainState

FOLDER = "checkpoints"
_TEMPORARY = "*.orbax-checkpoint-tmp*"
_SMALL, _MOST_PACKED = 1 << 24, 16  # bytes; and how often smaller weights may be when compressed
Tree = Any


class CheckpointError(ValueError):
    """No such checkpoint, a damaged one, or one that does not fit the config."""


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
        self._keep, self._facts, self._saving, self._pending = keep, dict(facts or {}), 0, None
        self._sums, self._links = {}, ExitStack()  # of each part that is being saved
        if jax.process_index() == 0:
            make_writable(self._folder)
            set_damaged_aside(self._folder)
        multihost_utils.sync_global_devices("checkpoints checked")
        if finished_steps(self._folder) == [] and list(self._folder.glob("*.damaged")):
            raise CheckpointError(
                f"every checkpoint in {self._folder} is damaged (see {self._folder}/*.damaged); "
                "restore a copy, or remove them to train from the start"
            )
        self.top1 = validation_top1(workdir)
        context = ocp.Context()
        # A method would not do: Orbax copies its options deeply, and with it this object.
        context.async_options.post_finalization_callback = lambda: self._seal()
        with _reading(self._folder):
            self._checkpointer = ocp.training.Checkpointer(
                self._links.enter_context(plain_name(self._folder)),
                context=context,
                preservation_policy=_Keep(self),
                cleanup_tmp_directories=True,
            )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind, *exception) -> None:
        failures = []
        for end in (self.wait, self._checkpointer.close):  # the second repeats what the first says
            try:
                end()
            except Exception as error:
                failures.append(error)
        self._links.close()
        if failures and kind is None:  # else it would hide what went wrong first
            raise failures[0]

    def save(self, state: TrainState) -> None:
        """Saves in the background; returns once the state is copied, so it may be donated.

        Raises:
          DiskError: this save, or the one before it, could not be written.
        """
        step = int(state.step)
        if self.latest_step() == step:
            return
        self.wait()
        self._saving = step
        parts = {
            "model": {"params": state.params, "batch_stats": state.batch_stats},
            "training": {"step": state.step, "opt_state": state.opt_state},
        }
        if jax.process_index() == 0:
            self._sums = {name: checksums_of(part) for name, part in parts.items()}
        with self._explaining():
            self._pending = self._checkpointer.save_checkpointables_async(step, parts, force=True)

    def wait(self) -> None:
        """Returns once the last save is on disk.

        Raises:
          DiskError: it could not be written.
        """
        pending, self._pending = self._pending, None
        with self._explaining():
            if pending:  # asked for its result, Orbax also ends the thread of this save
                pending.result()
            self._checkpointer.wait()

    def latest_step(self) -> int | None:
        """Step of the newest checkpoint; None where there is none."""
        latest = self._checkpointer.latest
        return None if latest is None else latest.step

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
        abstract = jax.tree.map(_abstract, state)
        wanted = {
            "model": {"params": abstract.params, "batch_stats": abstract.batch_stats},
            "training": {"step": abstract.step, "opt_state": abstract.opt_state},
        }
        folder = self._folder / str(self.latest_step())
        if not (folder / "training").is_dir():
            raise CheckpointError(
                f"{folder} holds weights and no training state, so it cannot be resumed; set "
                "config.init_from to it and choose another --workdir"
            )
        with _reading(folder):
            for part, arrays in wanted.items():
                _check_arrays(folder / part, arrays)
            parts = self._checkpointer.load_checkpointables(None, wanted)
        return TrainState(**parts["model"], **parts["training"])

    def _seal(self) -> None:
        """Reads the temporary folder back and adds the checksums, just before the renaming."""
        if jax.process_index() == 0:
            (folder,) = self._folder.glob(f"{self._saving}{_TEMPORARY[1:]}")
            for part, sums in self._sums.items():
                check_saved(folder / part, sums)
            seal(folder, self._facts)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turns what any library raises when a save fails into an error that says what to do."""
        try:
            yield
        except Exception as error:
            if jax.process_index() == 0:  # what there is of it only takes up room
                for folder in self._folder.glob(_TEMPORARY):
                    shutil.rmtree(folder, ignore_errors=True)
            kept = [step for step in finished_steps(self._folder) if step != self._saving]
            cause = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise DiskError(
                f"the checkpoint of step {self._saving} could not be saved in {self._folder}: "
                f"{cause}{advice(error, self._folder)}. There are whole checkpoints of these "
                f"steps: {', '.join(map(str, kept)) or 'none'}"
            ) from error


class _Keep:
    """Orbax's preservation policy: the latest few, and the best of the validated ones."""

    def __init__(self, run: Checkpoints):
        self._run = run

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> Sequence[bool]:
        steps = [checkpoint.step for checkpoint in checkpoints]
        kept = {*sorted(steps)[-self._run._keep :], best_step(steps, self._run.top1)}
        return [step in kept for step in steps]


def _abstract(array: Any, placement: Any = None) -> jax.ShapeDtypeStruct:
    """Shape, dtype and sharding of an array; `placement` where it has no sharding."""
    sharding = getattr(array, "sharding", None) or placement
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=sharding)


def find_checkpoint(workdir: str | Path, which: str = "latest") -> Path:
    """The folder of a run's checkpoint: 'latest', 'best' (validation top-1), or a step.

    Raises:
      CheckpointError: there is none; names those there are.
    """
    folder = expand(workdir).absolute() / FOLDER
    if not folder.is_dir():
        raise CheckpointError(f"{folder} does not exist; `posec3d train --workdir={workdir}` first")
    found = finished_steps(folder)
    if not found:
        raise CheckpointError(f"{folder} holds no finished checkpoint")
    best = best_step(found, validation_top1(workdir))
    if which == "best" and best is None:
        raise CheckpointError(
            f"{folder} has no validated checkpoint, so none is best; use 'latest'"
        )
    step = {"best": best, "latest": found[-1]}.get(which)
    if which not in ("best", "latest"):
        step = int(which) if which.isdigit() else -1
    if step not in found:
        raise CheckpointError(
            f"no checkpoint {which!r} in {folder}; there are 'latest', 'best' and {found}"
        )
    return folder / str(step)


def save_model(folder: str | Path, variables: Tree, step: int = 0) -> None:
    """Writes variables {'params', 'batch_stats'} as a run's only checkpoint below `folder`."""
    folder = Path(folder).absolute() / FOLDER
    make_writable(folder)
    with plain_name(folder) as plain, ocp.training.Checkpointer(plain) as checkpointer:
        checkpointer.save_checkpointables(step, {"model": variables}, force=True, overwrite=True)
    check_saved(folder / str(step) / "model", checksums_of(variables))
    seal(folder / str(step), {})


def load_model(checkpoint: str | Path, like: Tree) -> Tree:
    """The variables of a checkpoint folder, with the shapes and shardings of `like`.

    Raises:
      CheckpointError: a leaf is missing or has another shape; names it, with both shapes. Or the
        folder is damaged or none of ours.
    """
    folder = _whole(checkpoint)
    with _reading(folder):
        stored = stored_arrays(folder / "model")
    for path, leaf in _leaves(like):
        name = _name(path)
        if name not in stored or stored[name][0] != leaf.shape:
            found = f"has shape {stored[name][0]}" if name in stored else "is missing"
            raise CheckpointError(
                f"{checkpoint}: {jax.tree_util.keystr(path)} {found}; the config's network expects "
                f"{leaf.shape}. Evaluate with the config the checkpoint was trained with"
            )
    return _load(folder, like)


def load_raw_model(checkpoint: str | Path) -> Tree:
    """The variables of a checkpoint folder as stored, on every device, wherever they were saved.

    Raises:
      CheckpointError: the folder is damaged, none of ours, or claims to hold far more than it does.
    """
    folder = _whole(checkpoint)
    with _reading(folder):
        stored, tree = stored_arrays(folder / "model"), {}
        for name, (shape, kind) in stored.items():
            *parents, last = name.split(".")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {})
            node[last] = jax.ShapeDtypeStruct(shape, kind)
        claimed = sum(leaf.dtype.itemsize * leaf.size for leaf in jax.tree.leaves(tree))
        room = _SMALL + _MOST_PACKED * payload_size(folder)
        if claimed > room:
            raise ForgedError(f"its arrays claim {claimed:,} bytes; at most {room:,} fit its files")
    return _load(folder, tree)


def _whole(checkpoint: str | Path) -> Path:
    """A checkpoint's folder, if nothing is wrong with its files."""
    folder = Path(checkpoint).absolute()
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a checkpoint folder")
    if damage := damage_of(folder):
        raise CheckpointError(
            f"the checkpoint {folder} is damaged: {damage}; name another one with --checkpoint"
        )
    return folder


def _load(folder: Path, like: Tree) -> Tree:
    """The leaves of `like` of a checkpoint's variables; its others are left out."""
    placement = replicated(make_mesh())
    wanted = jax.tree.map(lambda leaf: _abstract(leaf, placement), like)
    context = ocp.Context()
    context.pytree_options.loading.partial_load = True
    with _reading(folder), context, plain_name(folder) as plain:
        return ocp.load_checkpointables(plain, {"model": wanted})["model"]


def _check_arrays(part: Path, wanted: Tree) -> None:
    """Raises ForgedError where an array that will be read is not what it should be."""
    stored = stored_arrays(part)
    for path, leaf in _leaves(wanted):
        shape = stored.get(_name(path), ("none",))[0]
        if shape != leaf.shape:
            raise ForgedError(f"the shape of {_name(path)} is {shape}; expected {leaf.shape}")


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Turns what any library raises about a file that is damaged or forged into one kind of error.

    The libraries wrap the cause in errors of their own; the first one says what is wrong.
    """
    try:
        yield
    except Exception as error:
        first: BaseException = error
        while not isinstance(first, ForgedError) and (first.__cause__ or first.__context__):
            first = first.__cause__ or first.__context__
        lines = [line.strip() for line in str(first).splitlines() if line.strip()]
        cause = lines[0][:500] if lines else type(first).__name__
        raise CheckpointError(
            f"the checkpoint {folder} cannot be read: {cause}. Take another one, or a new copy"
        ) from error


def _name(path: tuple[Any, ...]) -> str:
    """The name that Orbax stores a leaf under."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def _leaves(tree: Tree) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_flatten_with_path(tree)[0]
