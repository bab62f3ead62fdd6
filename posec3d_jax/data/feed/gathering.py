"""The frames that an encoder asks for: drawn of each modality, and gathered of the chosen clips."""

from collections.abc import Callable

import numpy as np

from posec3d_jax.data.feed.sampling import REFERENCES, stride_frames, test_frames, train_frames
from posec3d_jax.data.feed.spread import spread_frames
from posec3d_jax.data.stored.sources import Source
from posec3d_jax.skeletons.needs import MODALITIES, AllNeeds

METHODS = ("uniform", "stride", "spread")
Batch = dict[str, np.ndarray]
Frames = dict[str, np.ndarray]  # int [B, T] of each modality
# (clips [B], frames [B, T]) to a batch's `rgb` and `rgb_size`
Pictures = Callable[[np.ndarray, np.ndarray], Batch]


def train_sampler(sampling, needs: AllNeeds) -> Callable[[np.ndarray, np.random.Generator], Frames]:
    """(lengths [B], generator) to frames; each modality is drawn for itself, one after the other.

    Raises ValueError for an unknown `sampling.method`.
    """
    _check_method(sampling)

    def draw(lengths: np.ndarray, rng: np.random.Generator) -> Frames:
        frames = {}
        for name, count in _counts(needs):
            if sampling.method == "uniform":
                frames[name] = train_frames(lengths, count, rng)
            elif sampling.method == "spread":
                bounds = {"share": sampling.share, "warp": sampling.warp}
                frames[name] = spread_frames(lengths, count, rng, **bounds)
            else:
                frames[name] = stride_frames(lengths, count, sampling.stride, rng)
        return frames

    return draw


def test_sampler(sampling, needs: AllNeeds, num_clips: int) -> Callable[[np.ndarray], Frames]:
    """Lengths [B] to the frames of the fixed test clips; every modality starts at the same seed.

    Raises ValueError for an unknown `sampling.method` or `sampling.reference`, or no clips.
    """
    _check_method(sampling)
    if num_clips < 1:
        raise ValueError(f"{num_clips} test clips were asked for; expected at least 1")
    if sampling.reference not in REFERENCES:
        raise ValueError(
            f"sampling.reference is {sampling.reference!r}; expected one of {REFERENCES}"
        )
    options = num_clips, sampling.test_seed, sampling.reference

    def frames_of(lengths: np.ndarray, count: int) -> np.ndarray:
        if sampling.method == "stride":
            return stride_frames(lengths, count, sampling.stride, num_clips=num_clips)
        if sampling.method == "spread":
            return spread_frames(lengths, count, num_clips=num_clips)
        return np.stack([test_frames(int(n), count, *options) for n in lengths])

    return lambda lengths: {name: frames_of(lengths, count) for name, count in _counts(needs)}


test_sampler.__test__ = False  # pytest would take the name for a test


def _counts(needs: AllNeeds) -> list[tuple[str, int]]:
    """Of how many frames are drawn, by modality; whole clips need no draw."""
    drawn = (name for name in MODALITIES if name in needs and not needs[name].whole)
    return [(name, needs[name].frames) for name in drawn]


def _every_frame(source: Source, index: np.ndarray) -> np.ndarray:
    """All frames of the clips [B], int [B, T] with T the longest clip's of the data set."""
    lengths = source.lengths[index]
    longest = max(source.info.max_frames, int(lengths.max()))
    return np.minimum(np.arange(longest, dtype=np.int32), lengths[:, None] - 1)


def _check_method(sampling) -> None:
    if sampling.method not in METHODS:
        raise ValueError(f"sampling.method is {sampling.method!r}; expected one of {METHODS}")


def gather(
    source: Source,
    index: np.ndarray,
    frames: Frames,
    needs: AllNeeds,
    rows: bool = False,
    pictures: Pictures | None = None,
) -> Batch:
    """The clips `index` [B] as a batch: see `pipeline` for its keys.

    `pictures` reads the RGB frames, where they are needed.

    With `rows` the rows of the pack that `source` is are named instead of read.
    """
    chosen = _every_frame(source, index) if needs["pose"].whole else frames["pose"]
    ended = np.zeros(chosen.shape, bool)
    rgb: Batch = {}
    if "rgb" in needs:
        if pictures is None:
            raise ValueError("this network needs RGB frames, and only poses are given")
        rgb = pictures(index, frames["rgb"])
    following = needs["pose"].following
    if following:
        last = source.lengths[index][:, None] - 1
        ended = np.concatenate([ended, chosen >= last], 1)
        chosen = np.concatenate([chosen, np.minimum(chosen + 1, last)], 1)
    if rows:
        named = source.rows(index, chosen).astype(np.int32)
        named = np.where(ended[:, None], ~named, named)
        size, label = source.table.frame_size[index], source.labels[index]
        batch = {"rows": named, "frame_size": size, "label": label}
        return batch | rgb | {"index": index}
    batch = source.gather(index, chosen) | rgb
    if following:
        keypoint = batch["keypoint"]
        keypoint[np.broadcast_to(ended[:, None], keypoint.shape[:3])] = np.nan
    return batch | {"index": index}
