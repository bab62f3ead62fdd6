"""The encoder: channels of every stream, padding persons, views, and reproducible augmentation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.encoders.volume import volume_encoder
from posec3d_jax.skeletons.skeleton import get_skeleton

COCO = get_skeleton("coco_17")


def _encoder(stream="joint", **volume):
    config = base.get_config()
    base.set_stream(config, stream)
    config.sampling.num_frames = 6
    config.volume.train_size = config.volume.test_size = (16, 16)
    config.volume.update(volume)
    return volume_encoder(config, COCO, "cpu")


def _batch(frames=6):
    rng = np.random.default_rng(0)
    keypoint = rng.uniform(50, 200, (2, 2, frames, 17, 2)).astype(np.float32)
    keypoint[:, 1] = 0  # the second person only pads the batch
    score = np.where(keypoint[..., 0] > 0, 0.9, 0).astype(np.float32)
    size = np.full((2, 2), 240, np.float32)
    return {"keypoint": jnp.array(keypoint), "score": jnp.array(score), "frame_size": size}


@pytest.mark.parametrize("stream, channels", [("joint", 17), ("limb", 17), ("both", 34)])
def test_streams_and_their_channels(stream, channels):
    encoder = _encoder(stream)
    volume = jax.jit(encoder.train)(_batch(), jax.random.key(0))
    assert volume.shape == (2, 6, 16, 16, channels) == (2, *encoder.train_shape)
    tested = jax.jit(lambda b: encoder.test(b, 1, True))(_batch())
    assert tested.shape == (2, 2, 6, 16, 16, channels)
    assert 0 < volume.max() <= 0.9001 and volume.min() == 0


def test_augmentation_depends_on_the_key_alone():
    encode = jax.jit(_encoder().train)
    same = [encode(_batch(), jax.random.key(0)) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert (encode(_batch(), jax.random.key(1)) != same[0]).any()


def test_views_are_clips_then_mirrored_clips():
    encoder = _encoder()
    views = jax.jit(lambda batch: encoder.test(batch, 3, True))(_batch(6))
    assert views.shape == (2, 6, 2, 16, 16, 17)
    np.testing.assert_array_equal(views[:, 3:], views[:, :3, :, :, ::-1][..., COCO.flip_joints])


def test_persons_that_only_pad_are_never_drawn():
    alone = {k: v if k == "frame_size" else v[:, :1] for k, v in _batch().items()}
    for use_score in (True, False):
        encoder = _encoder(use_score=use_score)
        draw = jax.jit(lambda batch, encoder=encoder: encoder.test(batch, 1, False))
        np.testing.assert_array_equal(draw(_batch()), draw(alone))


def test_nan_is_missing():
    batch = _batch()
    batch["keypoint"] = batch["keypoint"].at[0, 0, 0, 3].set(jnp.nan)
    volume = _encoder().test(batch, 1, False)
    assert jnp.isfinite(volume).all() and volume[0, 0, 0, :, :, 3].max() == 0
