"""What makes a run the run it is: config, data and code. A checkpoint holds it; resuming compares.

Only keys that change no number of the training may differ between two parts of one run.
"""

import hashlib
import importlib.metadata
from pathlib import Path
from typing import Any

import jax
from absl import logging

from posec3d_jax import provenance
from posec3d_jax.data.provenance import clips_fingerprint
from posec3d_jax.data.sources import Source

# Where things are, how they are read, what is shown: batches and updates do not depend on it.
_FREE = (
    *("name", "evaluate"),
    *("data.source", "data.dir", "data.storage", "data.in_memory", "data.loader"),
    *("data.resident", "train.steps_per_dispatch", "train.remat"),
    *("data.class_names", "data.val_split", "data.test_split", "noise.in_test", "noise.seed"),
    *("train.log_every", "train.validate_every", "train.checkpoint_every"),
    *("train.keep_checkpoints", "train.stall_minutes"),
)
# The code that decides the numbers of a training step.
_DECIDES = (
    *("train.py", "plan.py", "dispatch.py", "resident.py", "recognizer.py", "optimizer.py"),
    *("sharding.py", "encoders", "strokes.py"),
    *("geometry.py", "heatmaps.py", "noise.py", "skeletons.py", "layouts.py", "models"),
    *("data/order.py", "data/sampling.py", "data/pipeline.py", "data/clips.py"),
    *("data/packs.py", "data/selection.py", "data/sources.py"),
)


class IdentityError(ValueError):
    """The directory holds another run; the message lists the differences."""


def identify(config, source: Source) -> dict[str, Any]:
    """The facts a checkpoint keeps of its run, as plain JSON-able data."""
    return {
        "config": provenance.config_to_dict(config),
        "seed": config.seed,
        "data": clips_fingerprint(source),
        "code": code_version(),
        "versions": provenance.versions(),
        "hardware": provenance.hardware(),
    }


def code_version() -> str:
    """The package's version, and a hash of the files that decide the numbers of a step."""
    package, digest = Path(__file__).parent, hashlib.sha256()
    for name in _DECIDES:
        path = package / name
        for file in [path] if path.suffix else sorted(path.rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    try:
        version = importlib.metadata.version("posec3d-jax")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return f"{version}, sources {digest.hexdigest()[:12]}"


def check_same(before: dict[str, Any], now: dict[str, Any], workdir: Path, anyway: bool) -> None:
    """Holds the facts of a checkpoint against those of the run that would go on from it.

    Other libraries or devices are only logged: the run goes on, but equal to the bit no longer.

    Args:
      before: the facts in the checkpoint; a run of before there were any has only 'config'.
      now: those of this run.
      workdir: for the message.
      anyway: log differences instead of refusing them.

    Raises:
      IdentityError: another config, data set or code.
    """
    found = differences(before, now)
    if found and not anyway:
        listed = "\n  ".join(found)
        raise IdentityError(
            f"{workdir} holds a run with other settings:\n  {listed}\nGive it those it was started "
            "with, use another --workdir, or go on regardless with --resume_anyway"
        )
    for line in found:
        logging.warning("--resume_anyway: %s", line)
    for key in ("versions", "hardware"):
        for name, value in before.get(key, {}).items():
            if now[key].get(name) != value:
                logging.warning(
                    "resuming with other %s: %s was %s, now %s; numbers may differ by rounding",
                    *(key, name, value, now[key].get(name)),
                )


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """One line for each fact that differs and decides the training."""
    old, new = _flat(provenance.with_later_keys(before["config"])), _flat(now["config"])
    lines = [
        f"config.{key}: {old.get(key, 'absent')}, now {new.get(key, 'absent')}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and not _free(key)
    ]
    for key, meaning in (("data", "fingerprint of the training clips"), ("code", "code")):
        if key in before and before[key] != now[key]:
            lines.append(f"{meaning}: {before[key]}, now {now[key]}")
    return lines


def _free(key: str) -> bool:
    return any(key == name or key.startswith(name + ".") for name in _FREE)


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    """Dotted keys to values; a list is a value."""
    pairs = jax.tree_util.tree_leaves_with_path(config, is_leaf=lambda v: not isinstance(v, dict))
    return {".".join(str(part.key) for part in path): value for path, value in pairs}
