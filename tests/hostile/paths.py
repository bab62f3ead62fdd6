"""Paths made at random, and whatever of the package takes a path."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from posec3d_jax.commands.flag_files import expanded
from posec3d_jax.config import base, stored
from posec3d_jax.config.files import run_config
from posec3d_jax.data.readers.unlabelled import read_clips
from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.files.disk import write_json
from posec3d_jax.files.locks import holding
from posec3d_jax.files.places import expand, make_writable
from posec3d_jax.poses.gathering import find_jobs
from posec3d_jax.runs.checkpoints import find_checkpoint
from posec3d_jax.runs.evaluations import load_scores
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.video.opening import opened

PARTS = [
    "a",
    "b c",
    "exp[1]",
    "lr=0.1*",
    "a\\b",
    "é",
    "日本",
    "\n",
    "-x",
    "--",
    "%s",
    "{}",
    "?",
    "#",
]
PARTS += ["'", '"', "$HOME", "`id`", ";", "&", "|", "x" * 300, " ", "\u202e", "\ud800", "~", "~x"]
PARTS += ["..", ".", "a.npz", "a.pkl", "a.json", "a.skeleton", "a.mp4", "a.csv", "info.json", "12"]
STARTS = ["", "", "", "/", "~/", "~nobody/", "gs://", "s3:/", "file://", "//", "/proc/self/", "\0"]
ANYWHERE, BELOW = "anywhere", "below the folder"  # as they are written, or walked


def _clips(path: Path) -> None:
    data = base.get_config().data
    list(read_clips(path, data, get_skeleton("coco_17"), ValidationReport()))


def _source(path: Path) -> None:
    data = base.get_config().data
    data.dir = str(path)
    open_source(data, "train")


def _held(path: Path) -> None:
    with holding(path / "x.lock", path, "a test"):
        pass


USES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "config of a run": (ANYWHERE, stored.load_config),
    "config file": (ANYWHERE, lambda path: run_config(str(path))),
    "file of flags": (ANYWHERE, lambda path: expanded([f"--flagfile={path}"])),
    "checkpoint": (ANYWHERE, find_checkpoint),
    "scores": (ANYWHERE, load_scores),
    "data set": (ANYWHERE, _source),
    "clips to predict": (BELOW, _clips),
    "videos": (BELOW, lambda path: find_jobs([path], "", (1, 1))),
    "labels of videos": (ANYWHERE, lambda path: find_jobs([Path(__file__).parent], path, (1, 1))),
    "video": (ANYWHERE, lambda path: opened(path).__enter__()),
    "folder to write": (BELOW, make_writable),
    "file to write": (BELOW, lambda path: write_json(path, {})),
    "lock": (BELOW, _held),
}


def uses(rng: random.Random, folder: Path, count: int) -> Iterator[tuple[str, str]]:
    """`count` pairs of a use and a path; what would spoil other places stays below `folder`."""
    folder.mkdir()
    for _ in range(count):
        use = rng.choice(list(USES))
        parts = [rng.choice(PARTS) for _ in range(rng.randint(1, 4))]
        start = rng.choice(STARTS)
        if USES[use][0] == BELOW:
            parts = [part for part in parts if part != ".."]
            start = f"{folder}/"
        elif rng.random() < 0.5:
            start = f"{folder}/{start}"
        yield use, start + "/".join(parts)


def try_(use: str, path: str) -> None:
    """Gives a path to one of its uses.

    Raises:
      ValueError: it is refused, in these words.
    """
    try:
        USES[use][1](expand(path))
    except OSError as error:  # which the command line tells as it tells a ValueError
        raise ValueError(str(error)) from error
