"""Turned, stretched, sheared and moved clips: what a map changes and what it leaves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.encoders import make_encoder
from posec3d_jax.encoders.affine import mapped, with_affine_maps
from posec3d_jax.skeletons.skeleton import get_skeleton

NONE = {"turn": 0.0, "stretch": 0.0, "shear": 0.0, "shift": 0.0}
KEY = jax.random.key(3)


@pytest.fixture
def batch():
    keypoint = np.random.default_rng(0).uniform(10, 90, (4, 1, 5, 17, 2)).astype(np.float32)
    keypoint[:, :, 2, 3] = 0
    keypoint[:, :, 3, 4] = np.nan
    score, size = jnp.ones(keypoint.shape[:-1]), jnp.full((4, 2), 100.0)
    return {"keypoint": jnp.array(keypoint), "score": score, "frame_size": size}


def _moved(batch, **limits) -> tuple[np.ndarray, np.ndarray]:
    """Joints that are there, before and after: [4, N, 2]."""
    before = np.asarray(batch["keypoint"])
    after = np.asarray(mapped(batch, KEY, NONE | limits)["keypoint"])
    there = np.isfinite(before).all(-1) & (before != 0).any(-1)
    np.testing.assert_array_equal(after[~there], before[~there])
    return tuple(x[there].reshape(4, -1, 2) for x in (before, after))


def _distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)


def test_a_turn_keeps_distances_and_differs_by_clip(batch):
    before, after = _moved(batch, turn=30.0)
    np.testing.assert_allclose(_distances(after), _distances(before), atol=1e-3)
    change = (after - before).reshape(4, -1)
    assert np.abs(change).max(1).min() > 0.1 and np.ptp(change, axis=0).max() > 1


def test_a_shift_moves_all_joints_alike_and_within_its_limit(batch):
    before, after = _moved(batch, shift=0.1)
    change = after - before
    assert np.ptp(change, axis=1).max() < 1e-4
    assert 0 < np.abs(change).max() <= 0.1 * np.ptp(before, axis=1).max() + 1e-3


def test_a_stretch_keeps_to_its_limits(batch):
    before, after = _moved(batch, stretch=0.2)
    factors = np.ptp(after, axis=1) / np.ptp(before, axis=1)
    assert factors.min() >= 1 / 1.2 - 1e-4 and factors.max() <= 1.2 + 1e-4 and np.ptp(factors) > 0


def test_a_shear_leaves_the_height(batch):
    before, after = _moved(batch, shear=0.3)
    np.testing.assert_allclose(after[..., 1], before[..., 1], atol=1e-3)
    assert np.abs(after - before)[..., 0].max() > 1


def test_only_training_is_changed_and_nothing_without_limits(batch):
    config = base.get_config()
    base.set_variant(config, "joint", "stgcnpp")
    config.sampling.num_frames = 5
    plain = make_encoder(config, get_skeleton("coco_17"))
    assert with_affine_maps(plain, config.augment) is plain
    config.augment.turn = 20.0
    turned = with_affine_maps(plain, config.augment)
    assert turned.test is plain.test
    assert (turned.train(batch, KEY) != plain.train(batch, KEY)).any()
