"""What feeds the training step: batches in stacks, placed on the devices, or resident."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import jax
import numpy as np
from jax.sharding import Mesh

from posec3d_jax.data.feed.gathering import Pictures
from posec3d_jax.data.feed.pipeline import train_batches
from posec3d_jax.data.stored.packs import PackSource, compact
from posec3d_jax.data.stored.sources import Source
from posec3d_jax.encoders import Batch
from posec3d_jax.machine.sharding import by_clip, replicated
from posec3d_jax.runs.plan import Plan
from posec3d_jax.skeletons.needs import AllNeeds
from posec3d_jax.steps.resident import Pack


def training_batches(
    config,
    source: Source,
    plan: Plan,
    start: int,
    needs: AllNeeds,
    pictures: Pictures | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """This process's training batches, only with what the step reads, stacked for each call."""
    batches = train_batches(
        source,
        sampling=config.sampling,
        needs=needs,
        seed=config.seed,
        batch_size=config.train.batch_size,
        start_step=start,
        num_steps=plan.total - start,
        repeat=config.data.repeat,
        class_weights=tuple(config.data.class_weights),
        process_index=jax.process_index(),
        process_count=jax.process_count(),
        loader=config.data.loader,
        rows=config.data.resident,
        pictures=pictures,
    )
    wanted = ({k: v for k, v in batch.items() if k != "index"} for batch in batches)
    return in_stacks(wanted, plan.dispatches(start, config.train.steps_per_dispatch))


def in_stacks(batches: Iterator[Batch], sizes: Iterable[int]) -> Iterator[Batch]:
    """As many batches as the next size says, stacked on a new first axis; one stays as it is."""
    for size in sizes:
        parts = list(islice(batches, size))
        yield parts[0] if size == 1 else {k: np.stack([p[k] for p in parts]) for k in parts[0]}


def to_devices(
    batches: Iterator[Mapping[str, np.ndarray]], mesh: Mesh
) -> Iterator[dict[str, jax.Array]]:
    """This process's part of each batch, or stack of batches, as its shard of the global one."""
    for batch in batches:
        placement = by_clip(mesh, axis=batch["label"].ndim - 1)
        yield {
            name: jax.make_array_from_process_local_data(placement, array)
            for name, array in batch.items()
        }


def make_resident(config_data, source: Source, mesh: Mesh) -> tuple[Source, Pack]:
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
