"""The networks against the reference: logits of imported weights."""

import functools

import numpy as np
import pytest

from tests.reference import (
    FIXTURES,
    TINY,
    channels_last,
    load_variables,
    network,
    relative_error,
)


@pytest.mark.parametrize("file", ["tiny_slowonly.pth", "tiny_x3d_se_swish.safetensors"])
def test_logits_at_odd_sizes(file):
    """7 frames of 29 x 27; these two need nothing beside the repository."""
    name, variables = file.split(".")[0], load_variables(FIXTURES / file)
    with np.load(FIXTURES / "logits.npz") as data:
        volumes, expected = data[f"{name}/in_odd"], data[f"{name}/logits_odd"]
    logits = network(name)(variables, channels_last(volumes))["pose"]
    assert relative_error(logits, expected) <= 1e-5


@pytest.mark.parametrize("name", TINY)
def test_logits_equal_the_reference(shared, name):
    variables = load_variables(shared / "parity" / f"{name}.pth")
    run = functools.partial(network(name), variables)
    with np.load(shared / "parity" / f"{name}.npz") as data:
        logits = run(channels_last(data["in_x"]))["pose"]
        assert relative_error(logits, data["logits"]) <= 1e-5
        logits = run(channels_last(data["in_odd"]))["pose"]
        assert relative_error(logits, data["logits_odd"]) <= 1e-5
