"""Parameters and multiply-adds, as fvcore counts them."""

import pytest

from configs import base
from posec3d_jax.recognizer import make_recognizer
from posec3d_jax.summary import summarize, totals, trace_layers


def _config(network, **changes):
    config = base.get_config()
    base.set_network(config, network, **changes)
    return config


@pytest.mark.parametrize(
    "network, options, size, parameters, multiply_adds",
    [
        ("slowonly", {}, 56, 2.025, 15.78),
        ("slowonly", {}, 64, 2.025, 20.61),
        ("slowonly", {"temporal_strides": (1, 1, 1)}, 56, 2.025, 17.15),
        ("slowonly", {"stage_blocks": (3, 4, 6)}, 64, 3.034, 19.09),
        ("c3d_light", {}, 56, 3.405, 16.80),
        ("x3d_shallow", {}, 56, 0.2545, 0.591),
    ],
)
def test_parameters_and_multiply_adds(network, options, size, parameters, multiply_adds):
    """fvcore's figures for 17 x 48 x H x W; the Kinetics network has 400 classes there, 60 here."""
    layers = trace_layers(make_recognizer(_config(network, **options)), (48, size, size, 17))
    counted = totals(layers)
    assert counted[0] / 1e6 == pytest.approx(parameters, rel=1e-3)
    assert counted[1] / 1e9 == pytest.approx(multiply_adds, rel=1e-3)


def test_the_summary_is_a_table_of_layers():
    text = summarize(_config("x3d_shallow", squeeze_excite=True))
    assert "layer1_0/se/fc1" in text and "conv1_s " in text
    assert "at the training size 17x48x56x56: 0.2" in text
    assert "at the test size 17x48x64x64" in text
