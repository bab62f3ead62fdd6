"""The graph networks' fast products equal the plain ones, in value and in all gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.kernels.products import CHANNELS_LAST, affine, with_graph

N, T, V, K, C = 2, 5, 4, 3, 6
SHAPES = {
    "ntvkc,kvw->ntwc": ((N, T, V, K, C), (K, V, V)),
    "ntvc,svw->ntwsc": ((N, T, V, C), (K, V, V)),
    "ntvc,nvw->ntwc": ((N, T, V, C), (N, V, V)),
    "ntuc,nuvc->ntvc": ((N, T, V, C), (N, V, V, C)),
}


@pytest.mark.parametrize("equation", CHANNELS_LAST)
def test_products_with_graphs(equation):
    with jax.enable_x64(True):
        inputs = [jax.random.normal(jax.random.key(i), s) for i, s in enumerate(SHAPES[equation])]
        _same(
            lambda *a: with_graph(equation, *a, "cpu"), lambda *a: jnp.einsum(equation, *a), inputs
        )


def test_affine():
    with jax.enable_x64(True):
        shapes = (N, T, V, C), (C, K), (K,)
        inputs = [jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate(shapes)]
        _same(lambda *a: affine(*a, "cpu"), lambda *a: affine(*a), inputs)


def _same(fast, plain, inputs):
    found, expected = (_value_and_gradients(function, inputs) for function in (fast, plain))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12 * np.abs(other).max())


def _value_and_gradients(function, inputs):
    value, pullback = jax.vjp(function, *inputs)
    return value, *pullback(jnp.cos(value))
