"""The files of checkpoints: which there are, the best, the damaged; facts and checksums."""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import logging

from posec3d_jax.files.checksums import CHECKSUM_FILE, find_damage, write_checksums
from posec3d_jax.files.disk import read_json, write_json
from posec3d_jax.runs.vetting import ForgedError, find_odd_file, read_object

FACTS_FILE = "facts.json"
_ORBAX_FILE = "_CHECKPOINT_METADATA"
_PATIENCE = 20.0  # seconds for Orbax to write that file, some hundred bytes, on a busy machine


def finished_steps(folder: Path) -> list[int]:
    """Steps of the finished checkpoints in a folder, in order."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def best_step(steps: Sequence[int], top1: Mapping[int, float]) -> int | None:
    """The step with the highest top-1, the first of several; None if none was validated."""
    validated = [step for step in sorted(steps) if step in top1]
    return max(validated, key=top1.get) if validated else None


def seal(checkpoint: Path, facts: Mapping[str, Any]) -> None:
    """Adds the facts of the run, and checksums, to a checkpoint that is otherwise complete.

    Raises:
      DiskError: they cannot be written.
      ForgedError: Orbax has noted nothing of it.
    """
    write_json(checkpoint / FACTS_FILE, {"run": facts, "orbax": _awaited_orbax_facts(checkpoint)})
    write_checksums(checkpoint, without=(_ORBAX_FILE,))


def read_facts(checkpoint: Path) -> dict[str, Any]:
    """The facts that a checkpoint was sealed with; {} where it was not.

    Raises:
      ValueError: they have another form, and are not what this package wrote.
    """
    facts = read_json(checkpoint / FACTS_FILE).get("run", {})
    parts = ("config", "versions", "hardware")
    if not isinstance(facts, dict) or not all(isinstance(facts.get(k, {}), dict) for k in parts):
        raise ValueError(f"{checkpoint / FACTS_FILE} is damaged: it holds no facts of a run")
    return facts


def damage_of(checkpoint: Path) -> str:
    """What is wrong with a checkpoint's files; '' if nothing is.

    Files that no checkpoint has count; changed bytes are seen only if it was sealed.
    """
    if (checkpoint / CHECKSUM_FILE).exists():
        return _damage_of_sealed(checkpoint)
    if odd := find_odd_file(checkpoint):
        return odd
    try:
        read_object(checkpoint / _ORBAX_FILE)
    except ForgedError as error:
        return str(error)
    return ""


def _damage_of_sealed(checkpoint: Path) -> str:
    if damage := find_odd_file(checkpoint) or find_damage(checkpoint):
        return damage
    try:
        noted = {k: v for k, v in read_json(checkpoint / FACTS_FILE)["orbax"].items() if v}
        same = noted.items() <= _orbax_facts(checkpoint).items()
    except (OSError, ValueError, LookupError, AttributeError):
        same = False
    return "" if same else f"{_ORBAX_FILE} has other bytes than were written"


def _orbax_facts(checkpoint: Path) -> dict[str, Any]:
    """What Orbax notes of a checkpoint.

    It has a thread of its own for that, and may add to it until after the seal: the names of the
    parts (when the machine is busy) and the time of the renaming. What was there has to stay.
    """
    return read_object(checkpoint / _ORBAX_FILE)


def _awaited_orbax_facts(checkpoint: Path) -> dict[str, Any]:
    """The same while Orbax's thread may be writing them: its file is empty for a moment, then."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            return _orbax_facts(checkpoint)
        except ForgedError:
            if time.monotonic() > give_up:
                raise
        time.sleep(0.01)


def set_damaged_aside(folder: Path) -> None:
    """Renames damaged checkpoints to <step>.damaged, from the newest to the first whole one.

    One without checksums counts as damaged if an older one has them: then it lost them.
    """
    steps = finished_steps(folder)
    while steps:
        newest = folder / str(steps.pop())
        older = any((folder / str(step) / CHECKSUM_FILE).exists() for step in steps)
        damage = _damage_of_sealed(newest) if older else damage_of(newest)
        if not damage:
            return
        aside = newest.with_name(newest.name + ".damaged")
        shutil.rmtree(aside, ignore_errors=True)
        newest.rename(aside)
        logging.warning(
            "the checkpoint %s is damaged: %s. It is renamed to %s, and the one before it is used",
            *(newest, damage, aside.name),
        )
