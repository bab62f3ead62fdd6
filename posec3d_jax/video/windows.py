"""Windows over the poses of a video of any length: a track, or everybody, at a time.

A track's windows lie on a grid that begins where the track does, so that a person's labels do not
depend on what happened before. Memory is that of one window, however long the video is.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LEAST_SHARE = 0.5  # of a window's frames that a person must be seen in
EVERYBODY = -1  # the track of windows over the whole picture
_CLOSE = 1e-6  # seconds: times are sums of fractions


@dataclass(frozen=True)
class PoseFrame:
    """The persons of one frame of a video, tracked."""

    time: float  # seconds since the first frame
    keypoint: np.ndarray  # float32 [N, V, 2], (x, y) pixels; missing joints are exact zeros
    score: np.ndarray  # float32 [N, V], 0..1
    ids: np.ndarray  # int [N], whose row each is


@dataclass(frozen=True)
class PoseStream:
    """A video as poses, whatever they come from."""

    joints: tuple[str, ...]  # V names
    frame_size: tuple[int, int]  # (height, width) pixels
    frames: Iterable[PoseFrame]  # in order of time; read once
    name: str = ""  # what they come from, for people
    video: Path | None = None  # the pictures, where there are some
    every: int = 1  # of the video's frames


@dataclass(frozen=True)
class Window:
    """What a network is to name: one track's, or everybody's, poses over some seconds."""

    track: int  # a person's id, or EVERYBODY
    start: float  # seconds: of the first and the last frame that somebody was seen in
    end: float
    origin: float  # seconds: where the track's grid begins
    keypoint: np.ndarray  # float32 [M, T, V, 2]; M is 1 for a track
    score: np.ndarray  # float32 [M, T, V]


@dataclass
class _Track:
    """How far a track's windows are."""

    origin: float
    seen: float  # when last
    due: float  # the end of its next window


class Windows:
    """Cuts frames into windows as they come in: `add` every frame, `finish` at the end."""

    def __init__(self, length: float, step: float, whole: bool = False):
        """Windows of `length` seconds every `step` seconds; `whole` is all persons together.

        Raises ValueError unless 0 < step <= length.
        """
        if not 0 < step <= length:
            raise ValueError(
                f"a window of {length:g} s every {step:g} s leaves gaps or has no length; expected "
                "0 < step <= window"
            )
        self._length, self._step, self._whole = length, step, whole
        self._ring: deque[PoseFrame] = deque()
        self._tracks: dict[int, _Track] = {}
        self._first: float | None = None  # seconds: the first frame of all

    def add(self, frame: PoseFrame) -> Iterator[Window]:
        """The windows that end before this frame."""
        for track in list(self._tracks):
            yield from self._due(track, frame.time)
        while self._ring and self._ring[0].time < frame.time - self._length - _CLOSE:
            self._ring.popleft()
        self._ring.append(frame)
        self._first = frame.time if self._first is None else self._first
        for track in tracks_of(frame, self._whole):
            known = self._tracks.get(track)
            if known is None:
                self._tracks[track] = _Track(frame.time, frame.time, frame.time + self._length)
            else:
                known.seen = frame.time

    def finish(self) -> Iterator[Window]:
        """The windows that are left: those that would come if nobody were there from now on.

        Of a video shorter than a window everybody has one, however short they were seen.
        """
        if not self._ring:
            return
        short = self._ring[-1].time - self._first < self._length
        for track, state in self._tracks.items():
            if short:
                window = gather(list(self._ring), track, state.origin, least=1)
                yield from [window] if window else []
                continue
            while state.seen >= state.due - self._length - _CLOSE:
                yield from self._cut(track, state)
                state.due += self._step
        self._tracks.clear()

    def _due(self, track: int, now: float) -> Iterator[Window]:
        state = self._tracks[track]
        while state.due <= now + _CLOSE:
            yield from self._cut(track, state)
            state.due += self._step
            if state.seen < state.due - self._length - _CLOSE:
                del self._tracks[track]  # nobody in the next window; who comes back begins anew
                return

    def _cut(self, track: int, state: _Track) -> Iterator[Window]:
        """The window that ends when it is due, where the track is seen in enough of it."""
        start = state.due - self._length - _CLOSE
        frames = [frame for frame in self._ring if start <= frame.time < state.due - _CLOSE]
        if frames:
            whole = len(frames) + self._to_come(state.due)
            window = gather(frames, track, state.origin, least=LEAST_SHARE * whole)
            yield from [window] if window else []

    def _to_come(self, end: float) -> int:
        """How many frames there would be from the last one to `end`, if the video went on."""
        times = [frame.time for frame in self._ring]
        step = float(np.median(np.diff(times))) if len(times) > 1 else self._length
        return max(int((end - times[-1] - _CLOSE) / max(step, _CLOSE)), 0)


def gather(
    frames: Sequence[PoseFrame], track: int, origin: float = 0.0, least: float = 1
) -> Window | None:
    """The window of one track, or of EVERYBODY, over these frames, from when it is first seen on.

    None where it is in fewer than `least` of the frames. `origin` is passed on.
    """
    present = [i for i, frame in enumerate(frames) if track in tracks_of(frame, track == EVERYBODY)]
    if len(present) < max(least, 1):
        return None
    frames = frames[present[0] : present[-1] + 1]
    if track == EVERYBODY:
        rows = np.unique(np.concatenate([frame.ids for frame in frames]))
    else:
        rows = np.array([track])
    shape = (len(rows), len(frames), frames[0].keypoint.shape[1])
    keypoint, score = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
    for t, frame in enumerate(frames):
        wanted = np.flatnonzero((frame.ids == track) | (track == EVERYBODY))
        at = np.searchsorted(rows, frame.ids[wanted])
        keypoint[at, t], score[at, t] = frame.keypoint[wanted], frame.score[wanted]
    return Window(track, frames[0].time, frames[-1].time, origin, keypoint, score)


def tracks_of(frame: PoseFrame, whole: bool) -> list[int]:
    """The tracks that the frame belongs to: its persons', or EVERYBODY's where there is one."""
    if whole:
        return [EVERYBODY] if len(frame.ids) else []
    return frame.ids.tolist()


def cut_windows(
    frames: Iterable[PoseFrame], length: float, step: float, whole: bool = False
) -> Iterator[Window]:
    """All windows of a video, see `Windows`."""
    windows = Windows(length, step, whole)
    for frame in frames:
        yield from windows.add(frame)
    yield from windows.finish()
