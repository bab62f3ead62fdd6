"""Which checkpoints a folder holds, which is best, and which are damaged and must not be used."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from absl import logging

from posec3d_jax.checksums import CHECKSUM_FILE, find_damage


def finished_steps(folder: Path) -> list[int]:
    """Steps of the finished checkpoints in a folder, in order."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isdigit())


def best_step(steps: Sequence[int], top1: Mapping[int, float]) -> int | None:
    """The step with the highest top-1, the first of several; None if none was validated."""
    validated = [step for step in sorted(steps) if step in top1]
    return max(validated, key=top1.get) if validated else None


def damage_of(checkpoint: Path) -> str:
    """What is wrong with a checkpoint's files; '' if nothing is, or it is of before checksums."""
    return find_damage(checkpoint) if (checkpoint / CHECKSUM_FILE).exists() else ""


def set_damaged_aside(folder: Path) -> None:
    """Renames damaged checkpoints to <step>.damaged, from the newest to the first whole one.

    One without checksums counts as damaged if one of before has them: then it lost them.
    """
    steps = finished_steps(folder)
    while steps:
        newest = folder / str(steps.pop())
        older = any((folder / str(step) / CHECKSUM_FILE).exists() for step in steps)
        damage = find_damage(newest) if older else damage_of(newest)
        if not damage:
            return
        aside = newest.with_name(newest.name + ".damaged")
        shutil.rmtree(aside, ignore_errors=True)
        newest.rename(aside)
        logging.warning(
            "the checkpoint %s is damaged: %s. It is renamed to %s, and the one before it is used",
            *(newest, damage, aside.name),
        )
