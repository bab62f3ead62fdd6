"""BatchNorm: PyTorch's running statistics, groups, and low-precision input."""

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.networks.layers import BatchNorm
from posec3d_jax.networks.mode import Mode
from posec3d_jax.steps.optimizer import make_optimizer
from posec3d_jax.steps.recognizer import create_state, make_recognizer, make_train_step
from tests.reference import reference_config


def _apply(x, **options):
    module = BatchNorm(**options)
    variables = module.init(jax.random.key(0), x, True)
    return module.apply(variables, x, True, mutable=["batch_stats"])


def _input(dtype=jnp.float32):
    return (3 + 2 * jax.random.normal(jax.random.key(1), (8, 2, 3, 3, 4))).astype(dtype)


def test_normalises_and_keeps_unbiased_running_statistics():
    x = _input()
    y, updates = _apply(x)
    flat = np.asarray(x).reshape(-1, 4)
    np.testing.assert_allclose(np.asarray(y).reshape(-1, 4).mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(np.asarray(y).reshape(-1, 4).std(0), 1, atol=1e-4)
    stats = updates["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.1 * flat.mean(0), rtol=1e-5)
    np.testing.assert_allclose(stats["var"], 0.9 + 0.1 * flat.var(0, ddof=1), rtol=1e-4)


def test_groups_are_normalised_apart():
    x = _input()
    grouped, updates = _apply(x, mode=Mode(groups=2))
    halves = [_apply(half) for half in (x[:4], x[4:])]
    np.testing.assert_allclose(grouped, jnp.concatenate([y for y, _ in halves]), atol=1e-5)
    means = [u["batch_stats"]["mean"] for _, u in halves]
    np.testing.assert_allclose(updates["batch_stats"]["mean"], sum(means) / 2, rtol=1e-5)


def test_bfloat16_input_has_float32_statistics():
    x = _input(jnp.bfloat16)
    y, updates = _apply(x)
    assert y.dtype == jnp.bfloat16 and updates["batch_stats"]["var"].dtype == jnp.float32
    wide = np.asarray(x, np.float32).reshape(-1, 4)
    np.testing.assert_allclose(updates["batch_stats"]["mean"], 0.1 * wide.mean(0), rtol=1e-5)


def test_a_bfloat16_step_keeps_all_but_the_convolutions_in_float32():
    config = reference_config("tiny_slowonly")
    config.compute_dtype = "bfloat16"
    recognizer = make_recognizer(config)
    optimizer = make_optimizer(config.optimizer, lambda step: 0.1)
    state = jax.eval_shape(lambda key: create_state(recognizer, optimizer, key), jax.random.key(0))
    batch = {
        "keypoint": jnp.ones((2, 1, 8, 17, 2)),
        "score": jnp.ones((2, 1, 8, 17)),
        "frame_size": jnp.ones((2, 2)),
        "label": jnp.zeros(2, jnp.int32),
    }
    step = make_train_step(recognizer, optimizer, 0.0)
    changed, metrics = jax.eval_shape(step, state, batch, jax.random.key(0))
    leaves = jax.tree.leaves((changed, metrics))
    assert {leaf.dtype for leaf in leaves} == {jnp.dtype(jnp.float32), jnp.dtype(jnp.int32)}
    lines = str(jax.make_jaxpr(step)(state, batch, jax.random.key(0))).splitlines()
    made = {
        name: {line.split("[")[0].split(":")[-1] for line in lines if f"= {name}" in line}
        for name in ("conv_general_dilated", "exp", "rsqrt")
    }
    assert made == {"conv_general_dilated": {"bf16"}, "exp": {"f32"}, "rsqrt": {"f32"}}
