"""Who is who from frame to frame: poses are matched to where tracks would be by now.

How alike two poses are is COCO's object keypoint similarity, with wider tolerances: between two
frames people move. Which pose continues which track is decided for all at once.
"""

from dataclasses import dataclass, replace

import numpy as np

from posec3d_jax.poses.estimator import People

# How exactly people mark each COCO joint, in sizes of the person: the constants of the COCO
# keypoint evaluation. Joints of other layouts get the mean.
_COCO = 2e-3 * np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89])


@dataclass(frozen=True)
class TrackerSettings:
    """What decides which poses are one person; times in seconds."""

    wider: float = 2.0  # factor on COCO's tolerances
    least: float = 0.2  # similarity from which a pose may continue a track
    longest_gap: float = 1.0  # a track not seen for longer has ended
    steady: float = 0.6  # time constant over which a track's speed is averaged
    confident: float = 0.3  # confidence that a new track needs


@dataclass(frozen=True)
class Track:
    """Somebody as last seen."""

    id: int
    time: float  # seconds, when seen last
    keypoint: np.ndarray  # float32 [V, 2]
    score: np.ndarray  # float32 [V]
    box: np.ndarray  # float32 [4]
    velocity: np.ndarray  # float32 [2], pixels a second


class Tracker:
    """Gives the people of one frame after the other numbers that stay with the person.

    Numbers start from 0 and are never used again; somebody who comes back after `longest_gap` is
    somebody new.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self.tracks: list[Track] = []
        self._next = 0

    def __call__(self, people: People, time: float) -> np.ndarray:
        """Numbers of the people of a frame at `time` (seconds, growing): int [M].

        -1 for somebody too doubtful to begin a track.
        """
        tracks = self.current(time)
        ids = np.full(len(people), -1)
        known = {track.id: track for track in self.tracks}
        for track, person in self._pairs(tracks, people):
            ids[person] = track.id
            known[track.id] = self._continued(known[track.id], people, person, time)
        for person in np.flatnonzero(ids < 0):
            if people.confidence[person] >= self.settings.confident:
                ids[person], self._next = self._next, self._next + 1
                still = np.zeros(2, np.float32)
                known[ids[person]] = _seen(int(ids[person]), people, person, time, still)
        ended = time - self.settings.longest_gap
        self.tracks = [track for track in known.values() if track.time >= ended]
        return ids

    def current(self, time: float) -> list[Track]:
        """The tracks that may go on, moved to where they would be at `time`."""
        gap = self.settings.longest_gap
        return [_moved(track, time) for track in self.tracks if time - track.time <= gap]

    def _pairs(self, tracks: list[Track], people: People) -> list[tuple[Track, int]]:
        """Which person continues which track, so that similarities add up to the most."""
        if not tracks or not len(people):
            return []
        from scipy.optimize import linear_sum_assignment  # here: it takes long to load

        places = np.stack([track.keypoint for track in tracks])
        scores = np.stack([track.score for track in tracks])
        alike = similarity(places, scores, people, self.settings.wider)
        rows, columns = linear_sum_assignment(-alike)
        found = zip(rows, columns, alike[rows, columns], strict=True)
        return [(tracks[r], int(c)) for r, c, a in found if a >= self.settings.least]

    def _continued(self, track: Track, people: People, person: int, time: float) -> Track:
        """The track with what was seen of it now; its speed is a running mean."""
        seconds = max(time - track.time, 1e-6)
        both = (track.score > 0) & (people.score[person] > 0)
        steps = (people.keypoint[person] - track.keypoint)[both]
        speed = np.median(steps, axis=0) / seconds if len(steps) else track.velocity
        share = 1 - np.exp(-seconds / self.settings.steady)
        velocity = track.velocity + share * (speed - track.velocity)
        return _seen(track.id, people, person, time, velocity.astype(np.float32))


def similarity(places: np.ndarray, scores: np.ndarray, people: People, wider: float) -> np.ndarray:
    """Object keypoint similarity of poses and people: [N, M], 0 to 1.

    Joints weigh as much as the lower of their two scores; the size is that of the larger pose.

    Args:
      places: [N, V, 2] pixels.
      scores: [N, V].
      people: M of them.
      wider: factor on COCO's tolerances.
    """
    place, score = places[:, None], scores[:, None]
    joints = place.shape[2]
    sigma = _COCO if joints == len(_COCO) else np.full(joints, _COCO.mean())
    both = np.minimum(score, people.score)  # [N, M, V]
    size = np.maximum(_size(place, score), _size(people.keypoint, people.score))[..., None]
    square = ((place - people.keypoint) ** 2).sum(-1)
    close = np.exp(-square / (2 * (wider * sigma * size) ** 2 + 1e-9))
    return (both * close).sum(-1) / np.maximum(both.sum(-1), 1e-9)


def _size(keypoint: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Side in pixels of a square as large as the box around the found joints: [...]."""
    found = score[..., None] > 0
    low = np.where(found, keypoint, np.inf).min(-2)
    high = np.where(found, keypoint, -np.inf).max(-2)
    sides = np.where(np.isfinite(high - low), high - low, 0)
    return np.sqrt(np.maximum(sides.prod(-1), (sides.max(-1) / 4) ** 2))


def _moved(track: Track, time: float) -> Track:
    step = (track.velocity * (time - track.time)).astype(np.float32)
    box = track.box + np.tile(step, 2)
    return replace(track, keypoint=track.keypoint + step, box=box)


def _seen(number: int, people: People, person: int, time: float, velocity: np.ndarray) -> Track:
    keypoint, score = people.keypoint[person], people.score[person]
    return Track(number, time, keypoint, score, people.box[person], velocity)
