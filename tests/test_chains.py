"""The reference's whole pipelines, from keypoints to the volume: val, test, and given crops."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.data.feed.sampling import test_frames as frames_of_test
from posec3d_jax.data.feed.sampling import uniform_sample
from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.volume import VolumeEncoder
from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.skeletons.skeleton import get_skeleton

COCO = get_skeleton("coco_17")
CLIP = 16
STREAMS = {"kp": "joint", "limb": "limb"}


@pytest.fixture(scope="module")
def chains(shared):
    with np.load(shared / "parity" / "pipeline_chains.npz") as file:
        return dict(file)


def _cases(chains):
    samples = json.loads(str(chains["meta_json"]))["samples"]
    for name, about in samples.items():
        for stream in STREAMS:
            yield name, stream, about


def _batch(chains, name, about, frames):
    """The annotation's float16 arrays, of these frames, as a batch of one clip."""
    keypoint, score = (chains[f"{name}_{part}"][None, :, frames] for part in ("kp", "sc"))
    return {
        "keypoint": jnp.array(keypoint, jnp.float32),
        "score": jnp.array(score, jnp.float32),
        "frame_size": jnp.array([about["img_shape"]], jnp.float32),
    }


def _config(stream):
    config = base.get_config()
    base.set_stream(config, STREAMS[stream])
    return config


@pytest.mark.parametrize("mode, clips, flip", [("val", 1, False), ("test", 3, True)])
def test_volumes_of_val_and_test(chains, mode, clips, flip):
    for name, stream, about in _cases(chains):
        frames = frames_of_test(about["total_frames"], CLIP, clips)
        encoder = VolumeEncoder.of(_config(stream), COCO, "cpu")
        encode = jax.jit(functools.partial(encoder.test, num_clips=clips, flip_views=flip))
        views = encode(_batch(chains, name, about, frames))[0]
        expected = chains[f"{name}_{stream}_{mode}"]
        found = np.moveaxis(np.asarray(views), -1, 1)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5, err_msg=f"{name} {stream}")


@pytest.mark.parametrize("seed", [0, 1])
def test_volumes_of_training_with_the_crop_and_flip_drawn(chains, seed):
    for name, stream, about in _cases(chains):
        key = f"{name}_{stream}_train{seed}"
        rng = np.random.RandomState(seed)
        frames = uniform_sample(about["total_frames"], CLIP, 1, rng=rng, test=False)
        np.testing.assert_array_equal(frames, chains[f"{key}_inds"])
        encoder = VolumeEncoder.of(_config(stream), COCO, "cpu")
        batch = _batch(chains, name, about, frames)
        box, flip = chains[f"{key}_bbox"], chains[f"{key}_flip"]
        keypoint, drawn = _train_chain(batch, box, flip, encoder.draw)
        np.testing.assert_allclose(keypoint[0], chains[f"{key}_kp"], rtol=0, atol=1e-4)
        found = np.moveaxis(np.asarray(drawn[0]), -1, 0)
        np.testing.assert_allclose(found, chains[key][0], rtol=0, atol=1e-4, err_msg=key)


def _train_chain(batch, box, flip, draw):
    """`VolumeEncoder.train`'s steps, with a given crop (left, top, right, bottom) and flip."""

    @jax.jit
    def run(batch, box, flip):
        keypoint, size = g.compact_crop(batch["keypoint"], batch["frame_size"])
        keypoint, size = g.resize_short_side(keypoint, size, 64)
        keypoint = keypoint - per_channel(box[:2], keypoint)
        size = (box[2:] - box[:2])[None, ::-1]
        keypoint, size = g.resize(keypoint, size, jnp.array([56, 56]))
        keypoint, score = g.flip(keypoint, batch["score"], size[:, 1], COCO.flip_joints, flip[None])
        return keypoint, draw(keypoint, score, (56, 56))

    return run(batch, jnp.array(box, jnp.float32), jnp.array(flip))
