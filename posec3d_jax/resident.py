"""A data set's keypoints on the devices: put there once, read by the rows that the host names."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from posec3d_jax.data.packs import PackSource, compact
from posec3d_jax.data.sources import Source
from posec3d_jax.encoders import Batch
from posec3d_jax.sharding import replicated

Pack = Mapping[str, jax.Array]  # keypoint [R, V, 2] and score [R, V]; nothing if not resident


def place(config_data, source: Source, mesh: Mesh) -> tuple[Source, Pack]:
    """With `data.resident` the clips as a compact pack, and its arrays whole on every device.

    Raises:
      ValueError: the clips are streamed from disk, or there is no room for them.
    """
    if not config_data.resident:
        return source, {}
    if not isinstance(source, PackSource):
        raise ValueError(
            "config.data.resident: these clips are streamed from disk; expected "
            "config.data.in_memory True, or config.data.storage 'pack'"
        )
    source = compact(source)
    arrays = {"keypoint": source.keypoint, "score": source.score}
    _check_room(arrays, mesh)
    sharding = replicated(mesh)
    return source, {
        name: jax.make_array_from_callback(array.shape, sharding, lambda part, a=array: a[part])
        for name, array in arrays.items()
    }


def _check_room(arrays: Mapping[str, np.ndarray], mesh: Mesh) -> None:
    rows, size = len(arrays["score"]), sum(array.nbytes for array in arrays.values())
    if rows >= 2**31:
        raise ValueError(f"config.data.resident: {rows} frames x persons; expected below 2**31")
    for device in mesh.local_devices:
        facts = device.memory_stats() or {}  # a CPU has none
        free = facts.get("bytes_limit", np.inf) - facts.get("bytes_in_use", 0)
        if size > free / 2:
            raise ValueError(
                f"config.data.resident: the training split takes {size / 1e9:.1f} GB on every "
                f"device; {device} has {free / 1e9:.1f} GB left, of which the network needs half. "
                "Set config.data.resident to False"
            )


def reading(train_step: Callable) -> Callable:
    """`train_step` with one more argument, a pack: where there is one, batches are read from it."""

    def step(state: Any, batch: Batch, key: jax.Array, pack: Pack):
        return train_step(state, read(pack, batch) if pack else batch, key)

    return step


def read(pack: Pack, batch: Batch) -> Batch:
    """The batch with 'keypoint' float32 [B, M, T, V, 2] and 'score' float32 [B, M, T, V].

    See `data.pipeline` for its 'rows' [B, M, T]; the host has made sure that they exist.
    """
    rest = {name: values for name, values in batch.items() if name != "rows"}
    ended = batch["rows"] < 0
    rows = jnp.where(ended, ~batch["rows"], batch["rows"])
    keypoint, score = (
        pack[name].at[rows].get(mode="promise_in_bounds").astype(jnp.float32)
        for name in ("keypoint", "score")
    )
    keypoint = jnp.where(ended[..., None, None], jnp.nan, keypoint)
    # Merged with what follows it would be summed in another order: the same numbers, rounded anew.
    return jax.lax.optimization_barrier(rest | {"keypoint": keypoint, "score": score})
