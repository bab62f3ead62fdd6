"""Volumes that are never painted: convolved from their profiles, they are the painted ones."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.encoders.volume import volume_encoder
from posec3d_jax.kernels.convolution import convolve
from posec3d_jax.kernels.strokes import Profiles
from posec3d_jax.steps.recognizer import make_eval_step, make_recognizer

CASES = {
    "stem": ((1, 7, 7), (1, 1, 1)),
    "full": ((3, 3, 3), (1, 1, 1)),
    "strided": ((1, 3, 3), (1, 2, 2)),
    "strided in time too": ((3, 5, 5), (2, 3, 3)),
}


def _profiles(persons: int, size=(5, 9, 12)) -> Profiles:
    """Windows of five pixels anywhere: of two persons some touch; the second comes and goes."""
    rng = np.random.default_rng(persons)
    frames, *sides = size

    def windows(side):
        first = rng.integers(-2, side - 1, (2, persons, frames, 1, 3))
        inside = (np.arange(side)[:, None] >= first) & (np.arange(side)[:, None] < first + 5)
        return inside * rng.uniform(0.1, 1, inside.shape)

    rows, columns = map(windows, sides)
    rows[:, 1:, :2] = 0
    return Profiles(jnp.array(rows), jnp.array(columns))


@pytest.mark.parametrize("persons", [1, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_plain_convolution_of_the_painted_volume(case, persons):
    taps, strides = CASES[case]
    with jax.enable_x64(True):
        x = _profiles(persons)
        kernel = jax.random.normal(jax.random.key(0), (*taps, 3, 4), jnp.float64)
        found, expected = (
            _value_and_gradient(partial(convolve, volume, strides=strides, target=target), kernel)
            for volume, target in ((x, "cpu"), (x.paint(), "portable"))
        )
    for fast, plain in zip(found, expected, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-10 * np.abs(plain).max())


def _value_and_gradient(function, kernel):
    @jax.jit
    def run(kernel):
        value, pullback = jax.vjp(function, kernel)
        return value, *pullback(jnp.cos(value))

    return run(kernel)


def test_has_no_gradient_by_the_profiles_and_says_so():
    kernel = jnp.ones((1, 3, 3, 3, 2))
    with pytest.raises(NotImplementedError, match="painted volume"):
        jax.grad(lambda x: convolve(x, kernel).sum())(_profiles(1))


@pytest.mark.parametrize("mirror", ["W-x", "W-1-x"])
def test_networks_see_what_is_drawn(mirror):
    config, batch = _config(mirror), _batch()
    recognizer = make_recognizer(config)
    seen, drawn = recognizer.encoder, volume_encoder(config, recognizer.skeleton)

    @jax.jit
    def both_ways(batch):
        key, encoders = jax.random.key(0), (seen, drawn)
        trained = [encoder.train(batch, key) for encoder in encoders]
        return trained, [encoder.test(batch, 2, True) for encoder in encoders]

    (profiles, volume), (tested, views) = both_ways(batch)
    assert isinstance(profiles, Profiles) and profiles.shape == volume.shape
    np.testing.assert_allclose(profiles.paint(), volume, rtol=0, atol=1e-7)
    for view in range(4):
        one = Profiles(tested.rows[:, view], tested.columns[:, view])
        np.testing.assert_allclose(one.paint(), views[:, view], rtol=0, atol=1e-7)


@pytest.mark.parametrize("network", ["slowonly", "c3d_light", "x3d_shallow"])
def test_scores_are_those_of_painted_volumes(network):
    recognizer = make_recognizer(_config(network=network))
    variables = jax.jit(recognizer.init)(jax.random.key(0))
    painting = replace(recognizer, encoder=volume_encoder(_config(), recognizer.skeleton))
    scores = [
        jax.jit(make_eval_step(chosen, 2, True))(variables, _batch())["scores"]
        for chosen in (recognizer, painting)
    ]
    np.testing.assert_allclose(*scores, rtol=0, atol=1e-6)


@pytest.mark.parametrize("stream", ["joint", "limb"])
def test_the_portable_step_has_neither_barriers_nor_conditionals(stream):
    config = _config()
    base.set_stream(config, stream)
    programs = {}
    for target in ("cpu", "portable"):
        recognizer = make_recognizer(config, target)
        variables = jax.eval_shape(recognizer.init, jax.random.key(0))
        step = make_eval_step(recognizer, 2, True)
        programs[target] = str(jax.make_jaxpr(step)(variables, _batch()))
    for operation in ("optimization_barrier", "cond["):
        assert operation in programs["cpu"] and operation not in programs["portable"]


def test_crowds_and_limbs_are_painted():
    config = _config()
    config.data.max_persons = 3
    assert isinstance(make_recognizer(config).encoder.test(_batch(), 2, False), jax.Array)
    config = _config()
    base.set_stream(config, "limb")
    assert isinstance(make_recognizer(config).encoder.test(_batch(), 2, False), jax.Array)


SHORT = {
    "slowonly": dict(stage_blocks=(1,), inflate=(1,), temporal_strides=(2,)),
    "x3d_shallow": dict(stage_blocks=(1, 1, 1)),
}


def _config(mirror="W-1-x", network="slowonly"):
    config = base.get_config()
    base.set_network(config, network, width=8, **SHORT.get(network, {}))
    config.sampling.num_frames, config.data.num_classes = 4, 3
    config.volume.train_size = config.volume.test_size = (16, 16)
    config.geometry.test_mirror = mirror
    return config


def _batch():
    """Two clips of two persons who overlap, 8 frames; in one of them a person is absent."""
    rng = np.random.default_rng(0)
    keypoint = rng.uniform(50, 200, (2, 2, 8, 17, 2))
    keypoint[0, 1] = 0
    score = np.where(keypoint[..., 0] > 0, rng.uniform(0.3, 1, keypoint.shape[:-1]), 0)
    return {
        "keypoint": jnp.array(keypoint, jnp.float32),
        "score": jnp.array(score, jnp.float32),
        "frame_size": jnp.full((2, 2), 240.0),
        "label": jnp.array([0, 1]),
    }
