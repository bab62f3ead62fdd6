"""Clips that are tested and trained on: the same clip in two splits, or its copy by another name.

A figure over such clips says how well they were learnt by heart.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.data.stored.clips import ClipTable, read_clips
from posec3d_jax.data.stored.selection import few_of_each, joined, parts
from posec3d_jax.files.buckets import local_folder

_NAMED = 5  # clips in a message


@dataclass(frozen=True)
class Leak:
    """What two sets of clips share."""

    names: tuple[str, ...]  # of clips that are in both
    copies: tuple[tuple[str, str], ...]  # (in the first, in the second): other names, same numbers

    def __len__(self) -> int:
        return len(self.names) + len(self.copies)


def leak(first: ClipTable, second: ClipTable) -> Leak:
    """The clips of `second` that are also in `first`, by name, or by their keypoints' digest.

    Clips without any joint are no copies of each other; data sets prepared before there were
    digests are compared by name alone.
    """
    known = set(first.names)
    by_digest = {d: name for d, name in zip(first.digests.tolist(), first.names, strict=False) if d}
    copies = tuple(
        (by_digest[digest], name)
        for digest, name in zip(second.digests.tolist(), second.names, strict=False)
        if name not in known and digest in by_digest
    )
    return Leak(tuple(name for name in second.names if name in known), copies)


def describe(found: Leak, total: int, trained: str, tested: str) -> str:
    """One line for people; '' where nothing is shared."""
    if not len(found):
        return ""
    parts = []
    if found.names:
        parts.append(f"{len(found.names)} by name (first: {', '.join(found.names[:_NAMED])})")
    if found.copies:
        pairs = ", ".join(f"{b} is {a}" for a, b in found.copies[:_NAMED])
        parts.append(f"{len(found.copies)} under another name (first: {pairs})")
    return (
        f"{len(found)} of the {total} clips of split {tested!r} are also in the training split "
        f"{trained!r}: {'; '.join(parts)}. A figure over them does not say how well new clips are "
        "recognised; take them out of one of the splits"
    )


def leak_into(config_data, tested: str, seed: int = 0) -> tuple[Leak, str]:
    """What a split of the prepared data set shares with the training clips, and a line about it.

    Args:
      config_data: `config.data`; its train_split and clips_per_class say which are trained on.
      tested: name of the other split. Nothing is shared where the data set lacks one of the two.
      seed: of the run; it chooses the few clips of a class.

    Raises:
      DataError: no such data set.
    """
    folder, train = local_folder(config_data.dir), config_data.train_split
    table, splits = read_clips(folder)
    if not all(part in splits for name in (train, tested) for part in parts(name, splits)):
        return Leak((), ()), ""  # trained on another data set
    trained = joined(splits, train, folder)
    if config_data.clips_per_class and not config_data.classes:
        trained = few_of_each(table.labels, trained, config_data.clips_per_class, seed)
    clips = joined(splits, tested, folder)
    found = leak(table.take(trained), table.take(clips))
    return found, describe(found, len(clips), train, tested)


def leaks_of_splits(
    table: ClipTable, splits: dict[str, np.ndarray], trained: str, tested: set[str], folder: Path
) -> dict[str, str]:
    """A line for each tested split that shares clips with the trained one, while preparing."""
    if not trained:
        return {}
    first = table.take(joined(splits, trained, folder))
    lines = {}
    for name in sorted(tested - {""}):
        clips = joined(splits, name, folder)
        lines[name] = describe(leak(first, table.take(clips)), len(clips), trained, name)
    return {name: line for name, line in lines.items() if line}
