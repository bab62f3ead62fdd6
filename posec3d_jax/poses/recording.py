"""A video's poses as arrays: a row for each track, a column for each frame; long ones in parts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.poses.estimator import Estimator, Heatmaps, People
from posec3d_jax.poses.following import SEARCH_EVERY, Follower
from posec3d_jax.poses.tracking import TrackerSettings
from posec3d_jax.video.decoding import Tally, decode

# Numbers of one recording's keypoints: what the directory format's reader takes, and memory.
_LARGEST = 60_000_000
_LARGEST_MAPS = 1 << 28  # bytes of one recording's heatmaps


@dataclass(frozen=True)
class RecordingSettings:
    """What decides the numbers of a recording, besides the estimator."""

    every: int = 1  # take each `every`-th frame
    search_every: int = SEARCH_EVERY  # of the frames taken
    shortest: int = 3  # tracks seen in fewer frames are left out (of a shorter video: none)
    segment: float = 0.0  # seconds after which a new recording begins; 0 for one of everything
    tracker: TrackerSettings = TrackerSettings()

    def __post_init__(self) -> None:
        for name in ("every", "search_every", "shortest"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected a positive number")
        if not self.segment >= 0:
            raise ValueError(f"segment is {self.segment}; expected seconds, or 0 for no segments")


@dataclass(frozen=True)
class Recording:
    """The M tracks in T frames of a video; joints, and whole rows, that were not seen are zeros."""

    keypoint: np.ndarray  # float32 [M, T, V, 2] pixels (x, y)
    score: np.ndarray  # float32 [M, T, V]
    box: np.ndarray  # float32 [M, T, 4], (left, top, right, bottom) pixels
    ids: np.ndarray  # int32 [M], numbers of the tracks in the whole video
    frame: np.ndarray  # int32 [T], which frames of the video
    time: np.ndarray  # float64 [T], seconds since its first
    dropped: int  # tracks that were too short
    heatmaps: Heatmaps | None = None  # values [M, T, H, W, V], window [M, T, 4]; zeros as above

    @property
    def seen(self) -> np.ndarray:
        """Bool [M, T]: where somebody was seen."""
        return (self.score > 0).any(-1)


@dataclass(frozen=True)
class _Seen:
    index: int
    time: float
    people: People
    ids: np.ndarray


def record(
    path: str | Path, estimator: Estimator, settings: RecordingSettings, tally: Tally
) -> Iterator[Recording]:
    """The recordings of a video, in order of time: one, or one a segment.

    Pictures are handled as they are decoded; memory grows with people and frames of a segment, by
    some 200 bytes for each.

    Args:
      path: a video file.
      estimator: finds the people.
      settings: see there.
      tally: is filled in with what was decoded.

    Raises:
      FileNotFoundError, VideoError: as `video.decoding.decode`.
      ValueError: too many people and frames for one array; says to use segments.
    """
    follower = Follower(estimator, settings.search_every, settings.tracker)
    held: list[_Seen] = []
    for frame in decode(path, every=settings.every, tally=tally):
        if held and settings.segment and frame.time - held[0].time >= settings.segment:
            yield _arrays(held, follower.skeleton.num_joints, settings, path)
            held = []
        held.append(_Seen(frame.index, frame.time, *follower(frame.image, frame.time)))
    yield _arrays(held, follower.skeleton.num_joints, settings, path)


def _arrays(
    seen: list[_Seen], joints: int, settings: RecordingSettings, path: str | Path
) -> Recording:
    numbers, counts = np.unique(np.concatenate([s.ids for s in seen]), return_counts=True)
    long = counts >= min(settings.shortest, len(seen))
    kept = numbers[long].astype(np.int32)
    shape = (len(kept), len(seen))
    heatmaps = _blank_heatmaps(seen, shape)
    too_many = np.prod(shape) * joints * 2 > _LARGEST
    if too_many or (heatmaps is not None and heatmaps.values.nbytes > _LARGEST_MAPS):
        raise ValueError(
            f"{path}: {len(kept)} tracks in {len(seen)} frames are too much for one clip; cut it "
            "into several with --segment=SECONDS"
        )
    keypoint, score = np.zeros((*shape, joints, 2), np.float32), np.zeros((*shape, joints))
    box, row = np.zeros((*shape, 4), np.float32), {number: i for i, number in enumerate(kept)}
    for t, here in enumerate(seen):
        for person, number in enumerate(here.ids):
            if number in row:
                at = row[number], t
                keypoint[at], score[at] = here.people.keypoint[person], here.people.score[person]
                box[at] = here.people.box[person]
                if heatmaps is not None:
                    heatmaps.values[at] = here.people.heatmaps.values[person]
                    heatmaps.window[at] = here.people.heatmaps.window[person]
    return Recording(
        keypoint,
        score.astype(np.float32),
        box,
        kept,
        np.array([s.index for s in seen], np.int32),
        np.array([s.time for s in seen]),
        int((~long).sum()),
        heatmaps,
    )


def _blank_heatmaps(seen: list[_Seen], shape: tuple[int, int]) -> Heatmaps | None:
    """Zeros for the heatmaps of [M, T] persons, where there are any. Zeros that nothing is written
    to take no memory."""
    kept = [s.people.heatmaps for s in seen if len(s.people) and s.people.heatmaps is not None]
    if not kept:
        return None
    maps = np.zeros((*shape, *kept[0].values.shape[1:]), np.uint8)
    return Heatmaps(maps, np.zeros((*shape, 4), np.float32))


def counts(recording: Recording) -> Counter[str]:
    """What to tell of a recording; those of a video's segments add up."""
    seen = recording.seen
    return Counter(
        frames=seen.shape[1],
        frames_without_anybody=int((~seen.any(0)).sum()),
        gaps=sum(int((np.diff(np.flatnonzero(row)) > 1).sum()) for row in seen),
        short_tracks_left_out=recording.dropped,
    )
