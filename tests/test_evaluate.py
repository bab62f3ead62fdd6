"""Evaluation is exact whatever the batch, protocols are named, prediction agrees with it."""

import json

import numpy as np
import pytest

from posec3d_jax.config import stored
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.evaluate import evaluate
from posec3d_jax.predict import load_predictor
from posec3d_jax.runs.evaluations import load_scores
from posec3d_jax.runs.orbax_trees import CheckpointError
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol, protocols
from posec3d_jax.train import train_and_evaluate
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    config = tiny_config(folder)
    config.data.val_split = ""
    train_and_evaluate(config, folder / "run")
    return config, folder / "run"


def test_padding_and_batch_size_do_not_change_the_scores(run):
    config, workdir = run
    results = []
    for size in (4, 64):
        config.evaluate.batch_size = size
        results.append(evaluate(config, workdir, chosen=(ONE_CLIP,))["1 clip"])
        results[-1]["scores"] = load_scores(workdir / "evaluations" / "test-1-clip").scores
    np.testing.assert_allclose(results[0]["scores"], results[1]["scores"], atol=1e-5)
    assert results[0]["clips"] == results[1]["clips"] == 16
    assert results[0]["top1"] == results[1]["top1"]


def test_both_protocols_are_reported_and_recorded(run, tmp_path):
    config, workdir = run
    assert [p.name for p in protocols(config)] == ["1 clip", "2 clips x flip"]
    results = evaluate(config, workdir, record=tmp_path / "tiny.json")
    record = json.loads((tmp_path / "tiny.json").read_text())
    assert record["protocol"] == "2 clips x flip" and set(results) == set(record["all_protocols"])
    assert record["metrics"]["top1"] == results["2 clips x flip"]["top1"]
    assert record["seed"] == 0 and record["versions"]["jax"] and record["hardware"]["host_cpu"]
    assert record["training"]["done"] and record["config"]["model"]["width"] == 4


def test_prediction_equals_evaluation(run):
    config, workdir = run
    many = Protocol(clips=2, flip=True)
    evaluate(config, workdir, chosen=(many,))
    stored = load_scores(workdir / "evaluations" / "test-2-clips-x-flip")
    predictor = load_predictor(workdir, protocol=many)
    clip = open_source(config.data, "test").sequence(3)
    result = predictor(clip.keypoint, clip.score, clip.frame_size)
    np.testing.assert_allclose(result.scores, stored.scores[3], atol=1e-5)
    assert result.class_name == stored.class_names[result.label] == result.top(1)[0][0]


def test_odd_input_to_predict(run):
    predictor = load_predictor(run[1])
    empty = predictor(np.zeros((0, 9, 17, 2)), None, (240, 320))
    assert np.isfinite(empty.scores).all() and empty.warnings
    with pytest.raises(ValueError, match="17 joints|coco_17"):
        predictor(np.ones((1, 9, 13, 2)), None, (240, 320))
    with pytest.raises(ValueError, match="no frames"):
        predictor(np.ones((1, 0, 17, 2)), None, (240, 320))
    normalised = predictor(np.random.default_rng(0).random((1, 9, 17, 2)), None, (240, 320))
    assert any("pixels" in warning for warning in normalised.warnings)


def test_clips_of_any_length_and_number_of_persons_compile_once(run):
    predictor = load_predictor(run[1])
    for persons, frames in ((1, 3), (2, 40), (5, 7)):
        predictor(np.full((persons, frames, 17, 2), 50.0), None, (240, 320))
    assert predictor.engine.programs == 1


def test_a_checkpoint_of_another_network_is_refused_by_leaf_and_shape(run):
    config, workdir = run
    other = stored.load_config(workdir)
    other.model.width = 8
    with pytest.raises(CheckpointError, match=r"conv1.*has shape .*expects"):
        evaluate(other, workdir)
    with pytest.raises(CheckpointError, match="train --workdir"):
        evaluate(config, workdir / "nothing")
