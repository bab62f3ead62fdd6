"""People through a video: searched for now and then, looked at again in between, told apart."""

import numpy as np

from posec3d_jax.poses.estimator import Estimator, Heatmaps, People, nobody
from posec3d_jax.poses.tracking import Track, Tracker, TrackerSettings, similarity
from posec3d_jax.skeletons.skeleton import Skeleton

SEARCH_EVERY = 10  # frames
# From which two poses in one frame are one person found twice: by similarity, or by the overlap of
# their boxes, for a network may take the same person to be seen from the front and from behind.
_SAME, _OVERLAP = 0.6, 0.7


class Follower:
    """Gives the people of one picture after the other, and who is who.

    The whole picture is searched in every `search_every`-th frame and in the one after somebody
    was lost; in the others the estimator looks again at whoever was there in the frame before.
    """

    def __init__(
        self,
        estimator: Estimator,
        search_every: int = SEARCH_EVERY,
        settings: TrackerSettings | None = None,
    ) -> None:
        """Raises ValueError unless `search_every` is positive."""
        if search_every < 1:
            raise ValueError(f"search_every is {search_every}; expected a positive number")
        self._estimator, self._every = estimator, search_every
        self._tracker = Tracker(settings)
        self._wait = 0  # frames until the next search
        self._last = -np.inf  # seconds: the frame before

    @property
    def skeleton(self) -> Skeleton:
        """Of the estimator."""
        return self._estimator.skeleton

    def __call__(self, image: np.ndarray, time: float) -> tuple[People, np.ndarray]:
        """The people of uint8 RGB [H, W, 3] at `time` (seconds, growing), and their numbers [M].

        Somebody too doubtful to begin a track is left out.
        """
        tracks = [t for t in self._tracker.current(time) if t.time == self._last]
        people = distinct(self._look(image, _people(tracks, self.skeleton.num_joints)))
        ids = self._tracker(people, time)
        lost = {track.id for track in tracks} - set(ids.tolist())
        self._wait, self._last = 0 if lost else self._wait - 1, time
        return people[ids >= 0], ids[ids >= 0]

    def _look(self, image: np.ndarray, known: People) -> People:
        """Whom a search finds, if it is time for one, and the known whom it does not."""
        found = nobody(self.skeleton.num_joints)
        if self._wait <= 0:
            found, self._wait = self._estimator(image), self._every
            known = known[~_same(known, found).any(1)]
        return _joined(found, self._estimator(image, known)) if len(known) else found


def distinct(people: People) -> People:
    """Without those who are somebody else found twice; the more confident pose stays."""
    order = np.argsort(-people.confidence, kind="stable")
    same = _same(people[order], people[order])
    kept: list[int] = []
    for n in range(len(order)):
        if not same[n, kept].any():
            kept.append(n)
    return people[np.sort(order[kept])] if kept else people


def _people(tracks: list[Track], joints: int) -> People:
    if not tracks:
        return nobody(joints)
    fields = [(t.keypoint, t.score, t.box, np.float32(t.score.mean())) for t in tracks]
    return People(*(np.stack(field) for field in zip(*fields, strict=True)))


def _same(some: People, others: People) -> np.ndarray:
    """Bool [N, M]: whether two poses are of one person."""
    alike = similarity(some.keypoint, some.score, others, 1.0)
    low = np.maximum(some.box[:, None, :2], others.box[:, :2])
    high = np.minimum(some.box[:, None, 2:], others.box[:, 2:])
    both = np.maximum(high - low, 0).prod(-1)
    one, other = ((box[:, 2:] - box[:, :2]).prod(-1) for box in (some.box, others.box))
    return (alike >= _SAME) | (both >= _OVERLAP * (one[:, None] + other - both).clip(1e-6))


def _joined(one: People, other: People) -> People:
    if not len(one) or not len(other):
        return one if len(one) else other
    pairs = zip(
        (one.keypoint, one.score, one.box, one.confidence),
        (other.keypoint, other.score, other.box, other.confidence),
        strict=True,
    )
    heatmaps, (a, b) = None, (one.heatmaps, other.heatmaps)
    if a is not None and b is not None:
        values, window = np.concatenate([a.values, b.values]), np.concatenate([a.window, b.window])
        heatmaps = Heatmaps(values, window)
    return People(*(np.concatenate(pair) for pair in pairs), heatmaps)
