"""Every fast formulation equals XLA's plain 3-D convolution, in value and in both gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.kernels.convolution import convolve
from posec3d_jax.kernels.pooling import max_pool_frames

CASES = {
    "pointwise": ((1, 1, 1), (1, 1, 1), 5, 7),
    "pointwise, strided": ((1, 1, 1), (2, 2, 2), 5, 7),
    "stem": ((1, 7, 7), (1, 1, 1), 3, 4),
    "per frame": ((1, 3, 3), (1, 1, 1), 5, 7),
    "per frame, strided": ((1, 3, 3), (2, 2, 2), 5, 7),
    "temporal": ((3, 1, 1), (1, 1, 1), 5, 7),
    "temporal, strided": ((3, 1, 1), (2, 1, 1), 5, 7),
    "per frame, stride above the kernel's half": ((1, 5, 5), (1, 3, 3), 5, 7),
    "full": ((3, 3, 3), (1, 1, 1), 5, 7),
    "full, strided": ((3, 3, 3), (2, 2, 2), 5, 7),
    "full of many channels": ((3, 3, 3), (1, 1, 1), 33, 4),
    "depth-wise": ((3, 3, 3), (1, 2, 2), 5, 5),
    "depth-wise in time": ((5, 1, 1), (1, 1, 1), 5, 5),
}


# What only a GPU's formulation tells apart: pixels of a row as channels, and frames as well.
OF_A_GPU = {
    "stem of few channels": ((1, 7, 7), (1, 1, 1), 17, 8),
    "narrower": ((1, 5, 5), (1, 1, 1), 6, 4),
    "full of an odd number": ((3, 3, 3), (1, 1, 1), 17, 4),
    "full, strided in time": ((3, 3, 3), (2, 1, 1), 3, 4),
}


@pytest.mark.parametrize("size", [(6, 8, 8), (5, 7, 9)], ids=["even", "odd"])
@pytest.mark.parametrize("case", CASES)
def test_what_a_cpu_runs_equals_the_plain_convolution(case, size):
    _check("cpu", *CASES[case], size, depthwise=case.startswith("depth-wise"))


@pytest.mark.parametrize("size", [(6, 8, 8), (5, 7, 9)], ids=["even", "odd"])
@pytest.mark.parametrize("case", CASES | OF_A_GPU)
def test_what_a_gpu_runs_equals_the_plain_convolution(case, size):
    """Its formulations are plain XLA, and so run here, too."""
    _check("gpu", *(CASES | OF_A_GPU)[case], size, depthwise=case.startswith("depth-wise"))


def _check(target, taps, strides, channels, out, size, *, depthwise):
    inputs = 1 if depthwise else channels
    with jax.enable_x64(True):
        x = jax.random.normal(jax.random.key(0), (2, *size, channels), jnp.float64)
        kernel = jax.random.normal(jax.random.key(1), (*taps, inputs, out), jnp.float64)
        results = [_value_and_gradients(x, kernel, strides, to) for to in (target, "portable")]
    for fast, plain in zip(*results, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-10 * np.abs(plain).max())


def _value_and_gradients(x, kernel, strides, target):
    @jax.jit
    def run(x, kernel):
        value, pullback = jax.vjp(lambda a, k: convolve(a, k, strides, target), x, kernel)
        return value, *pullback(jnp.cos(value))

    return run(x, kernel)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_max_pool_equals_the_portable_form(target, stride):
    x = jax.random.normal(jax.random.key(0), (2, 3, 7, 10, 4))
    expected = max_pool_frames(x, "portable", stride)
    np.testing.assert_array_equal(max_pool_frames(x, target, stride), expected)


def test_max_pool_gradients_of_ties_are_the_same_on_every_target():
    x = jnp.round(2 * jax.random.normal(jax.random.key(0), (2, 3, 7, 9, 4)))
    gradients = []
    for target in ("cpu", "gpu"):
        value, pullback = jax.vjp(partial(max_pool_frames, target=target), x)
        gradients.append(pullback(jnp.cos(jnp.arange(x.size)).reshape(x.shape))[0])
    np.testing.assert_allclose(*gradients, rtol=0, atol=1e-6)
