"""Steps readers share: finding files, loading them, and holding the config's layout to theirs."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from posec3d_jax.data.records import SkeletonSequence, ValidationReport
from posec3d_jax.skeletons import SKELETONS, Skeleton

# What scipy raises on truncated, damaged and too new (HDF5) files, found by cutting and flipping
# bytes of real ones.
MAT_ERRORS = (
    MatReadError,
    NotImplementedError,
    OSError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    zlib.error,
)


class BadSample(ValueError):
    """One sample cannot be used; readers turn it into a finding and go on with the next."""

    def __init__(self, kind: str, message: str, key: str = ""):
        super().__init__(message)
        self.kind, self.key = kind, key


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
    folders = {path} if any(path.glob(pattern)) else {file.parent for file in path.rglob(pattern)}
    if len(folders) != 1:
        found = f"several folders have some: {', '.join(sorted(map(str, folders)))}"
        found = found if folders else "there are none"
        raise FileNotFoundError(f"{path}: expected {what}, files {pattern!r}; {found}")
    return sorted(folders.pop().glob(pattern))


def load_mat(file: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The variables `keys` of a MATLAB file; `BadSample` where it is damaged or lacks one."""
    try:
        contents = loadmat(file, variable_names=keys)
    except MAT_ERRORS as error:
        size = file.stat().st_size if file.exists() else 0
        message = f"not a readable MATLAB 5 file ({size} bytes; truncated?): {error}"
        raise BadSample("unreadable_file", message) from error
    for key in keys:
        if key not in contents:
            raise BadSample("missing_key", f"the file has no variable {key!r}", key)
    return {key: contents[key] for key in keys}


def scalar(contents: dict[str, np.ndarray], key: str):
    """The single value of a MATLAB variable; `BadSample` where it holds another number of them."""
    if contents[key].size != 1:
        raise BadSample("wrong_shape", f"shape {contents[key].shape}, expected one value", key)
    return contents[key].item()


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


def splits_by(names: Iterable[str], assign: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    """Splits from `assign(name) -> split name`, each in the order of `names`."""
    splits: dict[str, list[str]] = {}
    for name in names:
        splits.setdefault(assign(name), []).append(name)
    return {split: tuple(members) for split, members in splits.items()}
