"""A picture of labels over time: a row a person, a bar an event."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from posec3d_jax.video.events import Event, clock

COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
MOST_ROWS, MOST_NAMED = 40, 300  # persons and events; more would be unreadable
WIDTH, HEIGHT, ROW = 10.0, 1.0, 0.36  # inches: of the picture, of its frame, of a person


def draw_timeline(events: Sequence[Event], duration: float, title: str = "") -> Figure:
    """The events of a video of `duration` seconds. Paler bars are less certain.

    Of more than MOST_ROWS persons those with the longest events are shown, and the title says so.
    """
    rows = _rows(events)
    shown = [event for event in events if event.person in rows]
    figure = Figure(figsize=(WIDTH, HEIGHT + ROW * max(len(rows), 1)), layout="constrained")
    axis = figure.add_subplot()
    classes = sorted({event.label for event in shown})
    color = {label: COLORS[i % len(COLORS)] for i, label in enumerate(classes)}
    for event in shown:
        length = max(event.end - event.start, duration / 500)
        alpha = 0.35 + 0.65 * event.score
        row = rows[event.person]
        axis.barh(row, length, left=event.start, height=0.8, color=color[event.label], alpha=alpha)
        if len(shown) <= MOST_NAMED and length > duration * 0.008 * len(event.class_name):
            style = dict(va="center", fontsize=7, clip_on=True, parse_math=False)
            axis.text(event.start + duration * 0.003, row, event.class_name, **style)
    names = ["everybody" if person is None else f"person {person + 1}" for person in rows]
    axis.set_yticks(list(rows.values()), names, fontsize=8)
    axis.set(xlim=(0, max(duration, 1e-3)), ylim=(max(len(rows), 1) - 0.4, -0.6))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds)))
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right", "left"]].set_visible(False)
    named = {event.label: event.class_name for event in shown}
    bars = [axis.barh(0, 0, color=color[label], label=named[label]) for label in classes]
    if bars:
        figure.legend(loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    left = len({event.person for event in events}) - len(rows)
    note = f"   ({left} more persons with less to show)" if left else ""
    axis.set_title(title + note, loc="left", fontsize=9, parse_math=False)
    return figure


def _rows(events: Sequence[Event]) -> dict[int | None, int]:
    """The row of every person shown, in the order of their first event."""
    lengths: dict[int | None, float] = {}
    for event in events:
        lengths[event.person] = lengths.get(event.person, 0) + event.end - event.start
    kept = set(sorted(lengths, key=lambda person: -lengths[person])[:MOST_ROWS])
    order = dict.fromkeys(event.person for event in sorted(events, key=lambda e: e.start))
    return {person: row for row, person in enumerate(p for p in order if p in kept)}
