"""Blocks that are computed again in the backward pass: the same step, in less memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.networks.graph import layers as graph_layers
from posec3d_jax.steps.recognizer import make_recognizer, named_losses, total_loss

OPTIONS = {
    "slowonly": dict(stage_blocks=(2, 1, 1), width=4, dropout=0.5),
    "x3d_shallow": dict(stage_blocks=(1, 1, 1), width=4),
    "c3d_light": dict(width=4),
    "stgcn": dict(width=8, tcn_dropout=0.5),
    "msg3d": dict(width=12),
}
SLOW_TO_COMPILE = {"x3d_shallow", "c3d_light", "msg3d"}


def _gradients(network, remat):
    """((loss, statistics), gradients), and how many numbers wait for the backward pass."""
    config = base.get_config()
    base.set_variant(config, "joint", network)
    base.set_network(config, network, **OPTIONS[network])
    config.data.num_classes, config.data.skeleton = 5, "sbu_15"
    config.sampling.num_frames, config.train.remat = 8, remat
    config.volume.train_size = config.volume.test_size = (16, 16)
    recognizer, rng = make_recognizer(config), np.random.default_rng(0)
    shapes = jax.eval_shape(recognizer.init, jax.random.key(0))
    variables = jax.tree.map(lambda leaf: 0.1 + rng.random(leaf.shape) ** 3, shapes)
    x = rng.random((4, *recognizer.encoder.train_shape))

    def loss_fn(params, statistics, x):
        logits, updates = recognizer.model.apply(
            {"params": params, "batch_stats": statistics},
            x,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": jax.random.key(3)},
        )
        return total_loss(named_losses(logits, jnp.array([0, 1, 2, 3]))), updates["batch_stats"]

    arguments = variables["params"], variables["batch_stats"], x
    stored = jax.eval_shape(lambda *a: jax.vjp(loss_fn, *a, has_aux=True)[1], *arguments)
    values = jax.jit(jax.value_and_grad(loss_fn, has_aux=True))(*arguments)
    return jax.tree.map(np.asarray, values), sum(x.size for x in jax.tree.leaves(stored))


def _assert_close(found, expected, scale):
    """Every leaf within 1e-10 of its scale."""
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-10 * scale(b)),
        found,
        expected,
    )


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW_TO_COMPILE else ())
        for name in OPTIONS
    ],
)
def test_gradients_and_statistics_are_the_same_in_float64(network, monkeypatch):
    monkeypatch.setattr(graph_layers, "BLOCKS", 2)
    with jax.enable_x64(True):
        (expected, before), (found, stored) = (
            _gradients(network, remat) for remat in (False, True)
        )
    # A gradient that is zero but for rounding is as small as the others are large: one scale for
    # all of them. Loss and statistics have each their own.
    largest = max(np.abs(leaf).max() for leaf in jax.tree.leaves(expected[1]))
    _assert_close(found[1], expected[1], lambda leaf: largest)
    _assert_close(found[0], expected[0], lambda leaf: np.abs(leaf).max())
    assert stored < 0.5 * before
