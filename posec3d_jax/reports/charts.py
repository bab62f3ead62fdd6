"""Charts of results: training curves and confusion matrices, as plain matplotlib `Figure`s."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from posec3d_jax.steps.metrics import normalize_confusion

TRAIN, VAL, OTHER = "#8a8a8a", "#0072b2", "#009e73"
# Panel title, then its lines: key of metrics.jsonl, label, colour.
PANELS = (
    ("loss", (("train/loss", "train", TRAIN), ("val/loss", "validation", VAL))),
    (
        "accuracy",
        (
            ("train/top1", "train top-1", TRAIN),
            ("val/top1", "validation top-1", VAL),
            ("val/mean_class", "validation mean class", OTHER),
        ),
    ),
    ("learning rate", (("train/learning_rate", "learning rate", TRAIN),)),
)
SMOOTH_FROM = 60  # points; a denser curve is drawn pale, with its moving average on top

# A right answer is blue, a mistake orange; both end in a colour that white and black text suit.
RIGHT = LinearSegmentedColormap.from_list("right", ["#deebf7", "#9ecae1", "#0b4f8a"])
WRONG = LinearSegmentedColormap.from_list("wrong", ["#fee4cd", "#fdae6b", "#a63603"])
WRONG_SCALE = PowerNorm(0.5, 0, 1)  # square root: one mistake in fifty is still to be seen


def draw_curves(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss, accuracy and learning rate by step, one panel each.

    Args:
      history: the lines of metrics.jsonl; null and missing values are gaps.

    Raises:
      ValueError: no line holds any of the keys of PANELS.
    """
    panels = drawable_panels(history)
    if not panels:
        raise ValueError("there is nothing to draw: no line has a loss, accuracy or learning rate")
    figure = Figure(figsize=(4.1 * len(panels), 3.1), layout="constrained")
    axes = figure.subplots(1, len(panels), sharex=True, squeeze=False)[0]
    for axis, (title, lines) in zip(axes, panels, strict=True):
        for key, label, color in lines:
            _draw_line(axis, *_series(history, key), label, color)
        _dress(axis, title)
    return figure


def drawable_panels(history: Sequence[Mapping[str, Any]]) -> list[tuple[str, list]]:
    """The PANELS and lines of which the history has at least one finite value."""
    panels = [
        (title, [line for line in lines if len(_series(history, line[0])[0])])
        for title, lines in PANELS
    ]
    return [(title, lines) for title, lines in panels if lines]


