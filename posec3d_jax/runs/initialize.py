"""Starting from another run's weights: every leaf that fits is taken, the rest are named."""

from typing import Any

import jax
from absl import logging

from posec3d_jax.files.buckets import local_folder
from posec3d_jax.runs.checkpoints import FOLDER, find_checkpoint, how_to_import, load_raw_model
from posec3d_jax.steps.state import TrainState

Tree = Any


def start_from(source: str, state: TrainState) -> TrainState:
    """`state` with the weights of a run's directory (its latest checkpoint) or checkpoint folder.

    Leaves whose shape differs (a head for other classes, a stem for other joints) or that are
    absent keep their fresh values; the log names each.

    Raises:
      ValueError: it is a file; says how to make a run of it. Or nothing of it fits.
    """
    model = {"params": state.params, "batch_stats": state.batch_stats}
    merged, skipped = merge(model, stored_model(source, "init_from"))
    for line in skipped:
        logging.info("init_from: not loaded: %s", line)
    logging.info("init_from %s: %d leaves not loaded", source, len(skipped))
    return state.replace(params=merged["params"], batch_stats=merged["batch_stats"])


def stored_model(source: str, key: str) -> Tree:
    """The weights of a run's directory (its latest checkpoint) or of a checkpoint's folder.

    Raises ValueError for a file, in words about `config.<key>`: how to make a run of it.
    """
    place = local_folder(source)
    if place.is_file():
        raise ValueError(f"config.{key} is {source}, {how_to_import(place)}, and {key}=DIR")
    return load_raw_model(find_checkpoint(place) if (place / FOLDER).is_dir() else place)


def merge(fresh: Tree, stored: Tree) -> tuple[Tree, list[str]]:
    """`fresh` with all leaves of `stored` of the same name and shape; and the names of the rest.

    Raises:
      ValueError: nothing fits, so the weights are of another network.
    """
    have = {jax.tree_util.keystr(p): a for p, a in jax.tree_util.tree_leaves_with_path(stored)}
    skipped = []

    def pick(path, leaf):
        name = jax.tree_util.keystr(path)
        if name in have and have[name].shape == leaf.shape:
            return jax.device_put(have[name], leaf.sharding)
        found = f"its shape is {have[name].shape}" if name in have else "it is absent"
        skipped.append(f"{name} {leaf.shape}: {found} in the checkpoint")
        return leaf

    merged = jax.tree_util.tree_map_with_path(pick, fresh)
    if len(skipped) == len(jax.tree.leaves(fresh)):
        raise ValueError("config.init_from: no leaf of that checkpoint fits this network")
    return merged, skipped
