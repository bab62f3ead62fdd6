"""Schedules and the update rule, against the references' formulas written out."""

import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.steps.optimizer import make_optimizer, make_schedule, peak_learning_rate


def _options(**changes):
    options = base.get_config().optimizer
    options.update(changes)
    return options


def test_the_rate_scales_with_the_batch():
    assert peak_learning_rate(_options(), 256) == 0.4
    assert peak_learning_rate(_options(), 32) == pytest.approx(0.05)


def test_cosine_by_step_without_warm_up():
    schedule = make_schedule(_options(), 256, 10, 100)
    expected = [0.2 * (1 + np.cos(np.pi * step / 100)) for step in (0, 1, 50, 99)]
    np.testing.assert_allclose([schedule(s) for s in (0, 1, 50, 99)], expected, atol=1e-7)


def test_drops_after_epochs():
    options = _options(schedule="step", step_epochs=(9, 11), learning_rate=0.01)
    schedule = make_schedule(options, 256, 5, 60)
    rates = [float(schedule(step)) for step in (0, 44, 45, 54, 55)]
    np.testing.assert_allclose(rates, [1e-2, 1e-2, 1e-3, 1e-3, 1e-4], rtol=1e-5)
    with pytest.raises(ValueError, match="'cosine' or 'step'"):
        make_schedule(_options(schedule="linear"), 256, 5, 60)


def test_warm_up_rises_to_the_peak():
    schedule = make_schedule(_options(warmup_epochs=1.0), 256, 10, 100)
    assert schedule(0) < schedule(5) < schedule(9) <= 0.4
    assert float(schedule(10)) == pytest.approx(0.4)


@pytest.mark.parametrize("nesterov", [False, True])
def test_update_is_pytorchs_sgd(nesterov):
    options = _options(clip_norm=1.0, weight_decay=0.1, momentum=0.9, nesterov=nesterov)
    optimizer = make_optimizer(options, lambda step: 0.5)
    weight = expected = jnp.array([3.0, -4.0])
    state, buffer = optimizer.init(weight), 0.0
    for gradient in (jnp.array([30.0, 40.0]), jnp.array([0.3, 0.1])):
        updates, state = optimizer.update(gradient, state, weight)
        weight = weight + updates
        clipped = gradient * min(1.0, 1.0 / float(jnp.linalg.norm(gradient)))
        decayed = clipped + 0.1 * expected
        buffer = 0.9 * buffer + decayed
        expected = expected - 0.5 * (decayed + 0.9 * buffer if nesterov else buffer)
        np.testing.assert_allclose(weight, expected, rtol=1e-6)


def test_adamw_decays_kernels_alone_and_beside_the_gradient():
    options = _options(method="adamw", clip_norm=0.0, weight_decay=0.1)
    optimizer = make_optimizer(options, lambda step: 0.5)
    weights = {"kernel": jnp.full((2, 2), 4.0), "bias": jnp.full(2, 4.0)}
    gradients = {"kernel": jnp.full((2, 2), 7.0), "bias": jnp.full(2, -0.2)}
    updates, _ = optimizer.update(gradients, optimizer.init(weights), weights)
    # The first step of Adam has the gradients' signs.
    np.testing.assert_allclose(updates["kernel"], -0.5 * (1 + 0.1 * 4), rtol=1e-5)
    np.testing.assert_allclose(updates["bias"], 0.5, rtol=1e-5)
