"""Windows over a video's poses, and the events that their labels become."""

import numpy as np
import pytest

from posec3d_jax.video.events import Event, Labels, clock
from posec3d_jax.video.spool import PoseSpool
from posec3d_jax.video.windows import EVERYBODY, PoseFrame, Windows, cut_windows

NAMES = ("walk", "run")
NOBODY = PoseFrame(0.0, np.zeros((0, 2, 2)), np.zeros((0, 2)), np.zeros(0, int))


def frames(spans, rate=10, joints=2):
    """Persons by number, each seen in [start, end) seconds; keypoints tell person and time."""
    last = max(end for _, end in spans.values())
    for i in range(round(last * rate)):
        time = i / rate
        ids = np.array([p for p, (start, end) in spans.items() if start <= time < end], int)
        keypoint = np.zeros((len(ids), joints, 2), np.float32)
        keypoint[..., 0], keypoint[..., 1] = ids[:, None] + 1, time + 1
        yield PoseFrame(time, keypoint, np.ones(keypoint.shape[:2], np.float32), ids)


def spans_of(windows):
    return [(w.track, round(w.start, 3), round(w.end, 3)) for w in windows]


def test_windows_begin_with_their_track_and_hold_only_it():
    windows = list(cut_windows(frames({0: (0, 4), 7: (1.3, 3.3)}), length=2, step=1))
    assert spans_of(w for w in windows if w.track == 0) == [
        (0, 0, 1.9),
        (0, 1, 2.9),
        (0, 2, 3.9),
        (0, 3, 3.9),
    ]
    only = next(w for w in windows if w.track == 7)
    assert only.keypoint.shape == (1, 20, 2, 2) and (only.keypoint[..., 0] == 8).all()
    np.testing.assert_allclose(only.keypoint[0, :, 0, 1], 2.3 + np.arange(20) / 10, atol=1e-5)


def test_short_clips_gaps_and_returns():
    assert spans_of(cut_windows(frames({0: (0, 0.5)}), 2, 0.5)) == [(0, 0, 0.4)]
    assert not list(cut_windows([NOBODY], 2, 1))
    seen = [f for f in frames({0: (0, 9)}) if not 3 <= f.time < 7]
    gap = [PoseFrame(3 + i / 10, NOBODY.keypoint, NOBODY.score, NOBODY.ids) for i in range(40)]
    video = sorted([*seen, *gap], key=lambda f: f.time)
    origins = {round(w.origin, 3) for w in cut_windows(video, 2, 1)}
    assert origins == {0, 7}, "who comes back begins anew"
    assert all(w.end < 3 or w.start >= 7 for w in cut_windows(video, 2, 1))


def test_whole_windows_have_everybody_in_rows():
    windows = list(cut_windows(frames({0: (0, 2), 3: (1, 2)}), 2, 1, whole=True))
    assert [w.track for w in windows] == [EVERYBODY]
    assert windows[0].keypoint.shape[:2] == (2, 20)
    assert not windows[0].score[1, :10].any() and (windows[0].keypoint[1, 10:, :, 0] == 4).all()


def test_nothing_depends_on_what_comes_after():
    alone = spans_of(cut_windows(frames({0: (0, 5.3)}), 2, 0.5))
    seen = list(frames({0: (0, 5.3)}))
    gap = [PoseFrame(5.3 + i / 10, NOBODY.keypoint, NOBODY.score, NOBODY.ids) for i in range(40)]
    assert spans_of(cut_windows([*seen, *gap], 2, 0.5)) == alone


def test_memory_is_that_of_one_window():
    windows = Windows(1, 0.5)
    longest = 0
    for frame in frames({0: (0, 60)}):
        for _ in windows.add(frame):
            pass
        longest = max(longest, len(windows._ring))
    assert longest <= 12


@pytest.mark.parametrize(("length", "step"), [(0, 0), (1, 2), (1, -1)])
def test_windows_that_leave_gaps_are_refused(length, step):
    with pytest.raises(ValueError, match="step"):
        Windows(length, step)


def events_of(spans, score_of, length=2, step=0.5, least=0.0):
    labels, found = Labels(step, NAMES, least), []
    for window in cut_windows(frames(spans), length, step):
        found += labels.add(window, score_of(window))
    return found + labels.finish()


def until(change):
    """'walk' before `change` seconds, 'run' after it, by the share of the window."""

    def score_of(window):
        share = np.clip((change - window.start) / (window.end - window.start), 0, 1)
        return np.array([share, 1 - share])

    return score_of


def test_a_change_becomes_two_events_at_its_time():
    first, second = events_of({0: (0, 10)}, until(5))
    assert (first.class_name, second.class_name) == NAMES and first.person == 0
    assert first.start == 0 and second.end == pytest.approx(9.9)
    assert first.end == pytest.approx(5, abs=0.51) and first.end <= second.start
    assert first.score > 0.8


def test_events_are_the_same_wherever_a_person_is_in_a_video():
    alone = events_of({0: (0, 5)}, lambda w: until(w.origin + 2.5)(w))
    later = events_of({3: (0, 1), 0: (27.3, 32.3)}, lambda w: until(w.origin + 2.5)(w))
    later = [event for event in later if event.person == 0]
    assert [e.label for e in later] == [e.label for e in alone]
    shifted = [(e.start - 27.3, e.end - 27.3, e.score) for e in later]
    np.testing.assert_allclose(shifted, [(e.start, e.end, e.score) for e in alone], atol=1e-6)


def test_unsure_steps_belong_to_no_event_and_the_lost_are_told():
    assert events_of({0: (0, 3)}, lambda w: np.array([0.4, 0.6]), least=0.7) == []
    labels = Labels(0.5, NAMES)
    (window, *_) = cut_windows(frames({0: (0, 2)}), 2, 0.5)
    assert list(labels.add(window, np.array([1, 0]))) == []
    assert list(labels.lost(before=1.0)) == [] and len(list(labels.lost(before=5.0))) == 1
    assert labels.finish() == []


def test_event_texts():
    event = Event(3.04, 67.26, 1, 0, "walk", 0.934)
    assert str(event) == "0:03.0 - 1:07.3  person 2: walk (0.93)"
    assert str(Event(0, 1, None, 0, "walk", 1.0)) == "0:00.0 - 0:01.0  walk (1.00)"
    assert event.to_dict()["class"] == "walk" and clock(3723.5) == "1:02:03.5"


def test_spooled_frames_come_back():
    video = list(frames({0: (0, 1), 1: (0.5, 1)}))
    with PoseSpool() as spool:
        assert len(list(spool.through(video))) == 10
        for _ in range(2):
            for was, now in zip(video, spool, strict=True):
                assert was.time == now.time and was.ids.tolist() == now.ids.tolist()
                np.testing.assert_array_equal(was.keypoint, now.keypoint)
