"""Scores averaged over views against the reference."""

import jax
import numpy as np
import pytest

from posec3d_jax.steps.recognizer import average_views
from tests.reference import TINY, channels_last, load_variables, network


@pytest.mark.parametrize("name", TINY)
def test_averaged_views_equal_the_reference(shared, name):
    variables = load_variables(shared / "parity" / f"{name}.pth")
    with np.load(shared / "parity" / f"{name}.npz") as data:
        clips, prob, score = (data[k] for k in ("in_clips", "clip_avg_prob", "clip_avg_score"))
    views, clips = clips.shape[1], channels_last(clips)
    logits = network(name)(variables, clips.reshape(-1, *clips.shape[2:]))
    np.testing.assert_allclose(average_views(logits, views, "prob"), prob, rtol=0, atol=1e-6)
    # The reference's 'score' is the mean of the logits; ours is its softmax, of the same order.
    mean = np.asarray(logits["pose"]).reshape(-1, views, score.shape[-1]).mean(1)
    np.testing.assert_allclose(mean, score, rtol=0, atol=1e-5)
    expected = jax.nn.softmax(score)
    np.testing.assert_allclose(average_views(logits, views, "score"), expected, rtol=0, atol=1e-6)
