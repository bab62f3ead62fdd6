"""A data set's keypoints on the devices: put there once, read by the rows that the host names."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from posec3d_jax.encoders import Batch

Pack = Mapping[str, jax.Array]  # keypoint [R, V, 2] and score [R, V]; nothing if not resident


def with_pack(train_step: Callable) -> Callable:
    """`train_step` with one more argument, a pack: where there is one, batches are read from it."""

    def step(state: Any, batch: Batch, key: jax.Array, pack: Pack):
        return train_step(state, read(pack, batch) if pack else batch, key)

    return step


def read(pack: Pack, batch: Batch) -> Batch:
    """The batch with 'keypoint' float32 [B, M, T, V, 2] and 'score' float32 [B, M, T, V].

    See `data.feed.pipeline` for its 'rows' [B, M, T]; the host has made sure that they exist.
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
