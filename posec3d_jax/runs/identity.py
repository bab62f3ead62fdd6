"""What makes a run the run it is: config, data and code. A checkpoint holds it; resuming compares.

Only keys that change no number of the training may differ between two parts of one run.
"""

import ast
import functools
import hashlib
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import logging

from posec3d_jax.config import stored
from posec3d_jax.config.keys.key import BOTH, TRAINING
from posec3d_jax.data.stored.fingerprint import clips_fingerprint
from posec3d_jax.data.stored.sources import Source
from posec3d_jax.runs import records

# The code that decides the numbers of a training step: files, and folders with all in them.
_DECIDES = (
    *("train.py", "encoders", "kernels", "networks", "steps", "machine/sharding.py"),
    *(
        "skeletons/skeleton.py",
        "skeletons/layouts.py",
        "skeletons/planes.py",
        "skeletons/needs.py",
        "data/feed",
        "runs/feeding.py",
    ),
    *("runs/plan.py", "data/stored/clips.py", "data/stored/packs.py"),
    *("data/stored/selection.py", "data/stored/sources.py"),
)
# Sources that were written otherwise and give the same numbers to the bit, by the sources for which
# that was tried: a run of either goes on with the other. Any later change ends the equality.
_SAME_NUMBERS: dict[str, tuple[str, ...]] = {
    "0.1.0, sources 7da43b517c62": (
        "0.1.0, sources 337b4cd47fc9",
        "0.1.0, sources da9f55eef929",
        "0.1.0, sources 10b5860515e8",
    ),
}


class IdentityError(ValueError):
    """The directory holds another run; the message lists the differences."""


def identify(config, source: Source, pictures: Any = None) -> dict[str, Any]:
    """The facts a checkpoint keeps of its run, as plain JSON-able data.

    `pictures` is what the network's RGB frames come from, None without such.
    """
    return {
        "config": stored.config_to_dict(config),
        "seed": config.seed,
        "data": clips_fingerprint(source),
        **({"frames": pictures.origin} if pictures is not None else {}),
        "code": code_version(),
        "versions": records.versions(),
        "hardware": records.hardware(),
    }


@functools.cache  # the code of a process stays what it was
def code_version() -> str:
    """The package's version, and a hash of the code that decides the numbers of a step."""
    try:
        version = importlib.metadata.version("posec3d-jax")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return f"{version}, sources {code_hash(Path(__file__).parents[1], _DECIDES)}"


def code_hash(package: Path, names: Sequence[str]) -> str:
    """12 hex digits for what the code of these files and folders of a package does.

    Statements at the top of a file count, whatever file they are in and in whatever order; imports,
    comments, docstrings and layout do not. So code that is only moved or described keeps its hash.

    Raises:
      FileNotFoundError: there is no such file or folder.
    """
    statements = []
    for name in names:
        path = package / name
        if not path.exists():
            raise FileNotFoundError(f"{path} is named as deciding a run's numbers, but is absent")
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            nodes = ast.parse(file.read_text("utf-8")).body
            for node in (node for node in nodes if not _is_idle(node)):
                statements.append(hashlib.sha256(repr(_essence(node)).encode()).hexdigest())
    return hashlib.sha256("".join(sorted(statements)).encode()).hexdigest()[:12]


def _essence(node: Any) -> Any:
    """A syntax tree as nested tuples, without docstrings, imports, and what is empty.

    Empty fields are left out since each Python version adds some.
    """
    if isinstance(node, list):
        return tuple(_essence(item) for item in node if not _is_idle(item))
    if not isinstance(node, ast.AST):
        return node
    fields = ((name, _essence(value)) for name, value in ast.iter_fields(node))
    return (type(node).__name__, *(pair for pair in fields if pair[1] not in (None, ())))


def _is_idle(node: Any) -> bool:
    """Whether a statement does nothing by itself: a docstring, an import."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, ast.Import | ast.ImportFrom)


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
    lines = [
        f"config.{key}: {old}, now {new}"
        for key, (old, new) in stored.differing(
            stored.with_later_keys(before["config"]), now["config"], (TRAINING, BOTH)
        ).items()
    ]
    meanings = {"data": "fingerprint of the training clips", "frames": "RGB frames", "code": "code"}
    for key, meaning in meanings.items():
        same = (now.get(key), *_SAME_NUMBERS.get(now.get(key), ()))
        if key in before and before[key] not in same:
            lines.append(f"{meaning}: {before[key]}, now {now.get(key)}")
    return lines
