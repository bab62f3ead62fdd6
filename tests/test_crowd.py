"""Simulated crowds: valid clips, everybody kept, sides as the camera sees them, splits apart."""

from itertools import islice

import numpy as np
import pytest

from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.simulation import crowd, read
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.skeletons.skeleton import get_skeleton


def _read(**options):
    options = {"num_clips": 25, "crowd": 13} | options
    skeleton = get_skeleton("coco_17")
    return read("", skeleton=skeleton, camera={}, report=ValidationReport(), **options)


@pytest.fixture(scope="module")
def clips():
    return list(_read().sequences)


def test_crowds_pass_the_validation_of_real_data_with_everybody_kept(clips):
    report = ValidationReport()
    limits = dict(num_classes=len(crowd.CLASS_NAMES), max_persons=13)
    kept = list(check_dataset(_read(), **limits, report=report))
    assert not report.findings, report.summary()
    assert [s.keypoint.shape for s in kept] == [s.keypoint.shape for s in clips]
    assert all(s.keypoint.shape[1:] == (crowd.FRAMES, 17, 2) for s in clips)
    assert {len(s.keypoint) for s in clips} <= set(range(10, 14))


def test_the_same_clip_alone_and_in_any_data_set(clips):
    _, plan = crowd.plan(7, 13)
    alone = crowd.shoot(plan, 0, 7)
    np.testing.assert_array_equal(alone.keypoint, clips[7].keypoint)
    other = next(islice(_read(seed=1).sequences, 7, None))
    assert other.keypoint.shape != alone.keypoint.shape or np.any(other.keypoint != alone.keypoint)


def test_sides_are_those_of_the_picture():
    """Who acts stands on the left of the crowd's middle where the label says so."""
    right = []
    for index in range(24):
        _, plan = crowd.plan(index, 13)
        clip = crowd.shoot(plan, 0, index)
        x = np.where(clip.score > 0, clip.keypoint[..., 0], np.nan)
        middle = np.nanmedian(np.nanmean(x, axis=(1, 2)))
        is_left = np.nanmean(x[clip.subject]) < middle
        right.append(is_left == crowd.CLASS_NAMES[plan.label].startswith("left"))
    assert np.mean(right) > 0.9


def test_splits_are_balanced_and_share_no_performer():
    counts, people = {}, {}
    for index in range(200):
        split, plan = crowd.plan(index, crowd.LARGEST)
        counts.setdefault(split, np.zeros(len(crowd.CLASS_NAMES), int))[plan.label] += 1
        people.setdefault(split, set()).update(plan.performers)
        assert len(set(plan.performers)) == crowd.LARGEST
    assert all(count.min() == count.max() for count in counts.values())
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not people[one] & people[other]


def test_refuses_crowds_that_it_cannot_make():
    for size in (1, 21):
        with pytest.raises(ValueError, match=f"crowd={size}: expected 2 to 20"):
            _read(crowd=size)
    with pytest.raises(ValueError, match="leave `actions` out"):
        _read(actions=("walk",))
