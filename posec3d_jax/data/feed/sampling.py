"""Which frames of a clip the network sees: uniform sampling, or a fixed stride.

Frame indices only; nothing here touches coordinates. Every index is below the clip's length: clips
shorter than asked for are repeated from their start (index modulo length).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

REFERENCES = ("pyskl", "mmaction2")


def uniform_sample(
    num_frames: int,
    clip_len: int,
    num_clips: int,
    *,
    rng: np.random.RandomState,
    test: bool,
    p_interval: float | Sequence[float] = (1.0, 1.0),
    reference: str = "pyskl",
) -> np.ndarray:
    """Frames of one video as the PyTorch references draw them, index for index.

    A video is cut into `clip_len` equal segments and one frame is drawn from each. PYSKL first
    draws the share of the video to use (`p_interval`, one number or a range); mmaction2 has no
    such draw, so the same seed gives different frames.

    Args:
      num_frames: length of the video.
      clip_len: frames a clip.
      num_clips: clips, each drawn anew.
      rng: numpy's legacy generator, which stands in for the references' global one.
      test: test mode starts short videos evenly instead of at random.
      p_interval: share of the video, 'pyskl' only.
      reference: whose sequence of draws, 'pyskl' or 'mmaction2'.

    Returns:
      int64 [num_clips * clip_len], clip after clip.

    Raises:
      ValueError: no frames, or an unknown reference.
    """
    if num_frames < 1:
        raise ValueError(f"a clip needs at least one frame to sample from, got {num_frames}")
    if reference not in REFERENCES:
        raise ValueError(f"sampling.reference is {reference!r}; expected one of {REFERENCES}")
    low, high = np.broadcast_to(np.asarray(p_interval, float), (2,))
    clips = []
    for i in range(num_clips):
        used, offset = num_frames, 0
        if reference == "pyskl":
            used = int((rng.rand() * (high - low) + low) * num_frames)
            offset = rng.randint(num_frames - used + 1)
        clip = _one_clip(used, clip_len, i, num_clips, rng, test)
        clips.append((clip + offset) % num_frames)
    return np.concatenate(clips)


def _one_clip(
    length: int, clip_len: int, number: int, num_clips: int, rng: np.random.RandomState, test: bool
) -> np.ndarray:
    steps = np.arange(clip_len)
    if length < clip_len:
        if test:
            start = number if length < num_clips else number * length // num_clips
        else:
            start = rng.randint(0, max(length, 1))
        return start + steps
    if length < 2 * clip_len:
        gaps = np.zeros(clip_len + 1, dtype=np.int64)
        gaps[rng.choice(clip_len + 1, length - clip_len, replace=False)] = 1
        return steps + np.cumsum(gaps)[:-1]
    edges = np.arange(clip_len + 1) * length // clip_len
    return edges[:-1] + rng.randint(np.diff(edges))


@lru_cache(maxsize=8192)
def test_frames(
    num_frames: int, clip_len: int, num_clips: int, seed: int = 255, reference: str = "pyskl"
) -> np.ndarray:
    """The reference's test clips of a video: the same frames for every video of this length.

    Returns int64 [num_clips * clip_len], read-only because it is cached.
    """
    rng = np.random.RandomState(seed)
    frames = uniform_sample(
        num_frames, clip_len, num_clips, rng=rng, test=True, reference=reference
    )
    frames.setflags(write=False)
    return frames


test_frames.__test__ = False  # pytest would take the name for a test


def train_frames(lengths: np.ndarray, clip_len: int, rng: np.random.Generator) -> np.ndarray:
    """Uniform sampling of a whole batch, distributed as the references' training mode.

    One draw of a fixed shape serves the three cases (short, up to twice `clip_len`, longer), so
    that the frames of a row depend on its own length and position in the batch only.

    Args:
      lengths: int [B], frames of each clip.
      clip_len: frames to draw.
      rng: numpy generator.

    Returns:
      int32 [B, clip_len], non-decreasing except where a short clip wraps.
    """
    lengths = _checked(lengths)
    draws = rng.random((len(lengths), clip_len + 1))
    steps = np.arange(clip_len)
    frames = np.floor(draws[:, -1:] * lengths).astype(np.int64) + steps  # short: a random start

    middle = np.flatnonzero((lengths >= clip_len) & (lengths < 2 * clip_len))
    rank = draws[middle].argsort(axis=1).argsort(axis=1)
    gaps = rank < lengths[middle] - clip_len  # the skipped frames, drawn without replacement
    frames[middle] = steps + np.cumsum(gaps, axis=1)[:, :-1]

    long = np.flatnonzero(lengths >= 2 * clip_len)
    edges = np.arange(clip_len + 1) * lengths[long] // clip_len
    frames[long] = edges[:, :-1] + np.floor(draws[long, :-1] * np.diff(edges)).astype(np.int64)
    return (frames % lengths).astype(np.int32)


def stride_frames(
    lengths: np.ndarray,
    clip_len: int,
    stride: int,
    rng: np.random.Generator | None = None,
    num_clips: int = 1,
) -> np.ndarray:
    """Frames `stride` apart, what the paper compares uniform sampling with.

    With `rng` one clip from a random start; without, `num_clips` clips whose starts are spread
    evenly (a single one is centred). A video shorter than the clip may start anywhere and wraps.

    Args:
      lengths: int [B], frames of each clip.
      clip_len: frames to draw.
      stride: distance between them, in frames.
      rng: numpy generator of training, None for the fixed test clips.
      num_clips: test clips.

    Returns:
      int32 [B, num_clips * clip_len], clip after clip.
    """
    lengths = _checked(lengths)
    if stride < 1:
        raise ValueError(f"sampling.stride is {stride}; expected at least 1 frame")
    fits = lengths - (clip_len - 1) * stride
    starts = np.where(fits > 0, fits, lengths)  # how many places a clip can start at
    if rng is None:
        start = (2 * np.arange(num_clips) + 1) * starts // (2 * num_clips)
    else:
        start = np.floor(rng.random((len(lengths), 1)) * starts).astype(np.int64)
    frames = start[:, :, None] + np.arange(clip_len) * stride
    return (frames.reshape(len(lengths), -1) % lengths).astype(np.int32)


def _checked(lengths: np.ndarray) -> np.ndarray:
    """Lengths as an int64 column [B, 1], refused where there is nothing to draw from."""
    lengths = np.asarray(lengths, dtype=np.int64)[:, None]
    if lengths.size and lengths.min() < 1:
        row = int(lengths.argmin())
        raise ValueError(f"clip {row} of the batch has {lengths.min()} frames; expected at least 1")
    return lengths
