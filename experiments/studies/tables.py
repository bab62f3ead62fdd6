"""A study's table: cells of a mean and a spread over seeds."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


PERCENT = "%"  # of a figure that is stored as a fraction


@dataclass(frozen=True)
class Table:
    """One figure of the rows, such as top-1, in a table of lines and columns."""

    title: str
    value: str  # the figure in the cells
    columns: str  # the fact that differs from column to column; 'figure' is not printed before it
    lines: tuple[str, ...] = ("network",)  # the facts that differ from line to line
    where: Mapping[str, Any] = field(default_factory=dict)  # only rows with these facts
    unit: str = PERCENT
    published: Sequence[Row] = ()  # the paper's figures: rows of one measurement, set apart
    note: str = ""
    on_page: bool = True  # False leaves the table to the picture
    in_picture: bool = True  # False leaves it to the page


@dataclass(frozen=True)
class Cell:
    """The mean of a figure over seeds, its spread (None for one seed) and how many there were."""

    mean: float
    spread: float | None
    count: int


def cells(table: Table, rows: Sequence[Row]) -> dict[tuple, dict[Any, Cell]]:
    """By line and column, the figure's mean and spread; lines and columns in the rows' order."""
    found: dict[tuple, dict[Any, list[float]]] = {}
    for row in rows:
        needed = (table.value, table.columns, *table.lines)
        if all(row.get(key) == value for key, value in table.where.items()) and all(
            row.get(key) is not None for key in needed
        ):
            line = found.setdefault(tuple(row[key] for key in table.lines), {})
            line.setdefault(row[table.columns], []).append(row[table.value])
    return {line: {k: _cell(v) for k, v in values.items()} for line, values in found.items()}


def _cell(values: Sequence[float]) -> Cell:
    spread = statistics.stdev(values) if len(values) > 1 else None
    return Cell(statistics.fmean(values), spread, len(values))
