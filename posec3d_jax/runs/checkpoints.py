"""Trained networks in the checkpoints of a run: found, loaded whole or by name, and written."""

from pathlib import Path

import jax

from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.disk import payload_size
from posec3d_jax.files.kinds import kind_of
from posec3d_jax.files.places import expand, make_writable
from posec3d_jax.runs.metric_writer import validation_top1
from posec3d_jax.runs.orbax_trees import (
    CheckpointError,
    Tree,
    errors_named,
    leaves,
    name_of,
    read_model,
    write,
)
from posec3d_jax.runs.sealing import (
    best_step,
    damage_of,
    finished_steps,
    seal,
)
from posec3d_jax.runs.verification import check_saved, checksums_of
from posec3d_jax.runs.vetting import ForgedError, stored_arrays

FOLDER = "checkpoints"
_SMALL, _MOST_PACKED = 1 << 24, 16  # bytes; and how often smaller weights may be when compressed


def find_checkpoint(workdir: str | Path, which: str = "latest") -> Path:
    """The folder of a run's checkpoint: 'latest', 'best' (validation top-1), or a step.

    Raises:
      CheckpointError: there is none; names those there are.
    """
    if expand(which).is_file():
        raise CheckpointError(
            f"--checkpoint is {which}, {how_to_import(expand(which))}, and --workdir=DIR"
        )
    folder = local_folder(workdir).absolute() / FOLDER
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


def how_to_import(file: Path) -> str:
    """What a file is that was given for a run, and how a run is made of it."""
    return (
        f"which is a file ({kind_of(file)}) and no run: make one of weights with `posec3d "
        f"import-weights {file} --config=CONFIG --out=DIR`"
    )


def save_model(folder: str | Path, variables: Tree, step: int = 0) -> None:
    """Writes variables {'params', 'batch_stats'} as a run's only checkpoint below `folder`."""
    folder = Path(folder).absolute() / FOLDER
    make_writable(folder)
    write(folder / str(step), {"model": variables})()
    check_saved(folder / str(step) / "model", checksums_of(variables))
    seal(folder / str(step), {})


def load_model(checkpoint: str | Path, like: Tree) -> Tree:
    """The variables of a checkpoint folder, with the shapes and shardings of `like`.

    Raises:
      CheckpointError: a leaf is missing or has another shape; names it, with both shapes. Or the
        folder is damaged or none of ours.
    """
    folder = _whole(checkpoint)
    with errors_named(folder):
        stored = stored_arrays(folder / "model")
    for path, leaf in leaves(like):
        name = name_of(path)
        if name not in stored or stored[name][0] != leaf.shape:
            found = f"has shape {stored[name][0]}" if name in stored else "is missing"
            raise CheckpointError(
                f"{checkpoint}: {jax.tree_util.keystr(path)} {found}; the config's network expects "
                f"{leaf.shape}. Evaluate with the config the checkpoint was trained with"
            )
    return read_model(folder, like)


def load_raw_model(checkpoint: str | Path) -> Tree:
    """The variables of a checkpoint folder as stored, on every device, wherever they were saved.

    Raises:
      CheckpointError: the folder is damaged, none of ours, or claims to hold far more than it does.
    """
    folder = _whole(checkpoint)
    with errors_named(folder):
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
    return read_model(folder, tree)


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
