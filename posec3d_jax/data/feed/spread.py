"""Frames spread evenly over a clip, however short: where a frame stands says how far the clip is.

Clips of people's own are often shorter than what a network sees. Uniform sampling lets such a clip
begin anywhere and go round; here frames are shown twice instead. In training the part of the clip
and the pace in it may vary.
"""

import numpy as np


def spread_frames(
    lengths: np.ndarray,
    clip_len: int,
    rng: np.random.Generator | None = None,
    *,
    num_clips: int = 1,
    share: float = 1.0,
    warp: float = 0.0,
) -> np.ndarray:
    """Frame i of T is the one at (i + phase) / T of the clip.

    The phase, between 0 and 1, is drawn in training, and (k + 1/2) / num_clips in test clip k.

    Args:
      lengths: int [B], frames of each clip, at least 1.
      clip_len: frames to choose, T.
      rng: numpy generator of training, None for the fixed test clips.
      num_clips: test clips.
      share: least part of the clip that a training sample spans; how much and from where is drawn.
      warp: greatest change of pace within a training sample, below 1.

    Returns:
      int32 [B, num_clips * clip_len], clip after clip; non-decreasing within a clip.

    Raises:
      ValueError: a clip without frames.
    """
    lengths = np.asarray(lengths, dtype=np.int64)[:, None]
    if lengths.size and lengths.min() < 1:
        raise ValueError(f"a clip of the batch has {lengths.min()} frames; expected at least 1")
    if rng is None:
        phases = (np.arange(num_clips) + 0.5) / num_clips
        place = ((np.arange(clip_len) + phases[:, None]) / clip_len).reshape(1, -1)
    else:
        place = _drawn(rng.random((len(lengths), 5, 1)), clip_len, share, warp)
    return np.minimum(np.floor(place * lengths), lengths - 1).astype(np.int32)


def _drawn(draws: np.ndarray, clip_len: int, share: float, warp: float) -> np.ndarray:
    """Places [B, T], 0 to 1, of five random numbers a clip [B, 5, 1]."""
    phase, span, start, first, second = draws.swapaxes(0, 1)
    place = (np.arange(clip_len) + phase) / clip_len
    # Two slow waves of the pace, around 1: together they change it by at most `warp`.
    bend = (2 * first - 1) * np.sin(np.pi * place) / np.pi
    bend += (2 * second - 1) * np.sin(2 * np.pi * place) / (2 * np.pi)
    place = place + warp / 2 * bend
    span = share + (1 - share) * span
    return start * (1 - span) + span * place
