"""Mixup: what is mixed, in which shares, and that a step without it is the step of before."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.steps.mixing import mix
from posec3d_jax.steps.recognizer import named_losses


def test_clips_and_labels_are_mixed_in_the_same_shares():
    targets = jnp.eye(8)
    inputs = {"pose": jnp.eye(8)[:, :, None] * jnp.ones((1, 1, 3))}
    mixed, shares = mix(inputs, targets, jax.random.key(0), 0.5)
    np.testing.assert_allclose(mixed["pose"], shares[:, :, None] * jnp.ones((1, 1, 3)), rtol=1e-6)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
    own = jnp.diag(shares)
    assert own.min() >= 0.5 and (own < 0.999).any()
    np.testing.assert_array_equal(shares.argmax(1), jnp.arange(8))


def test_the_loss_of_labels_and_of_whole_shares_is_one():
    logits = {"pose": jnp.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])}
    labels = jnp.array([1, 2])
    for smoothing in (0.0, 0.1):
        whole = named_losses(logits, jax.nn.one_hot(labels, 3), smoothing)["pose"]
        assert whole == named_losses(logits, labels, smoothing)["pose"]
    half = named_losses(logits, jnp.array([[0.5, 0.5, 0], [0, 0, 1.0]]))["pose"]
    both = [named_losses(logits, jnp.array([label, 2]))["pose"] for label in (0, 1)]
    assert half == pytest.approx(float(sum(both)) / 2, rel=1e-6)
