"""Folded BatchNorm: every network answers as before, and what can be folded is."""

import jax
import numpy as np
import pytest

from posec3d_jax.config import base, networks
from posec3d_jax.networks.folding import fold
from posec3d_jax.networks.graph import layers as graph_layers
from posec3d_jax.steps.recognizer import make_recognizer

SLOW_TO_COMPILE = {"aagcn", "ctrgcn", "msg3d"}
OPTIONS = {
    "slowonly": dict(stage_blocks=(1, 1, 1), width=4),
    "c3d_light": dict(width=4),
    "x3d_shallow": dict(stage_blocks=(1, 1, 1), width=4, squeeze_excite=True, swish=True),
    "ctrgcn": dict(width=24),
    "stgcnpp": dict(width=12),
}


def _recognizer(network):
    config = base.get_config()
    base.set_variant(config, "joint", network)
    base.set_network(config, network, **OPTIONS.get(network, dict(width=8)))
    config.data.num_classes, config.data.skeleton = 5, "sbu_15"
    config.sampling.num_frames = 4
    config.volume.train_size = config.volume.test_size = (8, 8)
    return make_recognizer(config)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW_TO_COMPILE else ())
        for name in networks.ALL_NETWORKS
    ],
)
def test_logits_are_the_same_in_float64(network, monkeypatch):
    monkeypatch.setattr(graph_layers, "BLOCKS", 2)  # ten take minutes to compile
    recognizer, rng = _recognizer(network), np.random.default_rng(0)
    shapes = jax.eval_shape(recognizer.init, jax.random.key(0))
    with jax.enable_x64(True):
        # As if trained: no scale is 1, no mean is 0; variances from 1e-6 on.
        variables = jax.tree.map(lambda leaf: 1e-6 + rng.random(leaf.shape) ** 3, shapes)
        x = rng.random((2, *recognizer.encoder.train_shape))
        folded = fold(recognizer.model, variables, x)
        run = jax.jit(lambda v: recognizer.model.apply(v, x, train=False)["pose"])
        plain, found = np.asarray(run(variables)), np.asarray(run(folded))
    assert plain.dtype == np.float64
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-10 * np.abs(plain).max())
    kept = [path for path in _paths(folded) if path.endswith(("['scale']", "['var']"))]
    assert bool(kept) == (network in networks.GRAPH_NETWORKS)  # theirs follow products with graphs
    assert len(kept) < 0.7 * sum(p.endswith(("['scale']", "['var']")) for p in _paths(variables))


def _paths(tree) -> list[str]:
    return [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
