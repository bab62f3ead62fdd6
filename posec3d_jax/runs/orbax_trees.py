"""Trees of arrays in a folder, by Orbax; the only file that knows it.

A folder has one part for each tree: 'model', and of a training 'training'.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import jax
from orbax.checkpoint import v1 as ocp

from posec3d_jax.files.places import plain_name
from posec3d_jax.machine.sharding import make_mesh, replicated
from posec3d_jax.runs.vetting import ForgedError, stored_arrays

_TEMPORARY = "*.orbax-checkpoint-tmp*"
Tree = Any


class CheckpointError(ValueError):
    """No such checkpoint, a damaged one, or one that does not fit the config."""


def write(folder: Path, parts: Mapping[str, Tree]) -> Callable[[], None]:
    """Writes in the background; returns once the arrays are copied, so they may be donated.

    Returns:
      A function to call, once, which waits until all is on disk, and raises what went wrong.
    """
    links = ExitStack()
    plain = links.enter_context(plain_name(folder.parent)) / folder.name
    context = ocp.Context()
    # Dividing the writing among replicas slices every array, which pays between hosts only.
    context.array_options.saving.use_replica_parallel = jax.process_count() > 1
    try:
        with context:
            pending = ocp.save_checkpointables_async(plain, dict(parts), overwrite=True)
    except BaseException:
        links.close()
        raise

    def wait() -> None:
        with links:
            pending.result()

    return wait


def read(folder: Path, wanted: Mapping[str, Tree]) -> dict[str, Tree]:
    """The parts of a checkpoint, with the shapes, dtypes and shardings of `wanted`.

    Raises:
      CheckpointError: it cannot be read, or holds other arrays.
    """
    with errors_named(folder):
        for part, arrays in wanted.items():
            check_arrays(folder / part, arrays)
        with plain_name(folder) as plain:
            return ocp.load_checkpointables(plain, dict(wanted))


def read_model(folder: Path, like: Tree) -> Tree:
    """The leaves of `like` of a checkpoint's variables; its others are left out."""
    placement = replicated(make_mesh())
    wanted = jax.tree.map(lambda leaf: abstract(leaf, placement), like)
    context = ocp.Context()
    context.pytree_options.loading.partial_load = True
    with errors_named(folder), context, plain_name(folder) as plain:
        return ocp.load_checkpointables(plain, {"model": wanted})["model"]


def remove_temporary(folder: Path) -> None:
    """Deletes what an interrupted save of Orbax's has left."""
    for path in folder.glob(_TEMPORARY):
        shutil.rmtree(path, ignore_errors=True)


def abstract(array: Any, placement: Any = None) -> jax.ShapeDtypeStruct:
    """Shape, dtype and sharding of an array; `placement` where it has no sharding."""
    sharding = getattr(array, "sharding", None) or placement
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=sharding)


def check_arrays(part: Path, wanted: Tree) -> None:
    """Raises ForgedError where an array that will be read is not what it should be."""
    stored = stored_arrays(part)
    for path, leaf in leaves(wanted):
        shape = stored.get(name_of(path), ("none",))[0]
        if shape != leaf.shape:
            raise ForgedError(f"the shape of {name_of(path)} is {shape}; expected {leaf.shape}")


@contextmanager
def errors_named(folder: Path) -> Iterator[None]:
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


def name_of(path: tuple[Any, ...]) -> str:
    """The name that Orbax stores a leaf under."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def leaves(tree: Tree) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_flatten_with_path(tree)[0]
