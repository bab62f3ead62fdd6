"""`posec3d export-weights`: a checkpoint of ours under the references' names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from posec3d_jax.files import disk
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.places import expand, make_writable
from posec3d_jax.files.safetensors import write_safetensors
from posec3d_jax.files.torch import write_torch
from posec3d_jax.runs.checkpoints import FOLDER, find_checkpoint, load_model
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.importing import IMPORT_FILE
from posec3d_jax.weights.names import COUNTER, counters, leaves, to_reference
from posec3d_jax.weights.report import Report, Row


def export_weights(
    source: str | Path, config, out: str | Path, *, checkpoint: str = "latest"
) -> Report:
    """Writes a checkpoint as PYSKL and mmaction2 name it, so that their strict loading takes it.

    Args:
      source: a run's directory, or one checkpoint's folder.
      config: the config it was trained with.
      out: a file ending in .safetensors, or in .pth for `torch.load`.
      checkpoint: which of a run's: 'latest', 'best', or a step.

    Returns:
      What was mapped; `str()` of it is the table to print.

    Raises:
      CheckpointError: no such checkpoint, or one that does not fit the config.
      ValueError: `out` has another ending, or exists.
    """
    source, out = local_folder(source), expand(out)
    if out.suffix not in (".safetensors", ".pth"):
        raise ValueError(f"--out is {out}; expected a name ending in .safetensors or .pth")
    if out.exists():
        raise ValueError(f"{out} exists; choose another --out")
    make_writable(out.parent)
    folder = find_checkpoint(source, checkpoint) if (source / FOLDER).is_dir() else source
    like = jax.eval_shape(make_recognizer(config).init, jax.random.key(0))
    tensors, rows = to_reference_tensors(load_model(folder, like), _counts(folder))
    with disk.replacing(out) as partial:  # so that nobody takes half of it for the whole
        if out.suffix == ".pth":
            write_torch(partial, tensors, root=out.stem)
        else:
            write_safetensors(partial, tensors, {"format": "pt", "source": "posec3d_jax"})
    return Report(title=f"{folder} -> {out}, network {config.model.name}", rows=rows)


def to_reference_tensors(
    variables: Any, counts: Mapping[str, int] | int
) -> tuple[dict[str, np.ndarray], list[Row]]:
    """Variables {'params', 'batch_stats'} as the references' state_dict.

    `counts` are the training steps of each BatchNorm by reference name, or one number for all.
    """
    tensors, rows = {}, []
    for name, (path, leaf) in leaves(variables).items():
        array = np.asarray(leaf, np.float32)
        tensors[name] = np.ascontiguousarray(to_reference(array, name))
        rows.append(Row(name, tensors[name].shape, "float32", "/".join(path[1:]), array.shape))
    for name in counters(tensors):
        count = counts if isinstance(counts, int) else counts.get(name, 0)
        tensors[name] = np.array(count, np.int64)
    return dict(sorted(tensors.items())), rows


def _counts(folder: Path) -> dict[str, int] | int:
    """Steps that the statistics have seen: what the imported file said, else our step number."""
    step = int(folder.name) if folder.name.isdigit() else 0
    record = disk.read_json(folder.parent.parent / IMPORT_FILE)
    return step or record.get(COUNTER, 0)
