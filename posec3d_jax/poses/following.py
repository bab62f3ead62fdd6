"""People through a video: searched for now and then, looked at again in between, told apart."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from posec3d_jax.poses.estimator import Estimator, People, nobody
from posec3d_jax.poses.tracking import Track, Tracker, TrackerSettings, similarity
from posec3d_jax.video.decoding import Frame

SEARCH_EVERY = 10  # frames
_SAME = 0.6  # similarity from which two poses in one frame are one person found twice


@dataclass(frozen=True)
class Sighting:
    """The people in one frame and who they are."""

    index: int  # of the frame in its video
    time: float  # seconds since the first frame
    people: People
    ids: np.ndarray  # int [M], numbers of tracks; -1 for somebody too doubtful for one


def follow(
    frames: Iterable[Frame],
    estimator: Estimator,
    *,
    search_every: int = SEARCH_EVERY,
    settings: TrackerSettings | None = None,
) -> Iterator[Sighting]:
    """One sighting a frame, as the frames come.

    The whole picture is searched in every `search_every`-th frame and in the one after somebody
    was lost; in the others the estimator looks again at whoever was there in the frame before.

    Raises:
      ValueError: `search_every` is not positive.
    """
    if search_every < 1:
        raise ValueError(f"search_every is {search_every}; expected a positive number of frames")
    tracker, lost, last = Tracker(settings), True, -np.inf
    for number, frame in enumerate(frames):
        here = [track for track in tracker.tracks if track.time == last]
        tracks = [track for track in tracker.current(frame.time) if track.id in _ids(here)]
        known = _people(tracks, estimator.skeleton.num_joints)
        if number % search_every == 0 or lost:
            found = estimator(frame.image)
            known = known[_unlike(known, found)]
        else:
            found = nobody(estimator.skeleton.num_joints)
        if len(known):
            found = _joined(found, estimator(frame.image, known))
        people = distinct(found)
        ids = tracker(people, frame.time)
        lost, last = bool(_ids(here) - set(ids.tolist())), frame.time
        yield Sighting(frame.index, frame.time, people, ids)


def distinct(people: People) -> People:
    """Without those who are somebody else found twice; the more confident pose stays."""
    order = np.argsort(-people.confidence, kind="stable")
    alike = similarity(people.keypoint[order], people.score[order], people[order], 1.0)
    kept: list[int] = []
    for n in range(len(order)):
        if not kept or alike[n, kept].max() < _SAME:
            kept.append(n)
    return people[np.sort(order[kept])] if kept else people


def _ids(tracks: list[Track]) -> set[int]:
    return {track.id for track in tracks}


def _people(tracks: list[Track], joints: int) -> People:
    if not tracks:
        return nobody(joints)
    fields = [(t.keypoint, t.score, t.box, np.float32(t.score.mean())) for t in tracks]
    return People(*(np.stack(field) for field in zip(*fields, strict=True)))


def _unlike(known: People, found: People) -> np.ndarray:
    """Bool [M]: the known whom the search did not find."""
    if not len(known) or not len(found):
        return np.ones(len(known), bool)
    return similarity(known.keypoint, known.score, found, 1.0).max(1) < _SAME


def _joined(one: People, other: People) -> People:
    pairs = zip(
        (one.keypoint, one.score, one.box, one.confidence),
        (other.keypoint, other.score, other.box, other.confidence),
        strict=True,
    )
    return People(*(np.concatenate(pair) for pair in pairs))
