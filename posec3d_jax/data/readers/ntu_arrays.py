"""NTU60_CS.npz and its like: the arrays that graph-network projects make of NTU RGB+D and share.

They come to gigabytes, so a clip is read at a time, straight out of the archive.
"""

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from posec3d_jax.data.projection import describe
from posec3d_jax.data.readers.views import project_scored
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence
from posec3d_jax.files.arrays import NPZ_ERRORS, npy_header
from posec3d_jax.files.kinds import advice
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.skeletons.skeleton import Skeleton

PARTS = ("train", "test")
_BODY = (2, 25, 3)  # persons, joints, (x, y, z)
_MOST_FRAMES, _MOST_CLIPS = 10_000, 1_000_000
_MOST_LABELS = 1 << 29  # bytes


def read(path: Path, skeleton: Skeleton, camera: Mapping) -> SkeletonDataset:
    """Read the archive. Raises ValueError where it is damaged or has another form."""
    try:
        shapes = {part: _shapes(path, part) for part in PARTS}
        labels = {part: _labels(path, part) for part in PARTS}
    except (KeyError, *NPZ_ERRORS) as error:
        raise ValueError(
            f"{path}: no NTU arrays: expected x_train, x_test [N, T, 150] and y_train, y_test "
            f"[N, K]: {error}. {advice(path, 'an .npz of arrays')}"
        ) from error
    splits = {
        part: tuple(f"{part}_{i:06d}" for i in range(count)) for part, (count, _) in shapes.items()
    }
    classes = max(int(label.max(initial=0)) for label in labels.values())
    return SkeletonDataset(
        name=path.stem.lower(),
        skeleton=skeleton,
        class_names=CLASS_NAMES["ntu120" if classes >= 60 else "ntu60"],
        splits=splits,
        sequences=_clips(path, labels, camera),
        total=sum(map(len, splits.values())),
        notes=(describe(camera),),
    )


def _shapes(path: Path, part: str) -> tuple[int, int]:
    """N and T of a part, if its array has the expected form."""
    shape, dtype, fortran = _header(path, f"x_{part}.npy")
    if len(shape) != 3 or shape[2] != np.prod(_BODY) or dtype.kind != "f" or fortran:
        raise ValueError(f"x_{part} is {dtype} {shape}")
    if not 0 < shape[1] <= _MOST_FRAMES or shape[0] > _MOST_CLIPS:
        raise ValueError(f"x_{part} has {shape[0]} clips of {shape[1]} frames")
    return shape[0], shape[1]


def _header(path: Path, name: str) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Shape, dtype and order of an array, if the archive is as large as that takes."""
    with zipfile.ZipFile(path) as archive, archive.open(name) as stream:
        shape, dtype, fortran = npy_header(stream)
        if math.prod(shape) * dtype.itemsize > archive.getinfo(name).file_size:
            raise ValueError(f"{name} is shorter than its shape {shape} says")
    return shape, dtype, fortran


def _labels(path: Path, part: str) -> np.ndarray:
    """int [N], the place of each clip's one 1."""
    shape, dtype, _ = _header(path, f"y_{part}.npy")
    if dtype.kind not in "fiub" or math.prod(shape) * dtype.itemsize > _MOST_LABELS:
        raise ValueError(f"y_{part} is {dtype} {shape}")
    with zipfile.ZipFile(path) as archive, archive.open(f"y_{part}.npy") as stream:
        ones = np.lib.format.read_array(stream, allow_pickle=False)
    if ones.ndim != 2 or len(ones) != _shapes(path, part)[0] or ones.shape[1] < 1:
        raise ValueError(f"y_{part} has shape {ones.shape}")
    return ones.argmax(axis=1)


def _clips(path: Path, labels: Mapping[str, np.ndarray], camera: Mapping) -> Iterator:
    for part in PARTS:
        with zipfile.ZipFile(path) as archive, archive.open(f"x_{part}.npy") as stream:
            shape, dtype, _ = npy_header(stream)
            size = shape[1] * shape[2] * dtype.itemsize
            for i, label in enumerate(labels[part].tolist()):
                try:
                    data = stream.read(size)
                except NPZ_ERRORS as error:
                    raise ValueError(f"{path} is damaged: {error}; copy it again") from error
                if len(data) < size:
                    raise ValueError(f"{path} ends within clip {i} of x_{part}; copy it again")
                points = np.frombuffer(data, dtype).reshape(shape[1], *_BODY)
                yield _sequence(f"{part}_{i:06d}", points, label, path, camera)


def _sequence(
    name: str, points: np.ndarray, label: int, path: Path, camera: Mapping
) -> SkeletonSequence:
    """A clip without the zeros behind its end and without a second person who is never there."""
    there = points.any(axis=(2, 3))  # [T, M]
    frames = int(np.flatnonzero(there.any(axis=1)).max(initial=0)) + 1
    persons = 2 if there[:, 1].any() else 1
    keypoint, score = project_scored(points[:frames, :persons].transpose(1, 0, 2, 3), None, camera)
    return SkeletonSequence(name, keypoint, score, camera["image_size"], label, str(path))
