"""The figure of a study: a panel for each table, curves if its columns are numbers, else bars."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from experiments.studies.tables import Cell, Table

# Colours that colour-blind people can tell apart (Okabe and Ito).
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
MARKERS = "osD^vPX*"
PANEL = (4.6, 3.5)  # inches
IN_A_ROW = 3
Lines = Mapping[tuple, Mapping[Any, "Cell"]]  # by line and column


def draw(panels: Sequence[tuple["Table", Lines]], path: Path) -> None:
    """Writes the PNG; tables without any cell have no panel."""
    panels = [(table, values) for table, values in panels if values]
    across = max(1, min(IN_A_ROW, len(panels)))
    down = max(1, -(-len(panels) // across))
    figure = Figure(figsize=(PANEL[0] * across, PANEL[1] * down), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for axis, (table, values) in zip(axes, panels, strict=False):
        _panel(axis, table, values)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    figure.savefig(path, dpi=130)


def _panel(axis: Axes, table: "Table", values: Lines) -> None:
    columns = list(dict.fromkeys(column for line in values.values() for column in line))
    numbers = len(columns) > 2 and all(isinstance(column, int | float) for column in columns)
    (_curves if numbers else _bars)(axis, table, values, columns)
    axis.set_title(table.title, fontsize=9)
    axis.set_xlabel(table.columns.replace("_", " "), fontsize=8)
    unit = f" ({table.unit})" if table.unit else ""
    axis.set_ylabel(table.value.replace("_", " ") + unit, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(axis="y", linewidth=0.4, color="0.85")
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_axisbelow(True)
    axis.legend(
        fontsize=6.5, frameon=False, ncol=2, loc="upper center", bbox_to_anchor=(0.5, -0.17)
    )


def _curves(axis: Axes, table: "Table", values: Lines, columns: Sequence) -> None:
    for i, (line, cells) in enumerate(values.items()):
        x = sorted(cells)
        axis.errorbar(
            x,
            [_shown(table, cells[column].mean) for column in x],
            [_shown(table, cells[column].spread or 0) for column in x],
            color=COLORS[i % len(COLORS)],
            marker=MARKERS[i % len(MARKERS)],
            markersize=4,
            linewidth=1.3,
            capsize=2,
            label=_label(line),
        )
    axis.set_ylim(bottom=0)


def _bars(axis: Axes, table: "Table", values: Lines, columns: Sequence) -> None:
    width = 0.8 / len(values)
    for i, (line, cells) in enumerate(values.items()):
        axis.bar(
            [columns.index(column) + (i - (len(values) - 1) / 2) * width for column in cells],
            [_shown(table, cell.mean) for cell in cells.values()],
            width * 0.92,
            yerr=[_shown(table, cell.spread or 0) for cell in cells.values()],
            color=COLORS[i % len(COLORS)],
            error_kw=dict(linewidth=0.8, capsize=2),
            label=_label(line),
        )
    axis.set_xticks(range(len(columns)), [str(column).replace("_", " ") for column in columns])


def _shown(table: "Table", value: float) -> float:
    return 100 * value if table.unit == "%" else value


def _label(line: tuple) -> str:
    return ", ".join(str(part).replace("_", " ") for part in line if part != "")
