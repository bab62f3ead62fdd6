"""Frames spread over a clip: where they lie, in tests and in training."""

import numpy as np
import pytest

from posec3d_jax.data.feed.spread import spread_frames

LENGTHS = np.array([1, 5, 16, 40, 400])


def test_test_clips_are_fixed_and_span_the_clip():
    frames = spread_frames(LENGTHS, 16, num_clips=3).reshape(5, 3, 16)
    assert (np.diff(frames) >= 0).all()
    assert (frames >= 0).all() and (frames < LENGTHS[:, None, None]).all()
    np.testing.assert_array_equal(frames[2, 1], np.arange(16))
    assert (frames[..., -1] >= LENGTHS[:, None] * 15 // 16).all()
    assert (frames[4, 0] < frames[4, 2]).all()


def test_training_samples_span_at_least_their_share_and_keep_the_order():
    rng = np.random.default_rng(0)
    frames = spread_frames(np.full(500, 1000), 50, rng, share=0.5, warp=0.8)
    assert (np.diff(frames, axis=1) > 0).all()
    assert frames.min() >= 0 and frames.max() <= 999
    spans = frames[:, -1] - frames[:, 0]
    assert 470 <= spans.min() < 600 and 900 < spans.max()
    paces = np.diff(frames, axis=1) / spans[:, None] * 49
    assert 0.1 < paces.min() < 0.7 < 1.3 < paces.max() < 1.95


def test_the_whole_clip_without_share_and_warp():
    frames = spread_frames(LENGTHS, 16, np.random.default_rng(0))
    np.testing.assert_array_equal(frames[2], np.arange(16))
    np.testing.assert_array_equal(frames[0], 0)


def test_clips_without_frames_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        spread_frames(np.array([3, 0]), 8)
