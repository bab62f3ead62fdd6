"""Which clips of a prepared data set are used, and as what: joined splits, joined classes, few."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from posec3d_jax.data.stored.clips import ClipTable
from posec3d_jax.data.stored.info import DataError, DatasetInfo

Classes = Sequence[tuple[str, Sequence[str | int]]]


def parts(split: str, known: Collection[str]) -> list[str]:
    """The splits that a name joins: 'train+test' is both, unless one is called that."""
    return [split] if split in known else split.split("+")


def joined(splits: Mapping[str, np.ndarray], split: str, folder: Path) -> np.ndarray:
    """The clip numbers of a split, or of several joined by '+': int [N], each once, in order.

    Raises:
      DataError: there is no such split in that folder's data set.
    """
    for part in parts(split, splits):
        if part not in splits:
            raise DataError(
                f"the data set in {folder} has no split {part!r}; it has "
                f"{', '.join(map(repr, sorted(splits))) or 'none'}"
            )
    return np.unique(np.concatenate([splits[part] for part in parts(split, splits)]))


def regroup(
    info: DatasetInfo, table: ClipTable, clips: np.ndarray, classes: Classes
) -> tuple[DatasetInfo, ClipTable, np.ndarray]:
    """The data set with the named classes instead of its own, and the clips that belong to them.

    Args:
      info: of the prepared data set.
      table: of all its clips.
      clips: int [N], clip numbers.
      classes: (name, the data set's classes that it joins, by name or number), in label order.

    Raises:
      DataError: a class that there is not, or one that is given twice.
    """
    new = np.full(max(info.num_classes, 1), -1, np.int32)
    for label, (_, group) in enumerate(classes):
        for member in group:
            number = _number_of(member, info)
            if new[number] >= 0:
                raise DataError(f"config.data.classes names {member!r} twice")
            new[number] = label
    labels = new[table.labels]
    names = tuple(name for name, _ in classes)
    info = replace(info, num_classes=len(names), class_names=names)
    return info, replace(table, labels=labels), clips[labels[clips] >= 0]


def _number_of(member: str | int, info: DatasetInfo) -> int:
    """The label of a class that is given by name, or by that label itself.

    Raises:
      DataError: there is no such class; says which there are.
    """
    if isinstance(member, int) and 0 <= member < info.num_classes:
        return member
    if member in info.class_names:
        return info.class_names.index(member)
    numbers = f"numbers from 0 to {info.num_classes - 1}"
    known = f"{', '.join(info.class_names)}, or {numbers}" if info.class_names else numbers
    raise DataError(
        f"config.data.classes names {member!r}, which data set {info.name!r} lacks; its classes "
        f"are {known}"
    )


def few_of_each(labels: np.ndarray, clips: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At most `count` clips of every class, in order.

    With one seed, the clips of a smaller count are among those of a larger one.
    """
    order = np.random.default_rng(seed).permutation(clips)
    rank = np.zeros(len(order), np.int64)
    for label in np.unique(labels[order]):
        mine = labels[order] == label
        rank[mine] = np.arange(mine.sum())
    return np.sort(order[rank < count])
