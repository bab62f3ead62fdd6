"""Pictures of what goes in: skeletons as stick figures, and heatmap volumes.

Blue is the body's left, orange its right, grey what has no side. Figures are plain matplotlib
`Figure` objects (no pyplot, no global state): save them with `save_figure`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.files.disk import replacing
from posec3d_jax.files.places import make_writable
from posec3d_jax.skeletons.skeleton import Skeleton

SIDES = ("left", "right", "centre")
SIDE_COLORS = ("#0072b2", "#d55e00", "#4d4d4d")  # on white; safe for colour-blind readers
GLOW_COLORS = ("#3fa9f5", "#ff7a1a", "#d9d9d9")  # on black
PERSON_LINES = ("-", (0, (3, 1)), (0, (1, 0.8)))  # first, second, every further person
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels
PANEL_HEIGHT = 2.1  # inches, of one frame of draw_skeletons
_MAIN, _STRIP, _GAP, _LABEL = 3.3, 1.2, 0.12, 0.22  # inches, of draw_volume's layout
_SMALL = dict(fontsize=8, color="0.3")
_TITLE = _SMALL | dict(pad=3)
_LEGEND = dict(ncols=8, fontsize=8, frameon=False, handlelength=2.2, borderaxespad=0.2)


def save_figure(figure: Figure, path: str | Path, dpi: int = 120) -> Path:
    """Writes a PNG, whole or not at all, makes its folder where it is missing; returns its path.

    Raises DiskError where it cannot be written.
    """
    path = Path(path)
    make_writable(path.parent)
    style = dict(bbox_inches="tight", pad_inches=0.08, metadata={"Software": None})
    with replacing(path) as partial:
        figure.savefig(partial, dpi=dpi, format="png", **style)
    return path


def joint_sides(skeleton: Skeleton) -> np.ndarray:
    """Index into SIDES of every joint, int [V]."""
    sides = np.full(skeleton.num_joints, SIDES.index("centre"))
    for left, right in skeleton.pairs:
        sides[left], sides[right] = SIDES.index("left"), SIDES.index("right")
    return sides


def limb_sides(skeleton: Skeleton) -> np.ndarray:
    """Index into SIDES of every limb, int [L]; one between the two sides belongs to neither."""
    joints, centre = joint_sides(skeleton), SIDES.index("centre")
    sides = []
    for a, b in skeleton.limbs:
        named = {int(side) for side in (joints[a], joints[b]) if side != centre}
        sides.append(named.pop() if len(named) == 1 else centre)
    return np.array(sides, dtype=int)


def visible_joints(sequence: SkeletonSequence) -> np.ndarray:
    """Which joints are there, bool [M, T, V]: neither exact zeros nor without any confidence."""
    return (sequence.keypoint != 0).any(axis=-1) & (sequence.score > 0)


def spread_frames(total: int, num: int) -> list[int]:
    """At most `num` distinct frames, evenly spread from the first to the last."""
    if total < 1 or num < 1:
        raise ValueError(f"cannot pick {num} of {total} frames; expected at least 1 of both")
    return np.unique(np.linspace(0, total - 1, num).round().astype(int)).tolist()


def draw_skeletons(
    sequence: SkeletonSequence, skeleton: Skeleton, num: int = 8, title: str = ""
) -> Figure:
    """A clip as stick figures: the whole frame first, then `num` frames close up.

    Joints that are missing are left out, uncertain ones are pale; the frame's border is a thin
    line. Persons differ by their line: solid, dashed, dotted.

    Raises:
      ValueError: the sequence does not have the layout's number of joints.
    """
    if sequence.keypoint.shape[2:] != (skeleton.num_joints, 2):
        raise ValueError(
            f"clip {sequence.name!r} has keypoints of shape {sequence.keypoint.shape}; expected "
            f"[M, T, {skeleton.num_joints}, 2] for layout {skeleton.name!r}"
        )
    visible = visible_joints(sequence)
    frames = spread_frames(visible.shape[1], num)
    view = _close_up(sequence, visible, frames)
    figure, overview, axes = _overview_and_panels(_aspect(view), len(frames))
    _panel(overview, _union(view, _frame_box(sequence)), sequence.frame_size)
    if view != _frame_box(sequence):
        overview.add_patch(_rectangle(view, color="0.5", linestyle=(0, (2, 2))))
    height, width = sequence.frame_size
    overview.set_title(f"whole frame, {width} × {height} px", **_TITLE)
    for axis, t in zip(axes, frames, strict=True):
        _panel(axis, view, sequence.frame_size)
        _draw_frame(axis, sequence, skeleton, visible, t, size=1.0)
        _draw_frame(overview, sequence, skeleton, visible, t, size=0.5)
        axis.set_title(f"t = {t}{_missing_note(visible[:, t])}", **_TITLE)
    persons = np.flatnonzero(visible.any(axis=(1, 2)))
    figure.suptitle(title or sequence.name, x=0.01, ha="left", fontsize=10, parse_math=False)
    figure.legend(handles=_legend(skeleton, persons), loc="outside lower left", **_LEGEND)
    return figure


def _missing_note(visible: np.ndarray) -> str:
    """What the title says of one frame's persons, [M, V] visible or not."""
    seen = visible[visible.any(axis=1)]
    if not len(seen):
        return ", nobody"
    missing = int((~seen).sum())
    return f", {missing} missing" if missing else ""


