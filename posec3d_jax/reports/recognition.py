"""What was recognised in a video, as files: events.json, events.csv, timeline.png."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posec3d_jax.files.disk import write_json, write_whole
from posec3d_jax.video.events import Event

EVENTS_JSON, EVENTS_CSV, TIMELINE = "events.json", "events.csv", "timeline.png"


@dataclass(frozen=True)
class Recognition:
    """What was found in one source."""

    events: tuple[Event, ...]  # in order of start
    source: str
    duration: float  # seconds: the time of the last frame
    frames: int
    windows: int
    persons: int

    def table(self) -> str:
        """A line an event."""
        if not self.persons:
            return f"nobody in {self.frames} frames"
        return "\n".join(map(str, self.events)) or "nothing was recognised"

    def to_dict(self) -> dict:
        """JSON-able."""
        facts = ("source", "duration", "frames", "windows", "persons")
        events = [event.to_dict() for event in self.events]
        return {name: getattr(self, name) for name in facts} | {"events": events}


def write_recognition(folder: Path, found: Recognition) -> None:
    """Writes the three files; DiskError where the folder cannot be written to."""
    from posec3d_jax.reports.drawing import save_figure  # here: Matplotlib takes long to load
    from posec3d_jax.reports.timeline import draw_timeline

    write_json(folder / EVENTS_JSON, found.to_dict())
    write_whole(folder / EVENTS_CSV, events_csv(found.events))
    save_figure(draw_timeline(found.events, found.duration, found.source), folder / TIMELINE)


def events_csv(events: Sequence[Event]) -> str:
    """A table with a header: times in seconds, persons from 0 (empty: everybody)."""
    text = io.StringIO()
    columns = ("start", "end", "person", "label", "class", "score")
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(event.to_dict() for event in events)
    return text.getvalue()
