"""The graph networks' input: the reference's pipeline, bones on any layout, mirrored views."""

import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.data.feed.pipeline import eval_batches
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.info import DatasetInfo
from posec3d_jax.data.stored.packs import from_sequences
from posec3d_jax.encoders import make_encoder
from posec3d_jax.skeletons.skeleton import get_skeleton

COCO = get_skeleton("coco_17")
REFERENCE = {"joint": "j", "bone": "b", "joint_motion": "jm", "bone_motion": "bm"}


def _config(stream="joint", frames=100):
    config = base.get_config()
    base.set_variant(config, stream, "stgcn")
    config.sampling.num_frames = frames
    return config


def _batch(config, keypoint, score, clips, size=(1080, 1920)):
    """As evaluation gets it: one clip of a data set in memory, with the frames of `clips` clips."""
    sequence = SkeletonSequence("clip", keypoint, score, size, 0)
    source = from_sequences(DatasetInfo("test", COCO, 60), [sequence], max_persons=2)
    needs = make_encoder(config, COCO).needs
    options = {"sampling": config.sampling, "needs": needs, "num_clips": clips, "batch_size": 1}
    return {k: jnp.array(v) for k, v in next(eval_batches(source, **options)).items()}


@pytest.mark.parametrize("stream", REFERENCE)
def test_input_equals_the_reference(shared, stream):
    """Of videos longer than, shorter than and as long as a clip; of one, two and three persons."""
    config = _config(stream)
    encoder = make_encoder(config, COCO)
    with np.load(shared / "parity" / "gcn_pipeline.npz") as data:
        for name in ("a0", "a1", "a2"):
            # The reference cuts a third person by its place, we by its score: cut beforehand.
            keypoint = data[f"{name}_kp"].astype(np.float32)[:2]
            score = data[f"{name}_sc"].astype(np.float32)[:2]
            found = encoder.test(_batch(config, keypoint, score, 2), 2, False)[0]
            expected = data[f"{name}_{REFERENCE[stream]}"]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6, err_msg=name)


def _clip(frames=5):
    rng = np.random.default_rng(0)
    keypoint = rng.uniform(50, 1000, (1, frames, 17, 2)).astype(np.float32)
    return keypoint, rng.uniform(0.3, 1, (1, frames, 17)).astype(np.float32)


def test_without_scores_the_third_channel_says_which_joints_there_are():
    keypoint, score = _clip()
    score[0, :, 3] = 0
    config = _config(frames=5)
    with_scores = make_encoder(config, COCO).test(_batch(config, keypoint, score, 1), 1, False)
    config.graph.use_score = False
    without = make_encoder(config, COCO).test(_batch(config, keypoint, score, 1), 1, False)
    np.testing.assert_array_equal(without[..., :2], with_scores[..., :2])
    np.testing.assert_array_equal(without[..., 2], with_scores[..., 2] > 0)


def test_motion_is_that_to_the_next_frame_of_the_video_and_ends_with_it():
    keypoint, score = _clip()
    config = _config("joint_motion", frames=5)
    x = make_encoder(config, COCO).test(_batch(config, keypoint, score, 1), 1, False)[0, 0, 0]
    moved = (keypoint[0, 1:] - keypoint[0, :-1]) / np.array([960, 540])
    np.testing.assert_allclose(x[:4, :, :2], moved, atol=1e-6)
    np.testing.assert_allclose(x[:4, :, 2], (score[0, 1:] + score[0, :-1]) / 2, atol=1e-6)
    assert not x[4].any()


@pytest.mark.parametrize("stream", REFERENCE)
def test_mirrored_views_follow_and_have_left_and_right_swapped(stream):
    config = _config(stream, frames=3)
    encoder = make_encoder(config, COCO)
    assert encoder.needs["pose"].following == stream.endswith("motion")
    assert not config.sampling.test_flip
    views = np.asarray(encoder.test(_batch(config, *_clip(9), 2), 2, True))
    assert views.shape == (1, 4, *encoder.test_shape)
    mirror = views[:, :2][..., COCO.flip_joints, :] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(views[:, 2:], mirror, atol=1e-6)


def test_padding_persons_and_missing_joints_are_zero():
    keypoint, score = _clip()
    keypoint[0, 0, 3], score[0, 0, 4] = np.nan, 0.01
    config = _config("joint", frames=5)
    x = np.asarray(make_encoder(config, COCO).test(_batch(config, keypoint, score, 1), 1, False))
    assert np.isfinite(x).all() and not x[0, 0, 1].any()
    assert not x[0, 0, 0, 0, 3].any() and x[0, 0, 0, 0, 4].tolist() == [0, 0, np.float32(0.01)]
    assert x[0, 0, 0, 1:].all()


def test_options_that_do_not_fit_are_refused():
    config = _config("bone")
    config.graph.stream = "bones"
    with pytest.raises(ValueError, match=r"config.graph.stream is 'bones'; expected one of"):
        make_encoder(config, COCO)
    config.encoder = "graf"
    with pytest.raises(ValueError, match=r"config.encoder is 'graf'; expected one of"):
        make_encoder(config, COCO)


def test_all_is_joints_bones_and_motions_between_the_frames():
    keypoint, score = _clip(10)
    found = {}
    for stream in ("joint", "bone", "all"):
        config = _config(stream, frames=5)
        config.sampling.method = "spread"
        encoder = make_encoder(config, COCO)
        found[stream] = np.asarray(encoder.test(_batch(config, keypoint, score, 2), 2, False)[0])
    joint, bone, motion = np.split(found["all"], 3, -1)
    np.testing.assert_array_equal(joint, found["joint"])
    np.testing.assert_array_equal(bone, found["bone"])
    np.testing.assert_allclose(motion[:, :, :-1, :, :2], np.diff(joint[..., :2], axis=2), atol=1e-6)
    assert not motion[:, :, -1].any()


def test_in_the_persons_frame_place_and_size_do_not_matter():
    keypoint, score = _clip()
    config = _config(frames=5)
    config.graph.frame = "person"
    encoder = make_encoder(config, COCO)
    seen = [
        np.asarray(encoder.test(_batch(config, points, score, 1), 1, False))[..., :2]
        for points in (keypoint, keypoint * 0.5 + 37)
    ]
    np.testing.assert_allclose(*seen, atol=1e-5)
    assert np.abs(seen[0]).max() == pytest.approx(1, abs=1e-5)
