"""Seals: what says that a checkpoint is whole, with the facts of its run and its files' checksums.

The seal of `checkpoints/120` is `checkpoints/120.seal.json`, written when the checkpoint is on disk
and was read back; a run that is killed before that leaves a folder without a seal, which does not
count. Runs of before have checksums.json and facts.json inside the folder, and are read as well.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import logging

from posec3d_jax.files.checksums import checksums, find_damage
from posec3d_jax.files.disk import read_json, write_json
from posec3d_jax.runs.vetting import ForgedError, find_odd_file, odd_file, read_object

ORBAX_FILE = "_CHECKPOINT_METADATA"
_INSIDE, _FACTS_INSIDE = "checksums.json", "facts.json"  # of runs of before


def seal_of(checkpoint: Path) -> Path:
    """The file that holds a checkpoint's seal."""
    return checkpoint.with_name(checkpoint.name + ".seal.json")


def is_sealed(checkpoint: Path) -> bool:
    """Whether a checkpoint is said to be whole; its files are not looked at."""
    return seal_of(checkpoint).exists() or (checkpoint / _INSIDE).exists()


def finished_steps(folder: Path) -> list[int]:
    """Steps of the sealed checkpoints in a folder, in order; where none is sealed, of all there."""
    there = _steps(folder)
    return [step for step in there if is_sealed(folder / str(step))] or there


def _steps(folder: Path) -> list[int]:
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def best_step(steps: Sequence[int], top1: Mapping[int, float]) -> int | None:
    """The step with the highest top-1, the first of several; None if none was validated."""
    validated = [step for step in sorted(steps) if step in top1]
    return max(validated, key=top1.get) if validated else None


def seal(checkpoint: Path, facts: Mapping[str, Any]) -> None:
    """Says that a checkpoint is whole: writes the facts of its run and its files' checksums.

    Raises:
      DiskError: they cannot be written.
    """
    write_json(seal_of(checkpoint), {"run": dict(facts), "files": checksums(checkpoint)})


def read_facts(checkpoint: Path) -> dict[str, Any]:
    """The facts that a checkpoint was sealed with; {} where it was not.

    Raises:
      ValueError: they have another form, and are not what this package wrote.
    """
    path = seal_of(checkpoint)
    path = path if path.exists() else checkpoint / _FACTS_INSIDE
    facts = read_json(path).get("run", {})
    parts = ("config", "versions", "hardware")
    if not isinstance(facts, dict) or not all(isinstance(facts.get(k, {}), dict) for k in parts):
        raise ValueError(f"{path} is damaged: it holds no facts of a run")
    return facts


def damage_of(checkpoint: Path) -> str:
    """What is wrong with a checkpoint's files; '' if nothing is.

    Files that no checkpoint has count; changed bytes are seen only if it was sealed.
    """
    if odd := find_odd_file(checkpoint):
        return odd
    try:
        if (outside := seal_of(checkpoint)).exists():
            if odd := odd_file(outside):
                return f"{outside.name} {odd}"
            return find_damage(checkpoint, read_object(outside).get("files"), outside.name)
        read_object(checkpoint / ORBAX_FILE)
        return _damage_inside(checkpoint) if (checkpoint / _INSIDE).exists() else ""
    except ForgedError as error:
        return str(error)


def _damage_inside(checkpoint: Path) -> str:
    """The same by the checksums inside the folder, which leave out Orbax's own notes.

    Orbax added to its notes after they were sealed; what was there then has to stay.
    """
    if damage := find_damage(checkpoint, read_object(checkpoint / _INSIDE), _INSIDE):
        return damage
    noted = read_object(checkpoint / _FACTS_INSIDE).get("orbax")
    noted = {k: v for k, v in noted.items() if v} if isinstance(noted, dict) else {"": None}
    same = noted.items() <= read_object(checkpoint / ORBAX_FILE).items()
    return "" if same else f"{ORBAX_FILE} has other bytes than were written"


def set_damaged_aside(folder: Path) -> None:
    """Renames damaged checkpoints to <step>.damaged, from the newest to the first whole one.

    One without a seal counts as damaged if another has one: a run was stopped while it was saved,
    or it lost its seal.
    """
    sealed = any(is_sealed(folder / str(step)) for step in _steps(folder))
    for step in reversed(_steps(folder)):
        checkpoint = folder / str(step)
        lacks_seal = sealed and not is_sealed(checkpoint)
        damage = f"{seal_of(checkpoint).name} is missing" if lacks_seal else damage_of(checkpoint)
        if not damage:
            return
        aside = checkpoint.with_name(checkpoint.name + ".damaged")
        shutil.rmtree(aside, ignore_errors=True)
        checkpoint.rename(aside)
        seal_of(checkpoint).unlink(missing_ok=True)
        logging.warning(
            "the checkpoint %s is damaged: %s. It is renamed to %s, and the one before it is used",
            *(checkpoint, damage, aside.name),
        )


def remove(checkpoint: Path) -> None:
    """Deletes a checkpoint, its seal first, so that half of it is never taken for the whole."""
    seal_of(checkpoint).unlink(missing_ok=True)
    (checkpoint / _INSIDE).unlink(missing_ok=True)
    shutil.rmtree(checkpoint)
