"""`posec3d import-weights`: a published checkpoint becomes a run's directory of ours."""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from posec3d_jax.config import stored
from posec3d_jax.files import disk
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.places import expand
from posec3d_jax.files.tables import shape_text
from posec3d_jax.runs import records
from posec3d_jax.runs.checkpoints import FOLDER, save_model
from posec3d_jax.runs.claim import claim
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.checkpoint_file import CheckpointFile, read_checkpoint
from posec3d_jax.weights.hints import HEAD, NETWORK, hint, reference_shape
from posec3d_jax.weights.merging import is_lateral, without_laterals
from posec3d_jax.weights.names import COUNTER, counters, from_reference, leaves
from posec3d_jax.weights.report import Report, Row

IMPORT_FILE = "import.json"
STAGING = ".importing"
_HEADLESS = (
    "the file has no head (cls_head): nothing can be recognised with it, but config.init_from "
    "takes it, and the head starts fresh"
)
_APART = (
    "the file has no laterals, as of two networks that were merged: here they are as a training "
    "would start with them. Nothing that the network says depends on them yet"
)
# What the references call the streams of graph networks.
_FEATURES = {"j": "joint", "b": "bone", "jm": "joint_motion", "bm": "bone_motion"}


def import_weights(path: str | Path, config, out: str | Path) -> Report:
    """Writes the weights of a PYSKL or mmaction2 checkpoint as the run directory `out`.

    `out` gets checkpoints/0, config.json and import.json; `evaluate` and `predict` take it as
    --workdir, and `train` as config.init_from. No PyTorch is needed and nothing of the file
    is executed.

    Args:
      path: a .pth (either format) or .safetensors file.
      config: the config of the network, as it was trained. Classes, width and blocks show in the
        tensors' shapes; the stream, temporal strides and swish do not: take them from its recipe.
      out: a directory without checkpoints.

    Returns:
      What was mapped, converted and left over; `str()` of it is the table to print.

    Raises:
      FileNotFoundError, ValueError: the file cannot be read, or does not fit the config (names
        every tensor that differs, with both shapes), or `out` holds checkpoints already.
      LockedError, DiskError: another process is at `out`, or nothing can be written there.
    """
    path, out = expand(path), local_folder(out)
    with claim(out, own=(FOLDER, stored.CONFIG_FILE, IMPORT_FILE)):
        return _import(path, config, out)


def _import(path: Path, config, out: Path) -> Report:
    if (out / FOLDER).exists():
        raise ValueError(f"{out} holds checkpoints already; choose another --out")
    file = read_checkpoint(path)
    recognizer = make_recognizer(config)
    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    headless = not any(name.startswith(HEAD) for name in file.tensors)
    if headless:  # a backbone, to start from
        like = {part: {k: v for k, v in tree.items() if k != "head"} for part, tree in like.items()}
    apart = not any(map(is_lateral, file.tensors)) and any(map(is_lateral, leaves(like)))
    wanted = without_laterals(like) if apart else like
    _check_fit(path, file.tensors, leaves(wanted), config)
    variables, rows = convert(file.tensors, wanted)
    if apart:
        start = flatten_dict(jax.jit(recognizer.init)(jax.random.key(config.seed)))
        given = flatten_dict(variables)
        variables = unflatten_dict({k: given.get(k, start[k]) for k in flatten_dict(like)})
    report = Report(
        title=f"{path} ({file.format}) -> {out}, network {config.model.name}",
        rows=rows,
        left_over=_left_over(file.tensors, rows),
        notes=[_HEADLESS] * headless + [_APART] * apart + _notes(file, config),
    )
    staging = out / STAGING
    shutil.rmtree(staging, ignore_errors=True)  # what an interrupted import left
    try:
        save_model(staging, variables)
        disk.write_json(out / stored.CONFIG_FILE, stored.config_to_dict(config))
        disk.write_json(out / IMPORT_FILE, _record(path, file, report))
        (staging / FOLDER).rename(out / FOLDER)  # last: where it is, all is whole
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return report


