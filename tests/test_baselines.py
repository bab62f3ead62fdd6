"""The plain SVM: what it sees of a clip, and its figures from prepared files to a record."""

import numpy as np
import pytest

from experiments.baselines import figures, problems
from experiments.baselines.problems import Problem, read_clips
from experiments.baselines.svm import FRAMES, features, solve
from posec3d_jax.data.records import SkeletonSequence
from tests.tiny import tiny_config


def clip(keypoint):
    return SkeletonSequence("clip", np.float32(keypoint), None, (240, 320), 0)


def test_features_do_not_depend_on_place_and_size_and_leave_out_missing_joints():
    keypoint = np.random.default_rng(0).uniform(50, 100, (1, 30, 5, 2))
    keypoint[0, 7, 2] = 0
    seen = features(clip(keypoint), 2).reshape(2, FRAMES, 5, 2)
    assert 0.4 < np.abs(seen).max() <= 0.5 and not seen[1].any()
    moved = np.where(keypoint == 0, 0, 3 * keypoint + 7)
    np.testing.assert_allclose(features(clip(moved), 2), seen.ravel(), atol=1e-5)
    assert not features(clip(np.zeros((1, 30, 5, 2))), 1).any()


def test_the_simulated_actions_are_learnt(tmp_path):
    pytest.importorskip("sklearn", reason="needs the extra 'baselines'")
    config = tiny_config(tmp_path)
    clips = read_clips(config, "")
    problem = Problem("tiny", ((config, config),))
    found = solve(problem, dict.fromkeys([problems.key_of(config)], clips))
    assert found["raw"] > found["folds"][0]["commonest_class"]


def test_notes_are_filled_with_recorded_figures():
    text = figures.filled("from {svm utkinect} to {commonest utkinect}")
    assert text == f"from {figures.svm('utkinect')} to {figures.commonest_class('utkinect')}"
    with pytest.raises(KeyError, match="nowhere"):
        figures.filled("{svm nowhere}")
