"""A stranger's video decoded in a process of its own, with bounded memory, time and rights.

Decoders are large programs that read whatever they are given. Here one may use so much memory and
so much time, can write no file, and takes nothing with it when it falls.
"""

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from posec3d_jax.video.decoding import Frame
from posec3d_jax.video.opening import VideoError

CHILD = "posec3d_jax.video.sandboxed"
HEAD = struct.Struct("<id")  # before each frame: its index, -1 for the end, and its time
_PACKAGE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Bounds:
    """What a video may cost."""

    memory: int = 2 << 30  # bytes of the process's addresses
    seconds: float = 300.0  # until its last frame has been taken
    duration: float = 600.0  # seconds of video
    side: int = 960  # pixels of the longer side; larger frames are made smaller
    rate: float = 15.0  # frames a second that are taken, about


@dataclass(frozen=True)
class SandboxedVideo:
    """A video that another process decodes."""

    size: tuple[int, int]  # (height, width) pixels of the frames that come
    full_size: tuple[int, int]  # of the video's own
    rate: float  # frames a second that come
    duration: float  # seconds, as far as the file's packets tell
    every: int  # of the video's frames one comes
    frames: Iterator[Frame]  # read once


@contextmanager
def decoded_in_sandbox(path: str | Path, bounds: Bounds) -> Iterator[SandboxedVideo]:
    """The frames of a video file; the process ends with the context.

    Raises:
      VideoError: no video that can be read, a longer one than allowed, or one that takes more
        memory or time than allowed; also while frames are taken.
    """
    # Nothing of the environment but where the package is: secrets are nothing for a decoder.
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    search = os.pathsep.join([str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", CHILD, str(path), json.dumps(asdict(bounds))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=kept | {"PYTHONPATH": search, "OPENBLAS_NUM_THREADS": "1"},
    )
    clock = threading.Timer(bounds.seconds, process.kill)
    clock.start()
    try:
        head = json.loads(process.stdout.readline() or "null")
        if head is None:
            raise _ended(process, bounds)
        if "error" in head:
            raise VideoError(head["error"])
        size = tuple(head["size"])
        frames = _frames(process, size, bounds)
        full_size, every = tuple(head["full_size"]), head["every"]
        yield SandboxedVideo(size, full_size, head["rate"], head["duration"], every, frames)
    finally:
        clock.cancel()
        process.kill()
        process.stdout.close()
        process.wait()


def _frames(process: subprocess.Popen, size: tuple[int, int], bounds: Bounds) -> Iterator[Frame]:
    count = size[0] * size[1] * 3
    while True:
        head = _read(process.stdout, HEAD.size)
        if head is None:
            raise _ended(process, bounds)
        index, time = HEAD.unpack(head)
        if index < 0:
            if fault := json.loads(process.stdout.readline() or "{}").get("error"):
                raise VideoError(fault)
            return
        pixels = _read(process.stdout, count)
        if pixels is None:
            raise _ended(process, bounds)
        yield Frame(index, time, np.frombuffer(pixels, np.uint8).reshape(*size, 3))


def _read(pipe: BinaryIO, count: int) -> bytes | None:
    """So many bytes, or None where the other end is gone."""
    content = pipe.read(count)
    return content if len(content) == count else None


def _ended(process: subprocess.Popen, bounds: Bounds) -> VideoError:
    process.kill()
    process.wait()
    return VideoError(
        f"the video could not be decoded with {bounds.memory / 1e9:.1f} GB of memory within "
        f"{bounds.seconds:g} seconds: it is damaged, too large, or takes too long. Convert it with "
        "ffmpeg to a smaller or shorter one"
    )
