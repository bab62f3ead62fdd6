"""The networks against the reference: logits and averaged views."""

import jax
import numpy as np
import pytest

from posec3d_jax.recognizer import average_views
from tests.reference import FIXTURES, channels_last, load_reference, relative_error

TINY = ("tiny_slowonly", "tiny_c3d", "tiny_x3d", "tiny_x3d_se_swish")


@pytest.mark.parametrize("file", ["tiny_slowonly.pth", "tiny_x3d_se_swish.safetensors"])
def test_logits_at_odd_sizes(file):
    """7 frames of 29 x 27; these two need nothing beside the repository."""
    recognizer, variables = load_reference(FIXTURES / file)
    with np.load(FIXTURES / "logits.npz") as data:
        name = file.split(".")[0]
        volumes, expected = data[f"{name}/in_odd"], data[f"{name}/logits_odd"]
    logits = jax.jit(recognizer.logits)(variables, channels_last(volumes))["pose"]
    assert relative_error(logits, expected) <= 1e-5


@pytest.mark.parametrize("name", TINY)
def test_logits_and_averaged_views_equal_the_reference(shared, name):
    recognizer, variables = load_reference(shared / "parity" / f"{name}.pth")
    run = jax.jit(lambda volumes: recognizer.logits(variables, volumes))
    with np.load(shared / "parity" / f"{name}.npz") as data:
        logits = run(channels_last(data["in_x"]))["pose"]
        assert relative_error(logits, data["logits"]) <= 1e-5
        logits = run(channels_last(data["in_odd"]))["pose"]
        assert relative_error(logits, data["logits_odd"]) <= 1e-5
        clips = channels_last(data["in_clips"])
        views = clips.shape[1]
        logits = run(clips.reshape(-1, *clips.shape[2:]))
        scores = average_views(logits, views, "prob")
        np.testing.assert_allclose(scores, data["clip_avg_prob"], rtol=0, atol=1e-6)
        # The reference's 'score' is the mean of the logits; ours is its softmax, of the same order.
        expected = jax.nn.softmax(data["clip_avg_score"])
        scores = average_views(logits, views, "score")
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)
