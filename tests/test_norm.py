"""BatchNorm with what is around it equals the plain formulas, in value and in every gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.networks.layers import BatchNorm, ConvNorm
from posec3d_jax.networks.mode import Mode

SHAPE = (4, 3, 5, 5)  # [B, T, H, W]


def _plain(x, kernel, scale, bias, residual, relu, groups):
    """act(BatchNorm(x @ kernel) + residual), each group of clips by itself."""
    y = x if kernel is None else x @ kernel
    parts = []
    for part in jnp.split(y, groups):
        mean, var = (of((0, 1, 2, 3), keepdims=True) for of in (part.mean, part.var))
        part = (part - mean) * jax.lax.rsqrt(var + 1e-5)
        parts.append(part * per_channel(scale, y) + per_channel(bias, y))
    z = jnp.concatenate(parts)
    z = z if residual is None else z + residual
    return jnp.maximum(z, 0) if relu else z


def _fast(x, kernel, scale, bias, residual, relu, groups, target="cpu"):
    statistics = {"mean": jnp.zeros(len(scale)), "var": jnp.ones(len(scale))}
    variables = {"params": {"scale": scale, "bias": bias}, "batch_stats": statistics}
    module, options = BatchNorm(Mode(groups, target)), {"mutable": ["batch_stats"]}
    return module.apply(variables, x, True, residual, relu, kernel, **options)[0]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("relu", [False, True], ids=["linear", "relu"])
@pytest.mark.parametrize("with_residual", [False, True], ids=["alone", "residual"])
@pytest.mark.parametrize("with_kernel", [False, True], ids=["given", "product"])
def test_equals_the_plain_formulas(with_kernel, with_residual, relu, groups):
    inputs, channels = (3, 8) if with_kernel else (8, 8)
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        arguments = {
            "x": 2 + rng.normal(size=(*SHAPE, inputs)),
            "kernel": rng.normal(size=(inputs, channels)) if with_kernel else None,
            "scale": 1 + rng.random(channels),
            "bias": rng.normal(size=channels),
            "residual": rng.normal(size=(*SHAPE, channels)) if with_residual else None,
        }
        arguments = jax.tree.map(jnp.asarray, arguments)
        results = []
        for function in (_fast, _plain):
            run = jax.jit(lambda a, f=function: f(**a, relu=relu, groups=groups))
            value, pullback = jax.vjp(run, arguments)
            results.append((value, pullback(jnp.cos(value))[0]))
    for fast, plain in zip(*map(jax.tree.leaves, results), strict=True):
        np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-10 * np.abs(plain).max())


def test_running_statistics_of_a_product_that_is_never_written():
    """The same as of the product itself: what a test normalises with."""
    x = 1 + jax.random.normal(jax.random.key(0), (4, 3, 5, 5, 4))
    module = ConvNorm(8, (1, 1, 1))
    variables = module.init(jax.random.key(1), x, True)
    _, updates = module.apply(variables, x, True, mutable=["batch_stats"])
    y = np.asarray(x @ variables["params"]["conv"]["kernel"][0, 0, 0], np.float64).reshape(-1, 8)
    stored = updates["batch_stats"]["bn"]
    np.testing.assert_allclose(stored["mean"], 0.1 * y.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(stored["var"], 0.9 + 0.1 * y.var(0, ddof=1), rtol=1e-5)


def test_the_product_normalised_in_bfloat16_is_as_close_to_float64_as_normalising_it():
    key = jax.random.key(0)
    wide = jax.random.normal(key, (8, 4, 6, 6, 16)), jax.random.normal(key, (16, 64))
    scale, bias = jnp.ones(64), jnp.zeros(64)
    exact = _plain(*wide, scale, bias, None, True, 1)
    x, kernel = wide[0].astype(jnp.bfloat16), wide[1]
    fast = _fast(x, kernel, scale, bias, None, True, 1)
    usual = _fast(x @ kernel.astype(jnp.bfloat16), None, scale, bias, None, True, 1)
    errors = [float(jnp.abs(y.astype(jnp.float32) - exact).mean()) for y in (fast, usual)]
    assert fast.dtype == jnp.bfloat16 and errors[0] < 1.2 * errors[1]
