"""What a video is: frames, size, rate; from its packets, since headers often lie."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.video.opening import VideoError, opened, packets_of

_UNEVEN = 0.25  # of the median step; a millisecond's rounding stays far below


@dataclass(frozen=True)
class VideoInfo:
    """What `decode` will give, as far as one can know without decoding everything."""

    frames: int  # that are to be shown; of a damaged video fewer can be decoded
    size: tuple[int, int]  # (height, width) in pixels, upright
    rate: float  # mean frames a second
    rotation: int  # degrees counter-clockwise by which stored pictures are turned: 0 90 180 270
    duration: float  # seconds
    variable_rate: bool  # whether steps between frames differ


def probe(path: str | Path) -> VideoInfo:
    """Reads every packet, and decodes up to the first frame: some ms for minutes of video.

    Raises:
      FileNotFoundError, VideoError: as `opening.opened`; VideoError also without a single frame.
    """
    import av

    with opened(path) as (container, stream):
        first, shown, times = None, 0, []
        for packet in packets_of(container, stream):
            if packet.size and not packet.is_discard:  # an edit list hides some packets
                shown += 1
                if packet.pts is not None:
                    times.append(float(packet.pts * packet.time_base))
            if first is None:
                try:
                    first = next(iter(packet.decode()), None)
                except av.error.FFmpegError:  # a damaged packet; a later one may do
                    continue
        if first is None:
            raise VideoError(f"{path}: not one frame of {shown} packets could be decoded")
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        tick = float(stream.time_base or 0)
    turns = quarter_turns(first.rotation)
    size = (first.width, first.height) if turns % 2 else (first.height, first.width)
    steps = np.diff(np.unique(times)) if len(times) == shown > 1 else np.array([])
    if len(steps):
        rate = float(1 / steps.mean())
    return VideoInfo(shown, size, rate, 90 * turns, shown / rate, _uneven(steps, tick))


def quarter_turns(rotation: float) -> int:
    """Counter-clockwise quarter turns, 0 to 3, that show a picture of this rotation upright."""
    return round(rotation / 90) % 4


def _uneven(steps: np.ndarray, tick: float) -> bool:
    if not len(steps):
        return False
    median = float(np.median(steps))
    return bool(np.abs(steps - median).max() > max(_UNEVEN * median, 1.5 * tick))
