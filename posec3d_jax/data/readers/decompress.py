"""Kinetics' compressed poses: one row a detected person and frame, unfolded to persons x frames.

The published Kinetics-400 poses hold a row [V, 3] (x, y, score) for every person that a detector
found, with the frame it was found in, instead of a mostly empty array.
"""

import numpy as np

MOST_CELLS = 100_000_000  # joints x frames x persons of a clip; 600 MB


def decompress_pose(
    rows: np.ndarray,
    frame_inds: np.ndarray,
    total_frames: int,
    *,
    keep: np.ndarray | None = None,
    squeeze: bool = True,
    max_person: int = 10,
) -> tuple[np.ndarray, np.ndarray]:
    """Unfold the rows of one video.

    Args:
        rows: [N, V, 3] (x, y, score), a row a detected person.
        frame_inds: int [N], the frame of each row, in order.
        total_frames: frames of the video.
        keep: bool [N], rows to use; None for all.
        squeeze: leave out the frames in which nobody was found, so that T is the number of the
            others (a video without any row keeps its T).
        max_person: persons a frame is cut to, the highest total score first.

    Returns:
        keypoint [M, T, V, 2] and score [M, T, V], float16 as published. M is the greatest number of
        persons in a frame; a frame's persons stand in the order of the rows, or, where there are
        too many anywhere, in the order of their scores. They are no tracks.

    Raises:
        ValueError: shapes that do not fit, frames out of order or beyond the video.
    """
    rows, frames = np.asarray(rows), np.asarray(frame_inds)
    if rows.ndim != 3 or rows.shape[2] != 3 or frames.shape != rows.shape[:1]:
        expected = "expected [N, V, 3] (x, y, score) and [N]"
        raise ValueError(f"keypoint {rows.shape} and frame_inds {frames.shape}; {expected}")
    if frames.dtype.kind not in "iu":
        raise ValueError(f"frame_inds has dtype {frames.dtype}, expected whole numbers")
    if keep is not None and keep.shape != frames.shape:
        raise ValueError(f"{keep.shape} rows to keep or not, but {frames.shape} rows")
    if keep is not None:
        rows, frames = rows[keep], frames[keep]
    if len(frames) and (np.any(np.diff(frames.astype(np.int64)) < 0) or frames[0] < 0):
        raise ValueError("frame_inds is negative or not in order; rows must be sorted by frame")
    if squeeze and len(frames):
        present, frames = np.unique(frames, return_inverse=True)
        total_frames = len(present)
    elif len(frames) and frames[-1] >= total_frames:
        raise ValueError(f"frame_inds reaches {frames[-1]}, total_frames is {total_frames}")
    if not 0 <= total_frames <= MOST_CELLS:
        raise ValueError(f"total_frames is {total_frames}")
    per_frame = np.bincount(frames, minlength=total_frames)
    # A row's place among those of its frame: its number less that of the frame's first row.
    place = np.arange(len(frames)) - (np.cumsum(per_frame) - per_frame)[frames]
    cells = int(per_frame.max(initial=0)) * total_frames * rows.shape[1]
    if cells > MOST_CELLS:
        raise ValueError(f"{cells} joints when unfolded, {rows.shape[0]} rows in the file")
    unfolded = np.zeros((per_frame.max(initial=0), total_frames, *rows.shape[1:]), np.float16)
    unfolded[place, frames] = rows
    if len(unfolded) > max_person:
        order = np.argsort(-unfolded[..., 2].sum(axis=-1), axis=0, kind="stable")[:max_person]
        unfolded = np.take_along_axis(unfolded, order[..., None, None], axis=0)
    return unfolded[..., :2], unfolded[..., 2]
