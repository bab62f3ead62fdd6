"""The moving mean of the weights: its formula, and that checkpoints hold it as the model."""

import jax.numpy as jnp
import numpy as np

from posec3d_jax.runs.checkpoints import find_checkpoint, load_raw_model
from posec3d_jax.runs.saving import Checkpoints
from posec3d_jax.steps.averaging import begin_average, with_average
from posec3d_jax.steps.state import TrainState


def _fresh() -> TrainState:
    """As a training state that has no mean."""
    weights = {"w": jnp.arange(4.0)}
    return TrainState(jnp.int32(0), weights, {"mean": jnp.ones(2)}, {"trace": jnp.zeros(4)})


def _step(state: TrainState, by: float) -> tuple[TrainState, dict]:
    weights = {"w": state.params["w"] + by}
    return TrainState(state.step + 1, weights, state.batch_stats, state.opt_state), {"loss": by}


def test_the_mean_follows_the_weights_and_does_not_change_them():
    state, plain, expected = begin_average(_fresh()), _fresh(), np.arange(4.0)
    for number, by in enumerate((1.0, -3.0, 2.0) * 10):
        state, metrics = with_average(_step, 0.6)(state, by)
        plain, _ = _step(plain, by)
        kept = min(0.6, (1 + number) / (10 + number))
        expected = kept * expected + (1 - kept) * np.asarray(plain.params["w"])
        assert metrics == {"loss": by}
        np.testing.assert_array_equal(state.params["w"], plain.params["w"])
        np.testing.assert_allclose(state.tested["params"]["w"], expected, rtol=1e-6)
    np.testing.assert_allclose(state.tested["batch_stats"]["mean"], 1, rtol=1e-6)


def test_a_checkpoint_has_the_mean_for_a_model_and_goes_on_from_the_weights(tmp_path):
    state, _ = with_average(_step, 0.9)(begin_average(_fresh()), 5.0)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(state)
        checkpoints.wait()
        restored = checkpoints.restore(begin_average(_fresh()))
    model = load_raw_model(find_checkpoint(tmp_path))
    np.testing.assert_array_equal(model["params"]["w"], state.averaged["params"]["w"])
    np.testing.assert_array_equal(restored.averaged["params"]["w"], state.averaged["params"]["w"])
    np.testing.assert_array_equal(restored.params["w"], np.arange(4.0) + 5)
    assert int(restored.step) == 1 and "weights" not in restored.opt_state
