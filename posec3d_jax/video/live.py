"""A camera, a stream or a file played at its own speed: always the newest frame, the rest dropped.

A thread decodes; whoever asks gets the newest picture, or waits for the next. What nobody asked for
in time is counted as dropped, and nothing piles up.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.video.decoding import Frame, decode, to_image
from posec3d_jax.video.opening import VideoError

CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}")}
_TIMEOUT = {"timeout": "5000000", "rw_timeout": "5000000"}  # microseconds without an answer


@dataclass
class LiveCount:
    """What became of a live source's frames."""

    arrived: int = 0
    dropped: int = 0  # arrived while another was worked on
    error: str = ""  # what ended the stream, '' for its end


@dataclass(frozen=True)
class Arrived:
    """A picture and when it came."""

    frame: Frame
    clock: float  # time.perf_counter() when it was decoded


def is_live(source: str) -> bool:
    """Whether the source is a camera's number or a network stream's address."""
    return source.isdecimal() or "://" in source


def newest(source: str | Path, count: LiveCount) -> Iterator[Arrived]:
    """The newest frame each time one is asked for, until the source ends.

    Args:
      source: a camera's number, the address of a stream (rtsp://, http://), or a file, which is
        played at its own speed.
      count: is filled in.

    Raises:
      VideoError: it cannot be opened.
    """
    slot = _Slot()
    reader = threading.Thread(target=_read, args=(str(source), slot, count), daemon=True)
    reader.start()
    try:
        while (arrived := slot.take()) is not None:
            yield arrived
    finally:
        slot.close()
        reader.join(timeout=5)
    if count.error and not count.arrived:
        raise VideoError(count.error)


class _Slot:
    """Room for one picture between two threads; a newer one takes the place of an older."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._held: Arrived | None = None
        self.closed = False

    def put(self, arrived: Arrived) -> bool:
        """Whether it took the place of one that nobody had asked for."""
        with self._ready:
            missed, self._held = self._held is not None, arrived
            self._ready.notify()
            return missed

    def take(self) -> Arrived | None:
        """Waits for a picture; None at the end."""
        with self._ready:
            self._ready.wait_for(lambda: self._held is not None or self.closed)
            taken, self._held = self._held, None
            return taken

    def close(self) -> None:
        with self._ready:
            self.closed = True
            self._ready.notify()


def _read(source: str, slot: _Slot, count: LiveCount) -> None:
    """Runs in a thread of its own."""
    try:
        frames = _camera(source) if is_live(source) else _played(source)
        for frame in frames:
            if slot.closed:
                return
            count.arrived += 1
            count.dropped += slot.put(Arrived(frame, time.perf_counter()))
    except Exception as error:  # whatever it is, who waits for pictures must hear of it
        count.error = f"{source}: {error}"
    finally:
        slot.close()


def _played(source: str) -> Iterator[Frame]:
    """A file's frames, each when its time has come."""
    started = None
    for frame in decode(source):
        now = time.perf_counter()
        started = now - frame.time if started is None else started
        if (wait := started + frame.time - now) > 0:
            time.sleep(wait)
        yield frame


def _camera(source: str) -> Iterator[Frame]:
    """A camera's or a stream's frames, with the seconds since the first as their times."""
    import sys

    import av

    name, form, options = source, None, _TIMEOUT
    if source.isdecimal():
        if sys.platform not in CAMERAS:
            raise VideoError(f"cameras by number work on {', '.join(CAMERAS)}; give an address")
        form, pattern = CAMERAS[sys.platform]
        name, options = pattern.format(source), {}
    with av.open(name, format=form, options=options) as container:
        first = None
        for i, picture in enumerate(container.decode(video=0)):
            now = time.perf_counter()
            first = now if first is None else first
            upright = picture.rotation % 180 == 0
            size = (picture.height, picture.width) if upright else (picture.width, picture.height)
            yield Frame(i, now - first, np.ascontiguousarray(to_image(picture, size)))
