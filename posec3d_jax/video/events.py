"""Labels over time: the probabilities of overlapping windows become events with a start and an end.

Time is cut into steps; a step's probabilities are the mean of those of all windows over it, and
neighbouring steps of one class are one event. An event is told as soon as no later window can
change it, so an endless stream takes no memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from posec3d_jax.video.windows import EVERYBODY, Window


@dataclass(frozen=True)
class Event:
    """Somebody does something for some time."""

    start: float  # seconds since the video's first frame
    end: float
    person: int | None  # the track's number, from 0; None for the whole picture
    label: int
    class_name: str
    score: float  # mean probability over the event

    def to_dict(self) -> dict:
        """JSON-able; times to the millisecond."""
        times = {"start": round(self.start, 3), "end": round(self.end, 3)}
        return times | {
            "person": self.person,
            "label": self.label,
            "class": self.class_name,
            "score": round(self.score, 4),
        }

    def __str__(self) -> str:
        who = "" if self.person is None else f"person {self.person + 1}: "
        return f"{clock(self.start)} - {clock(self.end)}  {who}{self.class_name} ({self.score:.2f})"


def clock(seconds: float) -> str:
    """'0:03.5', '1:02:03.5'."""
    tenths = round(max(seconds, 0) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest / 10:04.1f}"


@dataclass
class _Steps:
    """One track's steps that later windows may still change, and its event so far."""

    origin: float
    sums: dict[int, np.ndarray] = field(default_factory=dict)  # by step: summed probabilities
    counts: dict[int, int] = field(default_factory=dict)
    spans: dict[int, tuple[float, float]] = field(default_factory=dict)  # seen within the step
    run: list[tuple[float, float, float]] = field(default_factory=list)  # start, end, probability
    label: int = -1


class Labels:
    """Collects windows' probabilities and gives events as they end."""

    def __init__(self, step: float, class_names: Sequence[str], least_score: float = 0.0):
        """Steps whose best class has less than `least_score` belong to no event."""
        self._step, self._names, self._least = step, class_names, least_score
        self._tracks: dict[int, _Steps] = {}

    def add(self, window: Window, scores: np.ndarray) -> Iterator[Event]:
        """The events that end before this window; windows come in the order of their track."""
        track = self._tracks.get(window.track)
        if track is not None and track.origin != window.origin:
            yield from self._end(window.track)  # the person had left, and came back
            track = None
        track = self._tracks.setdefault(window.track, track or _Steps(window.origin))
        first = int((window.start - window.origin) / self._step + 1e-6)
        last = int((window.end - window.origin) / self._step + 1e-6)
        yield from self._settle(window.track, track, before=first)
        for step in range(first, last + 1):
            begin = window.origin + step * self._step
            span = max(window.start, begin), min(window.end, begin + self._step)
            old = track.spans.get(step, span)
            track.spans[step] = min(old[0], span[0]), max(old[1], span[1])
            track.sums[step] = track.sums.get(step, 0) + np.asarray(scores, np.float64)
            track.counts[step] = track.counts.get(step, 0) + 1

    def lost(self, before: float) -> Iterator[Event]:
        """The events of those who were in no window that ends after `before` (seconds)."""
        for number, track in list(self._tracks.items()):
            if track.sums and max(end for _, end in track.spans.values()) < before:
                yield from self._end(number)

    def finish(self) -> list[Event]:
        """The events that are still open, in order of their start."""
        ended = [event for number in list(self._tracks) for event in self._end(number)]
        return sorted(ended, key=lambda event: (event.start, event.person or 0))

    def _end(self, number: int) -> Iterator[Event]:
        track = self._tracks.pop(number)
        yield from self._settle(number, track, before=1 << 62)
        yield from self._close(number, track)

    def _settle(self, number: int, track: _Steps, before: int) -> Iterator[Event]:
        """Passes the steps that are decided on to the track's event."""
        for step in sorted(step for step in track.sums if step < before):
            scores = track.sums.pop(step) / track.counts.pop(step)
            start, end = track.spans.pop(step)
            label = int(scores.argmax())
            label = label if scores[label] >= self._least else -1
            apart = track.run and start > track.run[-1][1] + self._step
            if label != track.label or apart:
                yield from self._close(number, track)
            track.label = label
            if label >= 0:
                track.run.append((start, end, float(scores[label])))

    def _close(self, number: int, track: _Steps) -> Iterator[Event]:
        if track.run:
            starts, ends, scores = zip(*track.run, strict=True)
            person = None if number == EVERYBODY else number
            name, score = self._names[track.label], float(np.mean(scores))
            yield Event(starts[0], ends[-1], person, track.label, name, score)
        track.run, track.label = [], -1
