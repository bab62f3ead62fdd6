"""Two trained pathways become the start of the network that joins them (the published recipe)."""

from typing import Any

import jax
import jax.numpy as jnp
from flax.traverse_util import flatten_dict, unflatten_dict

from posec3d_jax.runs.initialize import stored_model
from posec3d_jax.steps.state import TrainState

Tree = Any


def start_merged(rgb: str, pose: str, state: TrainState) -> TrainState:
    """`state` of a `RGBPose` with the pathways of two runs, directories or checkpoint folders.

    Raises ValueError as `merge_pathways`, or where one of the two is a file.
    """
    fresh = {"params": state.params, "batch_stats": state.batch_stats}
    stored = (stored_model(rgb, "init_from"), stored_model(pose, "init_pose_from"))
    merged = merge_pathways(*stored, fresh)
    merged = jax.tree.map(lambda new, old: jax.device_put(new, old.sharding), merged, fresh)
    return state.replace(params=merged["params"], batch_stats=merged["batch_stats"])


def merge_pathways(rgb: Tree, pose: Tree, fused: Tree) -> Tree:
    """`fused`'s variables with both pathways and heads taken from networks of one modality.

    Kernels that read laterals as well get zeros for these channels, which are their last; so the
    network starts as the two apart do, whatever its laterals, which stay as they are.

    Args:
      rgb: {'params', 'batch_stats'} of a `SlowOnlyRGB`.
      pose: the same of a `SlowOnly` with temporal strides of 1.
      fused: the same of a `RGBPose`, fresh.

    Raises:
      ValueError: a leaf is missing, or its shape is not that of the fused network's; names it.
    """
    given = {"rgb": flatten_dict(rgb), "pose": flatten_dict(pose)}
    merged = {}
    for path, leaf in flatten_dict(fused).items():
        source = _source(path)
        merged[path] = leaf if source is None else _fitted(path, leaf, *source, given)
    return unflatten_dict(merged)


def is_lateral(name: str) -> bool:
    """Whether a tensor of that reference name belongs to a lateral connection."""
    return "_lateral." in name


def without_laterals(variables: Tree) -> Tree:
    """Variables, or their shapes, of a network without what joins its pathways."""
    kept = {
        path: leaf
        for path, leaf in flatten_dict(variables).items()
        if not any(module.endswith("_lateral") for module in path)
    }
    return unflatten_dict(kept)


def _source(path: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """Of which network a leaf of the fused one is, and where; None for laterals."""
    kind, module, layer, *rest = path
    if layer.endswith("_lateral"):
        return None
    if module == "head":
        return layer.removeprefix("fc_"), (kind, module, "fc_cls", *rest)
    return module.removesuffix("_path"), (kind, layer, *rest)


def _fitted(path, leaf, name: str, place: tuple[str, ...], given: dict[str, dict]):
    """The leaf of the single network, with zeros behind its input channels where it has fewer."""
    found = given[name].get(place)
    if found is not None and found.ndim == leaf.ndim and place[-1] == "kernel" and leaf.ndim > 2:
        missing = max(leaf.shape[-2] - found.shape[-2], 0)
        found = jnp.pad(found, [(0, 0)] * (found.ndim - 2) + [(0, missing), (0, 0)])
    if found is None or found.shape != leaf.shape:
        shape = "absent" if found is None else found.shape
        raise ValueError(
            f"{'/'.join(path)} has shape {leaf.shape}; {'/'.join(place)} of the {name} network is "
            f"{shape}"
        )
    return found
