"""Labels while things happen: a camera, a ring of poses, a label many times a second.

Poses are found in the newest picture there is; what arrives meanwhile is dropped, and counted. Each
label is made of the last seconds' poses, which a ring holds.
"""

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
from posec3d_jax.video.live import LiveCount, newest
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
    ring: deque[PoseFrame] = deque()
    follower, due = Follower(estimator, search_every), 0.0
    for arrived in newest(source, count):
        poses = pose_frame(follower, arrived.frame)
        ring.append(poses)
        while ring[0].time < poses.time - window:
            ring.popleft()
        if poses.time < due - _EARLY:
            continue
        due = max(due + 1 / rate, poses.time + 0.5 / rate)  # no backlog where a frame came late
        stream = PoseStream(follower.skeleton.joints, arrived.frame.image.shape[:2], ())
        for track in tracks_of(poses, whole):
            last = gather(list(ring), track, least=LEAST_SHARE * len(ring))
            if last is not None:
                scores = scores_of(last, stream)
                label, late = int(scores.argmax()), perf_counter() - arrived.clock
                person = None if track == EVERYBODY else track
                name, score = class_names[label], float(scores[label])
                yield LiveLabel(poses.time, person, label, name, score, late)


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
