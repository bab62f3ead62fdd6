"""Checkpoints on disk; the only file that knows Orbax.

A step's checkpoint holds two parts: 'model' (params and batch_stats, all that inference needs) and
'training' (step and optimizer state). The latest two are kept, and the best by validation top-1.
"""

from pathlib import Path
from typing import Any

import jax
from orbax.checkpoint import v1 as ocp

from posec3d_jax.recognizer import TrainState
from posec3d_jax.sharding import make_mesh, replicated

FOLDER = "checkpoints"
Tree = Any


class CheckpointError(ValueError):
    """No such checkpoint, or one that does not fit the config."""


class Checkpoints:
    """The checkpoints of one run: `with Checkpoints(workdir) as checkpoints: ...`."""

    def __init__(self, workdir: str | Path):
        keep = ocp.training.preservation_policies
        self._checkpointer = ocp.training.Checkpointer(
            Path(workdir).absolute() / FOLDER,
            preservation_policy=keep.AnyPreservationPolicy(
                [
                    keep.LatestN(2),
                    keep.BestN(get_metric_fn=_top1, n=1, keep_checkpoints_without_metrics=False),
                ]
            ),
        )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *exception) -> None:
        self._checkpointer.close()

    def save(self, state: TrainState, metrics: dict[str, float] | None = None) -> None:
        """Saves in the background; returns once the state is copied, so it may be donated."""
        step = int(state.step)
        if self.latest_step() == step:
            return
        parts = {
            "model": {"params": state.params, "batch_stats": state.batch_stats},
            "training": {"step": state.step, "opt_state": state.opt_state},
        }
        self._checkpointer.save_checkpointables_async(step, parts, force=True, metrics=metrics)

    def latest_step(self) -> int | None:
        """Step of the newest checkpoint; None where there is none."""
        latest = self._checkpointer.latest
        return None if latest is None else latest.step

    def restore(self, state: TrainState) -> TrainState:
        """The newest checkpoint in place of `state`, whose shapes and shardings it takes.

        Raises:
          CheckpointError: it holds weights alone, such as imported ones.
        """
        abstract = jax.tree.map(_abstract, state)
        wanted = {
            "model": {"params": abstract.params, "batch_stats": abstract.batch_stats},
            "training": {"step": abstract.step, "opt_state": abstract.opt_state},
        }
        folder = self._checkpointer.directory / str(self.latest_step())
        if "training" not in ocp.checkpointables_metadata(folder).metadata:
            raise CheckpointError(
                f"{folder} holds weights and no training state, so it cannot be resumed; set "
                "config.init_from to it and choose another --workdir"
            )
        parts = self._checkpointer.load_checkpointables(None, wanted)
        return TrainState(**parts["model"], **parts["training"])


def _top1(metrics: Any) -> float:
    return metrics["top1"]


def _abstract(array: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=array.sharding)


def find_checkpoint(workdir: str | Path, which: str = "latest") -> Path:
    """The folder of a run's checkpoint: 'latest', 'best' (validation top-1), or a step.

    Raises:
      CheckpointError: there is none; names those there are.
    """
    folder = Path(workdir).absolute() / FOLDER
    if not folder.is_dir():
        raise CheckpointError(f"{folder} does not exist; `posec3d train --workdir={workdir}` first")
    with ocp.training.Checkpointer(folder) as checkpointer:
        found = {item.step: item.metrics for item in checkpointer.checkpoints}
    if not found:
        raise CheckpointError(f"{folder} holds no finished checkpoint")
    scored = {step: _top1(metrics) for step, metrics in found.items() if metrics}
    if which == "best" and not scored:
        raise CheckpointError(
            f"{folder} has no validated checkpoint, so none is best; use 'latest'"
        )
    step = max(scored, key=scored.get) if which == "best" else max(found)
    if which not in ("best", "latest"):
        step = int(which) if which.isdigit() else -1
    if step not in found:
        raise CheckpointError(
            f"no checkpoint {which!r} in {folder}; there are 'latest', 'best' and {sorted(found)}"
        )
    return folder / str(step)


def save_model(folder: str | Path, variables: Tree, step: int = 0) -> None:
    """Writes variables {'params', 'batch_stats'} as a run's only checkpoint below `folder`."""
    with ocp.training.Checkpointer(Path(folder).absolute() / FOLDER) as checkpointer:
        checkpointer.save_checkpointables(step, {"model": variables}, force=True, overwrite=True)


def load_model(checkpoint: str | Path, like: Tree) -> Tree:
    """The variables of a checkpoint folder, with the shapes and shardings of `like`.

    Raises:
      CheckpointError: a leaf is missing or has another shape; names it, with both shapes.
    """
    stored = load_raw_model(checkpoint)
    have = {jax.tree_util.keystr(path): leaf for path, leaf in _leaves(stored)}
    for path, leaf in _leaves(like):
        name = jax.tree_util.keystr(path)
        if name not in have or have[name].shape != leaf.shape:
            found = f"has shape {have[name].shape}" if name in have else "is missing"
            raise CheckpointError(
                f"{checkpoint}: {name} {found}; the config's network expects {leaf.shape}. "
                "Evaluate with the config the checkpoint was trained with"
            )
    names = [jax.tree_util.keystr(path) for path, _ in _leaves(like)]
    leaves = [
        jax.device_put(have[name], leaf.sharding) if hasattr(leaf, "sharding") else have[name]
        for name, (_, leaf) in zip(names, _leaves(like), strict=True)
    ]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def load_raw_model(checkpoint: str | Path) -> Tree:
    """The variables of a checkpoint folder as stored, on every device, wherever they were saved."""
    folder = Path(checkpoint).absolute()
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a checkpoint folder")
    stored = ocp.checkpointables_metadata(folder).metadata["model"]
    placement = replicated(make_mesh())
    like = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=placement), stored
    )
    return ocp.load_checkpointables(folder, {"model": like})["model"]


def _leaves(tree: Tree) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_flatten_with_path(tree)[0]
