"""The other process of `sandbox`: takes its own rights away, then decodes one video to its output.

It is started as `python -m posec3d_jax.video.sandboxed FILE BOUNDS`, and writes a line of JSON
about the video, and after it every frame as `sandbox.HEAD` and its pixels.
"""

import json
import resource
import sys
from typing import BinaryIO

from posec3d_jax.video.decoding import decode
from posec3d_jax.video.info import VideoInfo, probe
from posec3d_jax.video.opening import VideoError
from posec3d_jax.video.sandbox import HEAD, Bounds


def main(path: str, bounds: Bounds, out: BinaryIO) -> None:
    """Decodes the file; whatever goes wrong is told to the reader as a line of JSON."""
    begun = False
    try:
        import av  # noqa: F401  (before the limits: loading it takes memory of its own)

        _limit(bounds)
        info = probe(path)
        every = max(round(info.rate / bounds.rate), 1)
        size = _size(info, bounds.side)
        _check(info, bounds)
        head = {"size": size, "full_size": info.size, "every": every, "rate": info.rate / every}
        out.write(json.dumps(head | {"duration": info.duration}).encode() + b"\n")
        begun = True
        for frame in decode(path, every=every, size=size):
            if frame.time > bounds.duration:
                raise VideoError(_too_long(bounds))
            out.write(HEAD.pack(frame.index, frame.time))
            out.write(frame.image.tobytes())
        fault = {}
    except (VideoError, OSError, MemoryError, ModuleNotFoundError) as error:
        fault = {"error": _words(error, path)}
    if begun:
        out.write(HEAD.pack(-1, 0.0))
    out.write(json.dumps(fault).encode() + b"\n")
    out.flush()


def _limit(bounds: Bounds) -> None:
    """So much memory and time; no file is written, not even one that crashed programs leave."""
    for what, most in (
        (resource.RLIMIT_AS, bounds.memory),
        (resource.RLIMIT_CPU, int(bounds.seconds) + 1),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _check(info: VideoInfo, bounds: Bounds) -> None:
    if info.duration > bounds.duration:
        raise VideoError(_too_long(bounds))


def _too_long(bounds: Bounds) -> str:
    return f"the video is longer than {bounds.duration:g} seconds; cut it with ffmpeg"


def _size(info: VideoInfo, side: int) -> tuple[int, int]:
    """The frames' size, made smaller where a side is longer than that."""
    scale = min(side / max(info.size), 1.0)
    height, width = (max(round(length * scale), 1) for length in info.size)
    return height, width


def _words(error: Exception, path: str) -> str:
    """The error for somebody who does not know where their file lies here."""
    if isinstance(error, MemoryError):
        return "the video's frames are too large to be decoded here; scale it down with ffmpeg"
    if isinstance(error, ModuleNotFoundError):
        return "reading videos needs PyAV: install posec3d-jax[video]"
    return str(error).replace(path, "the video")


if __name__ == "__main__":
    main(sys.argv[1], Bounds(**json.loads(sys.argv[2])), sys.stdout.buffer)
