"""A graph network on the common path: train, evaluate, predict, fuse what it stores."""

import json

import jax
import numpy as np
import pytest

from posec3d_jax.config import base, networks
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.evaluate import evaluate
from posec3d_jax.machine.sharding import make_mesh
from posec3d_jax.networks.graph import layers
from posec3d_jax.predict import load_predictor
from posec3d_jax.runs.evaluations import load_scores
from posec3d_jax.steps.protocol import protocols
from posec3d_jax.train import train_and_evaluate
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An epoch of a short ST-GCN on motions; that a resumed run is the same: test_train.py."""
    folder = tmp_path_factory.mktemp("graph")
    config = tiny_config(folder)
    base.set_graph_stream(config, "joint_motion")
    config.model = networks.stgcn(width=4)
    config.sampling.test_flip = False
    config.optimizer.nesterov = True
    config.data.val_split = ""
    config.compute_dtype = "bfloat16"
    config.train.epochs = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "BLOCKS", 3)  # of ten, which take long to compile
        train_and_evaluate(config, folder / "run", make_mesh(jax.devices()[:1]))
        yield config, folder


def test_losses_are_numbers_in_bfloat16(run):
    _, folder = run
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    assert all(np.isfinite(json.loads(line)["train/loss"]) for line in lines)


def test_views_are_not_mirrored_and_prediction_agrees(run):
    config, folder = run
    assert [protocol.name for protocol in protocols(config)] == ["1 clip", "2 clips"]
    results = evaluate(config, folder / "run")
    assert set(results) == {"1 clip", "2 clips"}
    scores = load_scores(folder / "run" / "evaluations" / "test-2-clips").scores
    source = open_source(config.data, "test")
    predict = load_predictor(folder / "run", protocol=protocols(config)[1])
    clip = source.sequence(3)
    found = predict(clip.keypoint, clip.score, clip.frame_size)
    np.testing.assert_allclose(found.scores, scores[3], atol=0.02)  # bfloat16, another batch size
