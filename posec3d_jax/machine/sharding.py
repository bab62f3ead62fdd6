"""The device mesh, the two placements there are, and how host batches become global arrays."""

from collections.abc import Sequence

import jax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """These devices (all, of all processes, by default) along one axis, 'data'."""
    devices = jax.devices() if devices is None else devices
    return jax.make_mesh((len(devices),), ("data",), axis_types=(AxisType.Auto,), devices=devices)


def replicated(mesh: Mesh) -> NamedSharding:
    """Whole on every device: parameters, statistics, optimizer state, metrics."""
    return NamedSharding(mesh, P())


def by_clip(mesh: Mesh, axis: int = 0) -> NamedSharding:
    """Split along the first axis: batches, scores; along the second: batches in a stack."""
    return NamedSharding(mesh, P(*[None] * axis, "data"))


def check_batch_size(batch_size: int, mesh: Mesh, what: str) -> None:
    """Raises ValueError if the devices cannot share `batch_size` evenly."""
    if batch_size % mesh.size:
        raise ValueError(
            f"{what} is {batch_size}, which {mesh.size} devices cannot share evenly; "
            f"expected a multiple of {mesh.size}"
        )
