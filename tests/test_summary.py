"""Parameters and multiply-adds, as fvcore counts them."""

import re

import pytest

from posec3d_jax.config import base
from posec3d_jax.reports.summary import summarize, totals, trace_layers
from posec3d_jax.steps.recognizer import make_recognizer

NAMES = ("rgb", "pose")


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


# network: parameters; multiply-adds of convolutions and linear layers; those of graphs (2 x 100)
GRAPHS = {
    ("stgcn", "coco_17"): (3_088_704, 3_678_543_360, 133_171_200),
    ("stgcnpp", "coco_17"): (1_393_016, 1_793_182_160, 133_171_200),
    ("aagcn", "coco_17"): (3_760_228, 4_205_135_872, 133_691_400),
    ("ctrgcn", "coco_17"): (1_436_496, 1_802_302_592, 133_171_200),
    ("msg3d", "coco_17"): (2_975_763, 5_496_272_640, 1_313_851_800),
    ("msg3d", "ntu_25"): (3_194_595, 8_082_743_040, 2_841_375_000),
}


@pytest.mark.parametrize(("network", "layout"), GRAPHS)
def test_graph_networks_count_as_the_reference(network, layout):
    config = base.get_config()
    base.set_variant(config, "joint", network)
    config.data.skeleton = layout
    recognizer = make_recognizer(config)
    layers = trace_layers(recognizer, recognizer.encoder.train_shape)
    dense, graph = (
        totals([a for a in layers if a.kind == kind])[1] for kind in ("convolution", "graph")
    )
    assert (totals(layers)[0], dense, graph) == GRAPHS[network, layout]
    # With BatchNorm and graphs, as fvcore counts.
    whole = {"stgcn": 3.82, "stgcnpp": 1.95, "aagcn": 4.35, "ctrgcn": 1.95, "msg3d": 6.84}
    if layout == "coco_17":
        assert totals(layers)[1] / 1e9 == pytest.approx(whole[network], rel=2e-3)


def test_the_papers_msg3d_is_counted_without_graphs():
    """Its 16.7 and 7.2 G: 2 persons x 300 frames, 13 persons x 20 frames."""
    config = base.get_config()
    base.set_variant(config, "joint", "msg3d")
    for persons, frames, expected in ((2, 300, 16.49), (13, 20, 7.15)):
        config.data.max_persons, config.sampling.num_frames = persons, frames
        recognizer = make_recognizer(config)
        layers = trace_layers(recognizer, recognizer.encoder.train_shape)
        dense = totals([a for a in layers if a.kind == "convolution"])[1]
        assert dense / 1e9 == pytest.approx(expected, rel=2e-3)


def test_the_summary_is_a_table_of_layers():
    text = summarize(_config("x3d_shallow", squeeze_excite=True))
    assert "layer1_0/se/fc1" in text and "conv1_s " in text
    assert "at the training size 17x48x56x56: 0.2" in text
    assert "at the test size 17x48x64x64" in text


def test_two_pathways_are_counted_apart():
    config = base.get_config()
    base.set_modalities(config, "rgbpose")
    text = summarize(config)
    rgb, pose = (re.search(rf"of these (.*) M and .* in the pathway of {n}", text) for n in NAMES)
    assert float(rgb[1]) + float(pose[1]) == pytest.approx(36.15, rel=1e-3)
    assert text.count("in laterals to it") == 4  # at the training and at the test size
    assert "pathway" not in summarize(_config("slowonly"))
