"""Telling people apart: through crossings, behind each other, away and back; and in a crowd."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.tracking import by_ours, crossing, measure
from posec3d_jax.poses.estimator import make_people, nobody
from posec3d_jax.poses.following import Follower, distinct
from posec3d_jax.poses.tracking import Tracker, TrackerSettings

RATE = 25.0
_POSE = np.random.default_rng(0).uniform((-30, -80), (30, 80), (17, 2))  # pixels about the middle


def _people(*middles: tuple[float, float] | None):
    """People of the same pose about these places; None for somebody who is not seen."""
    places = [_POSE + middle for middle in middles if middle is not None]
    return make_people(places, np.ones((len(places), 17))) if places else nobody(17)


def _walk(number: int):
    """Two people who meet in the middle: one from the left, one from the right."""
    return (100 + 4 * number, 200.0), (500 - 4 * number, 210.0)


def test_two_who_cross_keep_their_numbers():
    tracker = Tracker()
    for number in range(100):
        one, two = _walk(number)
        hidden = 45 <= number < 57  # the one behind is not found while they pass
        ids = tracker(_people(one, None if hidden else two), number / RATE)
        assert ids.tolist() == [0] if hidden else [0, 1]


def test_order_and_frame_rate_do_not_matter():
    tracker, rng = Tracker(), np.random.default_rng(0)
    for number in range(0, 100, 2):
        if number in (46, 48, 50, 52):
            continue  # uneven times
        order = rng.permutation(2)
        people = _people(*_walk(number))[order]
        assert tracker(people, number / RATE).tolist() == order.tolist()


def test_away_for_a_moment_and_away_for_long():
    tracker = Tracker(TrackerSettings(longest_gap=1.0))
    place = (300.0, 200.0)
    assert tracker(_people(place), 0.0).tolist() == [0]
    assert tracker(_people(None), 0.5).tolist() == []
    assert tracker(_people(place), 0.9).tolist() == [0]
    assert tracker(_people(place), 2.5).tolist() == [1]  # somebody new, for all one can know
    assert tracker(_people((900.0, 200.0)), 2.54).tolist() == [2]  # nobody jumps that far


def test_nobody_is_made_of_a_doubtful_pose():
    doubtful = make_people(_POSE[None], np.full((1, 17), 0.2))
    tracker = Tracker()
    assert tracker(doubtful, 0.0).tolist() == [-1]
    assert tracker(_people((0.0, 0.0)), 0.04).tolist() == [0]
    assert tracker(doubtful, 0.08).tolist() == [0]  # but it continues a track


@pytest.mark.parametrize("persons", [6, 12])
def test_a_simulated_crowd(persons):
    scene = crossing(persons, seed=7)
    counts = measure(scene, by_ours(scene, TrackerSettings()))
    assert 2 * counts["true"] / (counts["sightings"] + counts["numbered"]) > 0.97


def test_somebody_found_twice_is_one_person():
    people = _people((100.0, 100.0), (103.0, 101.0), (400.0, 100.0))
    surer = make_people(people.keypoint, people.score * np.array([[0.6], [0.9], [0.9]]))
    assert distinct(surer).keypoint[:, 0].tolist() == people.keypoint[[1, 2], 0].tolist()
    mirrored = make_people(
        [_POSE, _POSE * (-1, 1) + (_POSE[:, 0].min() + _POSE[:, 0].max(), 0)], people.score[:2]
    )
    assert len(distinct(mirrored)) == 1  # in the same place, seen as if from behind
    assert len(distinct(nobody(17))) == 0


class _Watcher:
    """An estimator that knows where people are, and notes how it was asked."""

    skeleton = SimpleNamespace(num_joints=17)

    def __init__(self):
        self.asked = []

    def __call__(self, image, known=None):
        number = int(image[0, 0, 0])
        self.asked.append("search" if known is None else len(known))
        there = [m for m in _walk(number) if not (number >= 8 and m[0] > 300)]
        if known is None:
            return _people(*there)
        near = np.abs(known.keypoint.mean(1)[:, None] - _POSE.mean(0) - there).sum(2) < 50
        return _people(*(there[n] for n in near.argmax(1)[near.any(1)]))


def test_pictures_are_searched_now_and_then_and_after_a_loss():
    estimator = _Watcher()
    follower = Follower(estimator, search_every=6)
    pictures = [np.full((1, 1, 3), n, np.uint8) for n in range(16)]
    ids = [follower(picture, n / RATE)[1].tolist() for n, picture in enumerate(pictures)]
    assert ids == [[0, 1]] * 8 + [[0]] * 8
    # Frame 8 lost somebody, so frame 9 searches, and with it the count begins anew.
    searches = [n for n, asked in enumerate(estimator.asked) if asked == "search"]
    assert searches == [0, 6, 9, 15]
    assert estimator.asked[1:6] == [2] * 5 and estimator.asked[10:15] == [1] * 5
    with pytest.raises(ValueError, match="search_every is 0"):
        Follower(estimator, search_every=0)