def convert(tensors: Mapping[str, np.ndarray], like: Any) -> tuple[Any, list[Row]]:
    """Tensors by reference name to variables shaped as `like` {'params', 'batch_stats'}, float32.

    Raises:
      ValueError: a tensor is not of finite floating point numbers, or exceeds float32; names it.
    """
    found, rows = {}, []
    for name, (target, _) in leaves(like).items():
        source = tensors[name]
        if not jnp.issubdtype(source.dtype, jnp.floating):
            raise ValueError(f"{name} has dtype {source.dtype}; expected floating point numbers")
        array = np.ascontiguousarray(from_reference(source, name), np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite float32 numbers")
        found[target] = array
        rows.append(Row(name, source.shape, source.dtype.name, "/".join(target[1:]), array.shape))
    return unflatten_dict(found), rows


def _check_fit(path: Path, tensors: Mapping[str, np.ndarray], wanted: Mapping, config) -> None:
    """ValueError with every tensor that is of another shape, missing, or too many."""
    shapes = {name: array.shape for name, array in tensors.items()}
    expected = {name: reference_shape(leaf.shape, name) for name, (_, leaf) in wanted.items()}
    known = {*expected, *counters(expected)}
    faults = (
        [
            f"{name}: {shape_text(shapes[name])} in the file; the network has {shape_text(shape)}"
            for name, shape in expected.items()
            if shapes.get(name, shape) != shape
        ],
        [
            f"{name}: not in the file; the network has {shape_text(shape)}"
            for name, shape in expected.items()
            if name not in shapes
        ],
        [
            f"{name}: {shape_text(shape)} in the file; the network has no such tensor"
            for name, shape in shapes.items()
            if name.startswith(NETWORK) and name not in known
        ],
    )
    if any(faults):
        lines = [f"{path} does not fit config.model and config.data:"]
        for group in faults:
            lines += group[:10] + [f"... and {len(group) - 10} more like this"] * (len(group) > 10)
        raise ValueError("\n  ".join(lines) + hint(tensors, config))


def _left_over(tensors: Mapping[str, np.ndarray], rows: list[Row]) -> dict[str, str]:
    used = {row.name for row in rows}
    left = [name for name in tensors if name not in used]
    counts = [name for name in left if name.endswith(COUNTER)]
    rest = {name: "no part of the network" for name in left if name not in counts}
    if counts:
        rest[f"*.{COUNTER} ({len(counts)})"] = f"kept in {IMPORT_FILE}, for export-weights"
    return rest


def _notes(file: CheckpointFile, config) -> list[str]:
    """What the shapes cannot tell: whether the config's stream is the one the network was shown."""
    text = " ".join(v for v in file.notes.values() if isinstance(v, str))
    limbs = set(re.findall(r"with_limb['\"]?\s*[=:]\s*(True|False)", text))
    notes = []
    if len(limbs) == 1 and (limbs == {"True"}) != config.volume.limbs:
        drawn, here = ("limbs", "joints") if limbs == {"True"} else ("joints", "limbs")
        notes.append(
            f"the file's own config draws {drawn}, this config {here}: check the variant (for "
            "NTU120's joint.pth: joint_as_published)"
        )
    features = set(re.findall(r"feats['\"]?\s*[=:]\s*\[['\"](\w+)['\"]\]", text)) & set(_FEATURES)
    if len(features) == 1 and (stream := _FEATURES[features.pop()]) != config.graph.stream:
        notes.append(
            f"the file's own config shows the network {stream}, this config {config.graph.stream}: "
            "check config.graph.stream"
        )
    return notes


def _record(path: Path, file: CheckpointFile, report: Report) -> dict[str, Any]:
    counts = {n: int(a) for n, a in file.tensors.items() if n.endswith(COUNTER)}
    short = {k: v for k, v in file.notes.items() if not isinstance(v, str) or len(v) < 200}
    return {
        "source": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "format": file.format,
        "notes": short,
        "mapped": len(report.rows),
        "left_over": report.left_over,
        COUNTER: counts,
        "command": records.command(),
        "versions": records.versions(),
    }
