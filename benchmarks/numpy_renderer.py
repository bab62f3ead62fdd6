"""Heatmap volumes drawn on the host, a joint of a person of a frame at a time.

The way the published PyTorch systems work (each gaussian only inside its window), written anew; it
stands for what feeds a GPU there. Values equal `posec3d_jax.encoders.heatmaps`.
"""

import numpy as np


def keypoint_volume(
    keypoint: np.ndarray, score: np.ndarray, size: tuple[int, int], sigma: float = 0.6
) -> np.ndarray:
    """[M, T, V, 2] pixels of the volume and [M, T, V] scores to float32 [V, T, H, W]."""
    persons, frames, joints = score.shape
    volume = np.zeros((joints, frames, *size), np.float32)
    for t in range(frames):
        for v in range(joints):
            for m in range(persons):
                if score[m, t, v] >= 1e-3:
                    _draw_point(volume[v, t], *keypoint[m, t, v], score[m, t, v], sigma)
    return volume


def limb_volume(
    keypoint: np.ndarray, score: np.ndarray, limbs, size: tuple[int, int], sigma: float = 0.6
) -> np.ndarray:
    """The same for limbs [L, 2]: float32 [L, T, H, W]."""
    persons, frames, _ = score.shape
    volume = np.zeros((len(limbs), frames, *size), np.float32)
    for t in range(frames):
        for index, (a, b) in enumerate(limbs):
            for m in range(persons):
                if min(score[m, t, a], score[m, t, b]) >= 1e-3:
                    ends, heights = keypoint[m, t, [a, b]], score[m, t, [a, b]]
                    _draw_limb(volume[index, t], ends, heights, sigma)
    return volume


def _window(low: float, high: float, length: int, sigma: float) -> np.ndarray:
    first = max(int(low - 3 * sigma), 0)
    last = min(int(high + 3 * sigma) + 1, length)
    return np.arange(first, last, dtype=np.float32)


def _draw_point(frame: np.ndarray, x: float, y: float, height: float, sigma: float) -> None:
    columns = _window(x, x, frame.shape[1], sigma)
    rows = _window(y, y, frame.shape[0], sigma)[:, None]
    if columns.size and rows.size:
        patch = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)) * height
        _merge(frame, rows, columns, patch)


def _draw_limb(frame: np.ndarray, ends: np.ndarray, heights: np.ndarray, sigma: float) -> None:
    (ax, ay), (bx, by) = ends
    length = (bx - ax) ** 2 + (by - ay) ** 2
    if length < 1:
        _draw_point(frame, ax, ay, heights[0], sigma)
        return
    columns = _window(min(ax, bx), max(ax, bx), frame.shape[1], sigma)
    rows = _window(min(ay, by), max(ay, by), frame.shape[0], sigma)[:, None]
    if not columns.size or not rows.size:
        return
    along = ((columns - ax) * (bx - ax) + (rows - ay) * (by - ay)) / length
    along = np.clip(along, 0, 1)
    distance = (columns - ax - along * (bx - ax)) ** 2 + (rows - ay - along * (by - ay)) ** 2
    _merge(frame, rows, columns, np.exp(-distance / (2 * sigma**2)) * heights.min())


def _merge(frame: np.ndarray, rows: np.ndarray, columns: np.ndarray, patch: np.ndarray) -> None:
    top, left = int(rows[0, 0]), int(columns[0])
    region = frame[top : top + patch.shape[0], left : left + patch.shape[1]]
    np.maximum(region, patch, out=region)
