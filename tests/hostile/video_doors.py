"""Videos and the labels that lie beside them: valid ones, and their reading."""

import importlib.util
import tempfile
from pathlib import Path

from posec3d_jax.poses.gathering import find_jobs
from posec3d_jax.video.decoding import decode
from posec3d_jax.video.info import probe
from tests.videos import write_video

LABELS = b"video,label,split\na,wave,train\nb,jump,test\n"


def files() -> list[tuple[str, bytes]]:
    """(name, content) of a small video in each of some containers; none where PyAV is missing."""
    if importlib.util.find_spec("av") is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / f"video.{ending}" for ending in ("mkv", "mp4", "avi", "mov")]
        return [(path.name, write_video(path, 4, (32, 48)).read_bytes()) for path in places]


def read(path: Path) -> int:
    """Reads a video as extraction does, to its last frame."""
    probe(path)
    return sum(1 for _ in decode(path))


def read_labels(path: Path) -> list:
    """Reads the labels of two videos that lie beside their file."""
    for name in ("a.mp4", "b.mp4"):
        (path.parent / name).touch()
    return find_jobs([path.parent], path)