def _legend(skeleton: Skeleton, persons: np.ndarray) -> list[Line2D]:
    """Sides that the layout has, and the lines of the persons where there are several."""
    used = sorted(set(joint_sides(skeleton).tolist()))
    lines = [Line2D([], [], color=SIDE_COLORS[s], lw=2, label=SIDES[s]) for s in used]
    names = ("person 1", "person 2", "further persons")
    for i in sorted(set(np.minimum(persons, 2).tolist())) if len(persons) > 1 else ():
        lines.append(Line2D([], [], color="0.3", lw=1.5, ls=PERSON_LINES[i], label=names[i]))
    return lines


def _close_up(sequence: SkeletonSequence, visible: np.ndarray, frames: Sequence[int]) -> Box:
    """Box (x0, y0, x1, y1) around all persons in `frames`, of a bearable shape; in pixels."""
    points = sequence.keypoint[:, frames][visible[:, frames]]
    if not len(points):
        return _frame_box(sequence)
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum(high - low, 1.0) * 1.2
    size = np.maximum(size, [size[1] * 0.6, size[0] / 1.25])  # neither narrow nor flat
    (x0, y0), (x1, y1) = (low + high - size) / 2, (low + high + size) / 2
    return (float(x0), float(y0), float(x1), float(y1))


def _frame_box(sequence: SkeletonSequence) -> Box:
    height, width = sequence.frame_size
    return (0.0, 0.0, float(width), float(height))


def _union(a: Box, b: Box) -> Box:
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _aspect(box: Box) -> float:
    return (box[2] - box[0]) / (box[3] - box[1])


