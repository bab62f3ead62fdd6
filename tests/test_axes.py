"""Arrays that could be read in two ways are refused with what to do, never read the wrong way."""

import numpy as np
import pytest

from posec3d_jax.data.axes import misplaced_axes, third_channel
from posec3d_jax.files.arrays import BadSample
from tests.reading import read, sample, write


def _walk(persons=2, frames=30, joints=17, seed=0):
    """Bodies of some 100 pixels that move a few pixels a frame, each at its own place."""
    rng = np.random.default_rng(seed)
    body = rng.uniform(0, 100, (persons, 1, joints, 2))
    places = rng.uniform(0, 1500, (persons, 1, 1, 2))
    way = np.cumsum(rng.normal(0, 3, (persons, frames, 1, 2)), axis=1)
    return (body + places + way + rng.normal(0, 1, (persons, frames, joints, 2))).astype(np.float32)


def _padded(keypoint):
    """With a second person who is never there."""
    return np.concatenate([keypoint, np.zeros_like(keypoint)])


SWAPPED = {
    "two persons": _walk().transpose(1, 0, 2, 3),
    "one person": _walk(1).transpose(1, 0, 2, 3),
    "one and an empty place": _padded(_walk(1)).transpose(1, 0, 2, 3),
    "a crowd": _walk(20, 48).transpose(1, 0, 2, 3),
    "more persons than frames": _walk(25, 20).transpose(1, 0, 2, 3),
    "some joints missing": (_walk() * (np.arange(17) % 3 > 0)[:, None]).transpose(1, 0, 2, 3),
}


@pytest.mark.parametrize("kind", SWAPPED)
def test_frames_before_persons_are_told_by_how_bodies_move(kind):
    assert "transpose(1, 0, 2, 3)" in misplaced_axes(SWAPPED[kind], 17)


@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((3, 30, 17, 1), "(3, 1, 2, 0)"),  # [C, T, V, M], as graph networks have it
        ((30, 1, 17, 2), ""),
        ((1, 17, 30, 2), "(0, 2, 1, 3)"),
        ((1, 30, 2, 17), "(0, 1, 3, 2)"),
        ((30, 17, 2, 1), "(3, 0, 1, 2)"),
        ((1, 2, 30, 17), "(0, 2, 3, 1)"),
    ],
)
def test_axes_in_another_order_are_told_by_shape(shape, order):
    rng = np.random.default_rng(0)
    fault = misplaced_axes(rng.uniform(5, 95, shape).astype(np.float32), 17)
    assert f"transpose{order}" in fault if order else not fault


def test_persons_last_with_an_empty_second_place_and_a_missing_axis():
    channels_first = np.zeros((2, 30, 17, 2), np.float32)
    channels_first[..., 0] = _walk(1)[0].transpose(2, 0, 1)
    assert "as in [channels, frames, joints, persons]" in misplaced_axes(channels_first, 17)
    assert "keypoint[None]" in misplaced_axes(_walk(1)[0], 17)


@pytest.mark.parametrize(
    "keypoint",
    [
        _walk(1, 1),
        _walk(2, 2),
        _walk(3, 100),
        _walk(20, 2),
        _walk(20, 1),
        _walk(30, 10),
        np.repeat(_walk(1, 40), 3, axis=0),  # one body found three times
        np.random.default_rng(0).uniform(5, 95, (4, 3, 17, 2)),
        np.zeros((2, 30, 17, 2)),
        np.full((30, 2, 17, 2), np.nan),
    ],
)
def test_what_is_in_order_is_left_alone(keypoint):
    assert misplaced_axes(keypoint, 17) == ""


def test_joints_of_another_layout_are_no_matter_of_axes():
    assert misplaced_axes(np.ones((1, 17, 25, 2)), 17) == ""


def test_a_swapped_sample_blames_its_axes_and_not_total_frames(tmp_path):
    swapped = SWAPPED["two persons"]
    samples = [
        sample("a", keypoint=swapped, keypoint_score=None, total_frames=30),
        sample("b", keypoint=swapped, keypoint_score=None, total_frames=None),
    ]
    _, clips, report = read("pyskl", write(tmp_path / "a.pkl", samples))
    assert not clips and {(f.sample, f.kind) for f in report.errors} == {
        ("a", "wrong_axes"),
        ("b", "wrong_axes"),
    }


def _scored(third, scale=1.0):
    """(x, y) of a walk within a frame, and a third channel."""
    points = _walk(1)
    third = np.broadcast_to(np.float32(third), points.shape[:3])[..., None]
    return np.concatenate([points * scale, third], axis=-1)


RNG = np.random.default_rng(1)
AMBIGUOUS = {
    "pixels and scores": _scored(RNG.uniform(0, 1, (1, 30, 17))),
    "pixels and ones": _scored(1.0),
    "pixels and COCO's flags": _scored(RNG.integers(0, 3, (1, 30, 17))),
    "pixels and scores that overshoot": _scored(RNG.uniform(-0.1, 1.2, (1, 30, 17))),
    "pixels and metres": _scored(RNG.uniform(0.5, 4.5, (1, 30, 17))),
    "shares of the frame and scores": _scored(RNG.uniform(0, 1, (1, 30, 17)), 1 / 4000),
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_a_third_channel_that_is_no_depth_like_x_and_y_is_asked_for(kind, tmp_path):
    with pytest.raises(BadSample, match="third_channel = 'depth' or 'score'"):
        third_channel(AMBIGUOUS[kind], "", [])
    bare = sample("a", keypoint=AMBIGUOUS[kind], keypoint_score=None, img_shape=None)
    bare["total_frames"] = 30
    _, clips, report = read("pyskl", write(tmp_path / "a.pkl", [bare]))
    assert not clips and [f.kind for f in report.errors] == ["ambiguous_channels"]
    bare["img_shape"] = (2000, 2000)
    path = write(tmp_path / "b.pkl", [bare])
    _, clips, _ = read("pyskl", path, third_channel="score")
    np.testing.assert_allclose(clips["a"].score, AMBIGUOUS[kind][..., 2])
    assert read("pyskl", path, third_channel="depth")[1]


@pytest.mark.parametrize(
    "points",
    [
        np.concatenate([_walk(1) / 1000, np.full((1, 30, 17, 1), 3.2)], axis=-1),  # metres
        np.concatenate([_walk(1), np.full((1, 30, 17, 1), 3200.0)], axis=-1),  # millimetres
        RNG.normal(0, 0.4, (1, 30, 17, 3)),  # around the body's middle
        np.zeros((1, 30, 17, 3)),
    ],
)
def test_what_is_plainly_a_depth_is_projected(points):
    assert third_channel(points, "", []) == "depth"
