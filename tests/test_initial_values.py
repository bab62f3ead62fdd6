"""Fresh networks are distributed as the reference's, tensor by tensor."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.names import leaves, to_reference


@pytest.mark.parametrize(
    "network, reference", [("slowonly", "slowonly"), ("c3d_light", "c3d"), ("x3d_shallow", "x3d")]
)
def test_initial_values_are_distributed_as_the_reference(shared, network, reference):
    expected = json.loads((shared / "parity" / "init_stats.json").read_text())[reference]
    config = base.get_config()
    base.set_network(config, network)
    model = make_recognizer(config).model
    volume = jax.ShapeDtypeStruct((1, 2, 8, 8, 17), jnp.float32)
    # The hardware generator compiles faster, and is as normal as the default one.
    found = leaves(model.lazy_init(jax.random.key(0, impl="rbg"), volume))
    assert set(found) == set(expected)
    for name, (_, leaf) in found.items():
        values, stats = to_reference(np.asarray(leaf)), expected[name]
        assert list(values.shape) == stats["shape"], name
        # Both are samples, so that their means and deviations differ by chance: 5 sigma.
        error = 5 * stats["std"] / values.size**0.5
        assert abs(values.mean() - stats["mean"]) <= 2**0.5 * error, name
        assert abs(values.std() - stats["std"]) <= error, name
