"""Steps readers share: finding files, loading them, and holding the config's layout to theirs."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from posec3d_jax.data.records import SkeletonSequence, ValidationReport
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.skeletons.skeleton import SKELETONS, Skeleton


def read_samples(
    items: Iterable,
    read_one: Callable[..., SkeletonSequence],
    report: ValidationReport,
    describe: Callable[..., tuple[str, str]] = lambda file: (file.stem, str(file)),
) -> Iterator[SkeletonSequence]:
    """`read_one(item)` for every item, lazily; a `BadSample` becomes an error in `report`.

    `describe(item)` gives (clip name, file) for that error; by default items are files.
    """
    for item in items:
        try:
            yield read_one(item)
        except BadSample as bad:
            name, file = describe(item)
            report.add(bad.kind, name, str(bad), file, bad.key)


def find_files(path: Path, pattern: str, what: str) -> list[Path]:
    """Files matching `pattern` in `path` or in the one folder below it that has some, by name.

    Raises FileNotFoundError that says what was expected where.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such folder; config.data.source should hold {what}")
    found = [file for file in path.rglob(pattern) if file.is_file()]
    folders = {file.parent for file in found}
    folders = {path} if path in folders else folders
    if len(folders) != 1:
        found = f"several folders have some: {', '.join(sorted(map(str, folders)))}"
        found = found if folders else "there are none"
        raise FileNotFoundError(f"{path}: expected {what}, files {pattern!r}; {found}")
    (folder,) = folders
    return sorted(file for file in found if file.parent == folder)


def require_layout(skeleton: Skeleton, name: str, what: str) -> None:
    """ValueError unless `skeleton` has the joints of the built-in layout `name`, in its order.

    Limbs and pairs may be one's own: the joints are the file's, what is drawn is the user's choice.
    """
    expected = SKELETONS[name]
    if skeleton.joints != expected.joints:
        raise ValueError(
            f"{what} has the {expected.num_joints} joints of layout {name!r}, but the config names "
            f"{skeleton.name!r} with {skeleton.num_joints} joints; set config.data.skeleton = "
            f"{name!r} (and config.data.remap_to to convert the joints to another layout)"
        )


def splits_by(
    items: Iterable, assign: Callable[..., str], name_of: Callable[..., str] = str
) -> dict[str, tuple[str, ...]]:
    """Splits of clip names `name_of(item)` from `assign(item) -> split name`, in their order."""
    splits: dict[str, list[str]] = {}
    for item in items:
        splits.setdefault(assign(item), []).append(name_of(item))
    return {split: tuple(names) for split, names in splits.items()}
