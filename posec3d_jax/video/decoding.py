"""A video's frames: upright RGB with exact times; damaged packets are skipped and counted."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from posec3d_jax.video.info import quarter_turns
from posec3d_jax.video.opening import VideoError, check_size, opened

if TYPE_CHECKING:
    import av


@dataclass(frozen=True)
class Frame:
    """One picture of a video."""

    index: int  # 0-based, in the order of showing
    time: float  # seconds since the first frame
    image: np.ndarray  # uint8 [H, W, 3], upright RGB


@dataclass
class Tally:
    """What `decode` counts while it runs."""

    frames: int = 0  # decoded, the unwanted included
    damaged: int = 0  # packets that could not be decoded
    end: float = 0.0  # seconds: the time of the last frame


def decode(
    path: str | Path,
    *,
    every: int = 1,
    only: Collection[int] | None = None,
    size: tuple[int, int] | None = None,
    tally: Tally | None = None,
) -> Iterator[Frame]:
    """The frames of a video, one at a time: memory does not grow with its length.

    Args:
      path: a video file.
      every: take frames 0, `every`, 2 `every`, ...
      only: take these frames of them; decoding ends with the last. Frames that are not taken are
        decoded, for the others build on them, but not converted, which is most of the cost.
      size: (height, width) to bring the upright frames to: by area averages where that shrinks
        them, else bilinear. None leaves them as they are; a frame that differs in size from the
        first (streams may change) is brought to the first's.
      tally: is filled in along the way.

    Raises:
      FileNotFoundError, VideoError: as `opening.opened`; VideoError also where nothing decodes.
      ValueError: `every` is not positive.
    """
    if every < 1:
        raise ValueError(f"every is {every}; expected a positive number of frames")
    tally = Tally() if tally is None else tally
    last = max(only, default=-1) if only is not None else None
    clock = _Clock()
    with opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        clock.step = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        for picture in _pictures(container, stream, tally):
            check_size(path, picture.height, picture.width)
            size = size or _upright(picture)
            index, tally.frames = tally.frames, tally.frames + 1
            tally.end = clock.time(picture.time)
            if index % every == 0 and (only is None or index in only):
                yield Frame(index, tally.end, to_image(picture, size))
            if last is not None and index >= last:
                return
    if not tally.frames:
        raise VideoError(f"{path}: not one frame could be decoded ({tally.damaged} bad packets)")


def read_frames(
    path: str | Path, indices: Sequence[int], size: tuple[int, int] | None = None
) -> np.ndarray:
    """Chosen frames of a video: uint8 [T, H, W, 3] in the order of `indices`, which may repeat.

    Raises:
      FileNotFoundError, VideoError: as `decode`; VideoError also for a frame beyond the end.
      ValueError: no index, or a negative one.
    """
    wanted = {int(index) for index in indices}
    if not wanted or min(wanted) < 0:
        raise ValueError(f"{path}: expected frame numbers from 0, got {list(indices)[:8]}")
    tally = Tally()
    images = {f.index: f.image for f in decode(path, only=wanted, size=size, tally=tally)}
    if len(images) < len(wanted):
        raise VideoError(f"{path} has {tally.frames} frames; frame {max(wanted)} was asked for")
    return np.stack([images[int(index)] for index in indices])


def to_image(picture: "av.VideoFrame", size: tuple[int, int]) -> np.ndarray:
    """A decoded picture as upright RGB of this (height, width): uint8 [H, W, 3]."""
    from av.video.reformatter import Interpolation as How

    turns = quarter_turns(picture.rotation)
    height, width = size[::-1] if turns % 2 else size
    how = How.BILINEAR
    if (height, width) != (picture.height, picture.width):
        shrinks = height <= picture.height and width <= picture.width
        how = How.AREA if shrinks else How.BILINEAR
        # Without these the mean is off by up to 32 levels. At full size they would cost fourfold.
        how |= How.ACCURATE_RND | How.FULL_CHR_H_INT | How.FULL_CHR_H_INP | How.BITEXACT
    image = picture.to_ndarray(
        format="rgb24", height=height, width=width, interpolation=how, threads=1
    )
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _pictures(container, stream, tally: Tally) -> Iterator["av.VideoFrame"]:
    """Every picture that decodes; a packet that does not costs itself only."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:  # the file ends in the middle of a packet
            tally.damaged += 1
            return
        try:
            pictures = packet.decode()
        except av.error.FFmpegError:
            tally.damaged += 1
            continue
        yield from pictures


def _upright(picture: "av.VideoFrame") -> tuple[int, int]:
    size = (picture.height, picture.width)
    return size[::-1] if quarter_turns(picture.rotation) % 2 else size


class _Clock:
    """Seconds since the first frame, always growing, also where a container has no or bad times."""

    def __init__(self) -> None:
        self.step = 0.04
        self._first: float | None = None
        self._last = 0.0

    def time(self, stamp: float | None) -> float:
        if self._first is None:
            self._first = stamp or 0.0
            return 0.0
        expected = self._last + self.step
        seconds = expected if stamp is None else stamp - self._first
        self._last = seconds if seconds > self._last else expected
        return self._last
