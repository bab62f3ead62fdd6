"""Pose noise: what is dropped, shaken and left alone, and on what it depends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.encoders import make_encoder
from posec3d_jax.encoders.noise import limb_joints, with_noise
from posec3d_jax.engines.xla import XlaEngine
from posec3d_jax.predict import Predictor
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.steps.recognizer import make_recognizer
from tests.tiny import tiny_network

COCO = get_skeleton("coco_17")
FRAMES = 6


def make_config(network: str = "slowonly", **noise):
    config = base.get_config()
    base.set_variant(config, "joint", network)
    config.sampling.num_frames = FRAMES
    config.volume.test_size = (16, 16)
    config.noise.update(noise)
    return config


def encoder_of(config):
    return with_noise(make_encoder(config, COCO), config.noise, COCO)


def make_batch(clips: int = 3):
    rng = np.random.default_rng(1)
    keypoint = rng.uniform(10, 90, (clips, 2, FRAMES, 17, 2)).astype(np.float32)
    score = rng.uniform(0.3, 0.9, keypoint.shape[:-1]).astype(np.float32)
    keypoint[:, 1], score[:, 1] = 0, 0  # nobody
    return {
        "keypoint": jnp.array(keypoint),
        "score": jnp.array(score),
        "frame_size": jnp.full((clips, 2), 100.0),
        "index": jnp.arange(clips) + 7,
    }


def seen_by_graphs(batch, **noise) -> np.ndarray:
    """(x, y, score) of the first persons, [B, T, V, 3]."""
    encoder = encoder_of(make_config("stgcnpp", **noise))
    inputs = jax.jit(lambda batch: encoder.test(batch, 1, False))(batch)
    return np.asarray(inputs)[:, 0, 0]


def test_one_limb_joint_of_a_frame_is_dropped_and_nothing_else_changes():
    clean, noisy = seen_by_graphs(make_batch()), seen_by_graphs(make_batch(), drop=1.0)
    gone = (noisy == 0).all(-1)
    assert (gone.sum(-1) == 1).all()
    assert set(np.flatnonzero(gone.any((0, 1)))) <= set(limb_joints(COCO))
    np.testing.assert_array_equal(noisy[~gone], clean[~gone])


def test_a_dropped_joint_is_not_drawn():
    volumes = encoder_of(make_config(drop=1.0)).test(make_batch(), 1, False)
    drawn = np.asarray(volumes[:, 0])
    empty = (drawn.max((2, 3)) == 0).sum(-1)
    np.testing.assert_array_equal(empty, 1)


def test_joints_are_dropped_as_often_as_asked():
    gone = (seen_by_graphs(make_batch(200), drop=0.25) == 0).all(-1).any(-1)
    assert gone.mean() == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("noise", [{"jitter": 0.1}, {"offset": 0.1}, {"score": 0.3}, {"drop": 0.5}])
def test_test_noise_depends_on_the_clip_and_not_on_its_batch(noise):
    batch, turned = make_batch(), jax.tree.map(lambda a: a[::-1], make_batch())
    np.testing.assert_array_equal(
        seen_by_graphs(batch, **noise), seen_by_graphs(turned, **noise)[::-1]
    )
    assert (seen_by_graphs(batch, **noise) != seen_by_graphs(batch)).any()
    assert (seen_by_graphs(batch, **noise) != seen_by_graphs(batch, seed=1, **noise)).any()


def test_an_offset_stays_through_the_clip_and_jitter_does_not():
    clean = seen_by_graphs(make_batch())
    moved = {kind: seen_by_graphs(make_batch(), **{kind: 0.1}) for kind in ("offset", "jitter")}
    changes = {kind: np.ptp(noisy - clean, axis=1)[..., :2] for kind, noisy in moved.items()}
    assert changes["offset"].max() < 1e-5 < 0.01 < changes["jitter"].min()


def test_absent_persons_stay_absent_and_scores_stay_scores():
    config = make_config("stgcnpp", jitter=0.1, score=5.0, drop=1.0)
    inputs = np.asarray(encoder_of(config).test(make_batch(), 1, False))
    assert (inputs[:, 0, 1] == 0).all()
    assert inputs[..., 2].min() == 0 and inputs[..., 2].max() == 1


def test_noise_is_done_where_the_config_says():
    plain = make_encoder(make_config("stgcnpp"), COCO)
    noise = make_config("stgcnpp", drop=1.0, in_training=True, in_test=False).noise
    noisy, key = with_noise(plain, noise, COCO), jax.random.key(0)
    assert noisy.test is plain.test
    assert (noisy.train(make_batch(), key) != plain.train(make_batch(), key)).any()
    assert with_noise(plain, make_config().noise, COCO) is plain


def test_predictions_never_have_noise():
    clip, config = make_batch(1), make_config(drop=1.0, jitter=0.1)
    config.model = tiny_network()
    clean = make_config()
    clean.model = config.model
    variables = jax.jit(make_recognizer(clean).init)(jax.random.key(0))
    inputs = np.asarray(clip["keypoint"][0]), np.asarray(clip["score"][0]), (100, 100)
    scores = [Predictor(c, XlaEngine(c, variables))(*inputs).scores for c in (clean, config)]
    np.testing.assert_array_equal(*scores)


def test_joints_that_there_are_not_are_refused():
    with pytest.raises(ValueError, match="tail.*coco_17"):
        encoder_of(make_config(drop=0.5, joints=("tail",)))
    with pytest.raises(ValueError, match=r"config\.noise\.joints"):
        limb_joints(get_skeleton({"joints": ["a", "b"], "limbs": [["a", "b"]], "pairs": []}))