def _series(history: Sequence[Mapping[str, Any]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of one key; what was not finite is NaN, which draws as a gap."""
    rows = [(line["step"], line[key]) for line in history if key in line]
    steps = np.array([step for step, _ in rows], float)
    values = np.array([np.nan if value is None else value for _, value in rows], float)
    return (steps, values) if np.isfinite(values).any() else (steps[:0], values[:0])


def _draw_line(axis: Axes, steps, values, label: str, color: str) -> None:
    dense = len(steps) >= SMOOTH_FROM
    if dense:
        axis.plot(steps, values, color=color, lw=0.7, alpha=0.35)
        values = _moving_average(values, width=len(values) // 30 | 1)
    marker = dict(marker="o", ms=3) if len(steps) <= 30 else {}
    axis.plot(steps, values, color=color, lw=1.6, label=label, **marker)


def _moving_average(values: np.ndarray, width: int) -> np.ndarray:
    """Centred mean over `width` (odd) points, over fewer at the ends; NaN is left out."""
    window = np.ones(width)
    known = np.isfinite(values)
    total = np.convolve(np.where(known, values, 0), window, mode="same")
    count = np.convolve(known, window, mode="same")
    return np.where(known, total / np.maximum(count, 1), np.nan)


def _dress(axis: Axes, title: str) -> None:
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_xlabel("step", fontsize=9)
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.25, lw=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    if title == "accuracy":
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        axis.set_ylim(top=1.005)
    else:
        axis.set_ylim(bottom=0)
    if title != "learning rate":  # whose one line needs no name
        axis.legend(fontsize=8, frameon=False)


def draw_confusion(confusion: np.ndarray, class_names: Sequence[str] = ()) -> Figure:
    """Each true class (row) as fractions of its clips by predicted class (column).

    Args:
      confusion: counts, int [K, K].
      class_names: K names, or () to number the classes.

    Raises:
      ValueError: the matrix is not square, or has another number of classes than of names.
    """
    confusion = np.asarray(confusion)
    num_classes = len(confusion)
    if confusion.shape != (num_classes, num_classes) or len(class_names) not in (0, num_classes):
        raise ValueError(
            f"confusion has shape {confusion.shape} and there are {len(class_names)} class names; "
            "expected [K, K] and K names"
        )
    names = [_short(name) for name in class_names] or [str(k) for k in range(num_classes)]
    cell, font = _cell_size(num_classes)
    figure, axis = _square_axes(cell * num_classes, max(map(len, names)) * font * 0.6 / 72)
    axis.imshow(_confusion_image(confusion), interpolation="nearest")
    _label_classes(axis, confusion, names, font)
    if cell >= 0.1:
        _draw_grid(axis, num_classes)
    if cell >= 0.3:
        _write_counts(axis, confusion, font)
    _color_bars(figure, axis)
    return figure


def _square_axes(side: float, label: float) -> tuple[Figure, Axes]:
    """Axes of `side` x `side` inches with room for class labels that are `label` inches long."""
    left, bottom, right, top = label + 0.9, label + 0.5, 2.0, 0.4
    figure = Figure(figsize=(left + side + right, bottom + max(side, 1.2) + top))
    width, height = figure.get_size_inches()
    place = (left / width, 1 - (top + side) / height, side / width, side / height)
    return figure, figure.add_axes(place)


def _confusion_image(confusion: np.ndarray) -> np.ndarray:
    """RGBA [K, K, 4]: shares of the row, on the diagonal as right answers; white where none."""
    shares = normalize_confusion(confusion, "true")
    diagonal = np.eye(len(shares), dtype=bool)[..., None]
    image = np.where(diagonal, RIGHT(shares), WRONG(WRONG_SCALE(shares)))
    return np.where((confusion > 0)[..., None], image, 1.0)


def _cell_size(num_classes: int) -> tuple[float, float]:
    """Inches of a cell and points of its text, so that 10 to 400 classes stay readable."""
    if num_classes <= 30:
        return 0.36, 8.0
    cell = max(0.03, min(0.2, 12.0 / num_classes))
    return cell, min(7.0, max(5.0, cell * 60))


def _short(name: str, limit: int = 32) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "…"


def _label_classes(axis: Axes, confusion: np.ndarray, names: list[str], font: float) -> None:
    rows = [f"{name}  ({n})" for name, n in zip(names, confusion.sum(axis=1), strict=True)]
    if len(names) <= 150:
        axis.set_xticks(range(len(names)), names, rotation=90, fontsize=font, parse_math=False)
        axis.set_yticks(range(len(names)), rows, fontsize=font, parse_math=False)
    note = "" if len(names) <= 150 else ", by number"
    axis.set_xlabel(f"predicted class{note}", fontsize=8)
    axis.set_ylabel(f"true class{note or ' (clips)'}", fontsize=8)
    axis.tick_params(length=0 if not note else 3, pad=2, labelsize=font if not note else 8)
    axis.spines[:].set_color("0.6")


def _draw_grid(axis: Axes, num_classes: int) -> None:
    """Thin lines between the cells."""
    axis.set_xticks(np.arange(num_classes - 1) + 0.5, minor=True)
    axis.set_yticks(np.arange(num_classes - 1) + 0.5, minor=True)
    axis.grid(which="minor", color="0.9", lw=0.4)
    axis.tick_params(which="minor", length=0)


def _write_counts(axis: Axes, confusion: np.ndarray, font: float) -> None:
    shares = normalize_confusion(confusion, "true")
    for row, column in np.argwhere(confusion):
        share = shares[row, column]
        dark = share > 0.6 if row == column else WRONG_SCALE(share) > 0.75
        count = str(confusion[row, column])
        style = dict(color="white" if dark else "0.15", fontsize=font - max(0, len(count) - 3))
        axis.text(column, row, count, ha="center", va="center", **style)


def _color_bars(figure: Figure, axis: Axes) -> None:
    """Two small scales to the right of the matrix, 1.2 inches high."""
    width, height = figure.get_size_inches()
    box = axis.get_position()
    for i, (cmap, norm, title) in enumerate(
        ((RIGHT, None, "recognised"), (WRONG, WRONG_SCALE, "mistaken"))
    ):
        left, bottom = box.x1 + (0.3 + 0.8 * i) / width, box.y1 - 1.2 / height
        place = figure.add_axes((left, bottom, 0.13 / width, 1.2 / height))
        bar = figure.colorbar(ScalarMappable(norm=norm, cmap=cmap), cax=place)
        bar.set_ticks([0, 0.25, 0.5, 0.75, 1] if norm is None else [0, 0.05, 0.2, 0.5, 1])
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        bar.ax.tick_params(labelsize=7)
        bar.ax.set_title(title, fontsize=7, loc="left")
        bar.outline.set_linewidth(0.4)
    note = (box.x1 + 0.3 / width, box.y1 - 1.4 / height)
    figure.text(*note, "share of the true class", fontsize=7, va="top")
