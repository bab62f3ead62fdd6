"""Labels while things happen: a camera, a ring of poses, a label many times a second.

Poses are found in the newest picture there is; what arrives meanwhile is dropped, and counted. Each
label is made of the last seconds' poses, which a ring holds. Poses are found in one thread while
another names what was found before, so that neither waits for the other.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from posec3d_jax.poses.estimator import Estimator
from posec3d_jax.poses.following import SEARCH_EVERY, Follower
from posec3d_jax.poses.sources import pose_frame
from posec3d_jax.video.events import clock
from posec3d_jax.video.live import Arrived, LiveCount, Slot, newest
from posec3d_jax.video.windows import (
    EVERYBODY,
    LEAST_SHARE,
    PoseFrame,
    PoseStream,
    Window,
    gather,
    tracks_of,
)

RATE = 10.0  # labels a second
_EARLY = 0.005  # seconds: less than a frame of any camera


@dataclass(frozen=True)
class LiveLabel:
    """What somebody does now."""

    time: float  # seconds since the first frame
    person: int | None  # None for the whole picture
    label: int
    class_name: str
    score: float  # probability
    latency: float  # seconds from the arrival of the newest frame in it to the label

    def to_dict(self) -> dict:
        """JSON-able; time and latency to the millisecond."""
        return {
            "time": round(self.time, 3),
            "person": self.person,
            "label": self.label,
            "class": self.class_name,
            "score": round(self.score, 4),
            "latency": round(self.latency, 3),
        }

    def __str__(self) -> str:
        who = "" if self.person is None else f"person {self.person + 1}: "
        what = f"{who}{self.class_name} ({self.score:.2f})"
        return f"{clock(self.time)}  {what}, {1000 * self.latency:.0f} ms"


def live_labels(
    source: str | Path,
    estimator: Estimator,
    scores_of: Callable[[Window, PoseStream], np.ndarray],
    class_names: tuple[str, ...],
    count: LiveCount,
    *,
    window: float,
    whole: bool = False,
    rate: float = RATE,
    search_every: int = SEARCH_EVERY,
) -> Iterator[LiveLabel]:
    """Labels everybody in sight `rate` times a second, from the last `window` seconds.

    Args:
      source: a camera's number, a stream's address, or a file, played at its own speed.
      estimator: finds people; its time is part of the latency.
      scores_of: the classes' probabilities [K] of a window of the stream's poses.
      class_names: K of them.
      count: is told how many frames arrived and how many had to be dropped.
      window: seconds that one label is made of.
      whole: label everybody together instead of person by person.
      rate: labels a second.
      search_every: frames until everybody is searched for again.

    Raises:
      VideoError: the source cannot be opened.
    """
    slot: Slot[_Round] = Slot()
    finder = _Finder(Follower(estimator, search_every), window, whole, rate)
    thread = threading.Thread(target=finder.run, args=(source, count, slot), daemon=True)
    thread.start()
    try:
        while (found := slot.take()) is not None:
            for track, last in found.windows:
                scores = scores_of(last, found.stream)
                label, late = int(scores.argmax()), perf_counter() - found.clock
                person = None if track == EVERYBODY else track
                name, score = class_names[label], float(scores[label])
                yield LiveLabel(found.time, person, label, name, score, late)
    finally:
        slot.close()
        thread.join(timeout=10)
    if finder.failure is not None:
        raise finder.failure


@dataclass(frozen=True)
class _Round:
    """What is to be labelled now."""

    time: float  # seconds since the first frame
    clock: float  # time.perf_counter() when the newest picture in it arrived
    windows: list[tuple[int, Window]]  # by track
    stream: PoseStream  # without frames: whose joints, and how large the pictures are


class _Finder:
    """Finds poses in the newest pictures, in a thread of its own, and says what is to be labelled.

    A round that nobody took before the next is given up.
    """

    def __init__(self, follower: Follower, window: float, whole: bool, rate: float) -> None:
        self._follower, self._window, self._whole = follower, window, whole
        self._step, self._due = 1 / rate, 0.0
        self._ring: deque[PoseFrame] = deque()
        self.failure: Exception | None = None

    def run(self, source: str | Path, count: LiveCount, slot: Slot[_Round]) -> None:
        """Until the source ends, or nobody takes rounds any more."""
        try:
            for arrived in newest(source, count):
                if slot.closed:
                    return
                if (found := self._add(arrived)) is not None:
                    slot.put(found)
        except Exception as error:  # raised again by whoever takes the rounds
            self.failure = error
        finally:
            slot.close()

    def _add(self, arrived: Arrived) -> _Round | None:
        """The poses of one more picture; a round where it is time for one."""
        poses = pose_frame(self._follower, arrived.frame)
        self._ring.append(poses)
        while self._ring[0].time < poses.time - self._window:
            self._ring.popleft()
        if poses.time < self._due - _EARLY:
            return None
        # No backlog where a frame came late.
        self._due = max(self._due + self._step, poses.time + 0.5 * self._step)
        tracks = tracks_of(poses, self._whole)
        least = LEAST_SHARE * len(self._ring)
        cut = [(track, gather(list(self._ring), track, least=least)) for track in tracks]
        windows = [(track, window) for track, window in cut if window is not None]
        stream = PoseStream(self._follower.skeleton.joints, arrived.frame.image.shape[:2], ())
        return _Round(poses.time, arrived.clock, windows, stream)


def latency_text(latencies: Sequence[float], count: LiveCount) -> str:
    """What a live run was like: frames, and seconds from a picture to its label."""
    lines = [f"{count.arrived} frames arrived, {count.dropped} of them were dropped"]
    if latencies:
        middle, most = (1000 * np.quantile(latencies, share) for share in (0.5, 0.95))
        delays = f"{middle:.0f} ms after their picture (19 of 20 within {most:.0f} ms)"
        lines.append(f"{len(latencies)} labels, {delays}")
    if count.error:
        lines.append(f"it ended because of {count.error}")
    return "\n".join(lines)