def _overview_and_panels(aspect: float, count: int) -> tuple[Figure, Axes, list[Axes]]:
    """A large panel on the left, and `count` of width/height `aspect` in two rows beside it."""
    rows = 1 if count <= 4 else 2
    columns = -(-count // rows)
    widths = [PANEL_HEIGHT * (1 + rows) / 1.5] + [PANEL_HEIGHT * aspect] * columns
    figure = Figure(figsize=(sum(widths) + 0.15 * columns, (PANEL_HEIGHT + 0.2) * rows + 0.6))
    figure.set_layout_engine("constrained", w_pad=0.03, wspace=0, h_pad=0.03, hspace=0)
    grid = figure.add_gridspec(rows, 1 + columns, width_ratios=widths)
    cells = [(row, column) for row in range(rows) for column in range(1, 1 + columns)]
    panels = [figure.add_subplot(grid[cell]) for cell in cells[:count]]
    return figure, figure.add_subplot(grid[:, 0]), panels


def _panel(axis: Axes, box: Box, frame_size: tuple[int, int]) -> None:
    """Image axes (y down) that show `box`, with the border of the video frame."""
    x0, y0, x1, y1 = box
    margin = 0.01 * max(x1 - x0, y1 - y0)
    axis.set(xlim=(x0 - margin, x1 + margin), ylim=(y1 + margin, y0 - margin), aspect="equal")
    axis.set(xticks=[], yticks=[], facecolor="#f4f4f2")
    axis.spines[:].set_visible(False)
    height, width = frame_size
    axis.add_patch(_rectangle((0, 0, width, height), color="0.4", facecolor="white"))


def _rectangle(box: Box, color: str, facecolor: str = "none", **style) -> Rectangle:
    x0, y0, x1, y1 = box
    return Rectangle(
        (x0, y0), x1 - x0, y1 - y0, edgecolor=color, facecolor=facecolor, lw=0.8, **style
    )


def _draw_frame(axis: Axes, sequence, skeleton: Skeleton, visible, t: int, size: float) -> None:
    """All persons of frame t; `size` scales lines and points."""
    limb_colors = [SIDE_COLORS[side] for side in limb_sides(skeleton)]
    joint_colors = np.array([to_rgb(SIDE_COLORS[side]) for side in joint_sides(skeleton)])
    for person in np.flatnonzero(visible[:, t].any(axis=-1)):
        points, seen = sequence.keypoint[person, t], visible[person, t]
        alpha = 0.25 + 0.75 * np.clip(sequence.score[person, t], 0, 1)
        shown = [i for i, (a, b) in enumerate(skeleton.limbs) if seen[a] and seen[b]]
        segments = [points[list(skeleton.limbs[i])] for i in shown]
        colors = [(limb_colors[i], alpha[list(skeleton.limbs[i])].min()) for i in shown]
        style = PERSON_LINES[min(person, 2)]
        lines = LineCollection(segments, colors=colors, linewidths=2 * size, linestyles=[style])
        axis.add_collection(lines, autolim=False)
        dots = np.column_stack([joint_colors, alpha])[seen]
        axis.scatter(*points[seen].T, s=9 * size**2, c=dots, linewidths=0, zorder=3)


def draw_volume(
    volume: np.ndarray, skeleton: Skeleton, kind: str, num: int = 8, title: str = ""
) -> Figure:
    """A heatmap volume: the maximum over time, time against x and against y, and `num` frames.

    Args:
      volume: float [T, H, W, C], as the network gets it. Brightness is relative to its maximum.
      skeleton: whose joints or limbs the channels are.
      kind: 'keypoints' (C = V), 'limbs' (C = L), or 'both' (joints first).

    Raises:
      ValueError: an unknown kind, or another number of channels than it has.
    """
    volume = np.asarray(volume, np.float32)
    strength = _side_strength(volume, _channel_sides(skeleton, kind))
    frames = spread_frames(len(strength), num)
    shape = " × ".join(str(n) for n in volume.shape)
    heading = f"{title or f'{kind} volume'}   [T × H × W × C = {shape}, max {volume.max():.3g}]"
    aspect = strength.shape[1] / strength.shape[2]  # height / width
    total = _MAIN * aspect + _STRIP + _GAP  # inches, of the drawings without heading and labels
    panel = (total - (_LABEL if len(frames) > 1 else 0)) / min(len(frames), 2)
    columns, step = -(-len(frames) // 2), panel / aspect + _GAP
    left = 2 * _LABEL + _MAIN + _STRIP + 2 * _GAP
    figure = Figure(figsize=(left + columns * step + _GAP, total + 3 * _LABEL))
    figure.text(
        _GAP / figure.get_figwidth(), 0.985, heading, va="top", fontsize=10, parse_math=False
    )
    _draw_projections(figure, strength, aspect)
    for i, t in enumerate(frames):
        corner = left + i % columns * step, _LABEL + (panel + _LABEL) * (1 - i // columns)
        corner = (corner[0], _LABEL) if len(frames) == 1 else corner
        axis = _axes_at(figure, *corner, panel / aspect, panel)
        _show(axis, strength[t], f"t = {t}")
    return figure


def _channel_sides(skeleton: Skeleton, kind: str) -> np.ndarray:
    sides = dict(
        keypoints=joint_sides(skeleton),
        limbs=limb_sides(skeleton),
        both=np.concatenate([joint_sides(skeleton), limb_sides(skeleton)]),
    )
    if kind not in sides:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(sides)}")
    return sides[kind]


def _side_strength(volume: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """The strongest channel of each side, relative to the volume's maximum: [T, H, W, 3]."""
    if volume.ndim != 4 or volume.shape[3] != len(sides):
        raise ValueError(
            f"the volume has shape {volume.shape}; expected [T, H, W, C] with C = {len(sides)}"
        )
    strongest = [volume[..., sides == side].max(axis=-1, initial=0) for side in range(len(SIDES))]
    return np.stack(strongest, axis=-1) / max(float(volume.max()), 1e-12)


def _draw_projections(figure: Figure, strength: np.ndarray, aspect: float) -> None:
    """Maximum over time; time against x below it and y against time beside it, edges aligned."""
    x, y, height = 2 * _LABEL, _LABEL + _STRIP + _GAP, _MAIN * aspect
    main = _axes_at(figure, x, y, _MAIN, height)
    beside = _axes_at(figure, x + _MAIN + _GAP, y, _STRIP, height)
    below = _axes_at(figure, x, _LABEL, _MAIN, _STRIP)
    _show(main, strength.max(axis=0), "maximum over time")
    _show(beside, strength.max(axis=2).swapaxes(0, 1), "y over time")
    _show(below, strength.max(axis=1), "")
    below.set_xlabel("x over time", labelpad=3, **_SMALL)
    below.set_ylabel(f"t = {len(strength) - 1} … 0", **_SMALL)
    beside.set_xlabel(f"t = 0 … {len(strength) - 1}", **_SMALL)
    sides = [
        Line2D([], [], color=c, lw=4, label=s) for s, c in zip(SIDES, GLOW_COLORS, strict=True)
    ]
    place = dict(loc="center left", bbox_to_anchor=(1.05, 0.4), fontsize=8, frameon=False)
    below.legend(handles=sides, **place)


def _axes_at(figure: Figure, x: float, y: float, width: float, height: float) -> Axes:
    """Axes with their lower left corner at (x, y), everything in inches."""
    w, h = figure.get_size_inches()
    return figure.add_axes((x / w, y / h, width / w, height / h))


def _show(axis: Axes, strength: np.ndarray, title: str) -> None:
    """An image [rows, columns, 3]: every pixel in the colour of its strongest side."""
    colors = np.array([to_rgb(color) for color in GLOW_COLORS])[strength.argmax(axis=-1)]
    brightness = np.clip(strength.max(axis=-1, keepdims=True), 0, 1)
    axis.imshow(brightness * colors, aspect="auto", interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.set_title(title, **_TITLE)
