"""RGB frames on the device equal the reference, byte for byte: boxes, crop, resize, flip."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.data.feed.sampling import test_frames as frames_of_test
from posec3d_jax.data.feed.sampling import uniform_sample
from posec3d_jax.encoders.frames import crop_resized, flip_frames, normalised
from posec3d_jax.encoders.geometry import compact_box, flip, resize
from posec3d_jax.encoders.volume import VolumeEncoder
from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.skeletons.skeleton import get_skeleton

COCO = get_skeleton("coco_17")
_SIDE, _FRAMES = 64, 40  # of the arrays that hold clips of all sizes, so that few are compiled


@functools.cache
def _compiled(size):
    return jax.jit(functools.partial(crop_resized, size=size))


def _crop_resized(frames: np.ndarray, box, size: tuple[int, int]) -> np.ndarray:
    """Frames [T, H, W, 3], cropped to the box and resized; around them is what nobody may see."""
    count, height, width, _ = frames.shape
    held = np.full((1, _FRAMES, _SIDE, _SIDE, 3), 99, np.uint8)
    held[0, :count, :height, :width] = frames
    own, box = np.array([[height, width]], np.int32), np.array([box], np.int32)
    return np.asarray(_compiled(size)(held, own, box))[0, :count]


def test_bytes_are_normalised_as_the_reference_does(shared):
    data = np.load(shared / "parity" / "resize_bilinear.npz")
    every = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, 3))
    np.testing.assert_array_equal(jax.jit(normalised)(every), data["bytes_normalised"])
    flipped = flip_frames(data["flip_in"][None, None], jnp.array([True]))[0, 0]
    np.testing.assert_array_equal(flipped, data["flip_out"])


@pytest.mark.slow  # each size compiles anew
def test_resize_is_that_of_opencv(shared):
    data = np.load(shared / "parity" / "resize_bilinear.npz")
    keys = [name.removesuffix("_in") for name in data.files if name.startswith("r")]
    for key in (key for key in keys if f"{key}_in" in data.files):
        image, expected = data[f"{key}_in"], data[f"{key}_out"]
        height, width = image.shape[:2]
        size, box = np.array([[height, width]]), np.array([[0, 0, width, height]])
        found = crop_resized(jnp.array(image)[None, None], size, box, expected.shape[:2])
        np.testing.assert_array_equal(found[0, 0], expected, err_msg=key)


def test_boxes_and_crops(shared):
    """Every option of the compact crop; what lies outside of the frame is black."""
    data = np.load(shared / "parity" / "rgbpose_compact.npz")
    side = 160
    for run in json.loads(str(data["meta_json"]))["runs"]:
        if run.get("broken"):  # the reference's own box is inverted
            continue
        key = run["key"]
        ratio = run["hw_ratio"] or 0
        options = tuple(ratio) if isinstance(ratio, list) else ratio, run["allow_imgpad"]
        keypoint = jnp.nan_to_num(jnp.array(data[f"{key}_kp"][None]), nan=0)
        box = np.asarray(_box(*options)(keypoint, jnp.array([run["img_shape"]], jnp.float32)))[0]
        np.testing.assert_array_equal(box, data[f"{key}_box"], err_msg=key)
        # Not resized: a box of the output's own size, whose top left part is the crop.
        left, top, right, bottom = box.astype(int)
        found = _crop_resized(
            data[f"{key}_imgs"], (left, top, left + side, top + side), (side,) * 2
        )
        found = found[:, : bottom - top, : right - left]
        np.testing.assert_array_equal(found, data[f"{key}_outimgs"], err_msg=key)


@functools.cache
def _box(hw_ratio, allow_imgpad):
    options = {"hw_ratio": hw_ratio, "allow_imgpad": allow_imgpad}
    return jax.jit(functools.partial(compact_box, **options))


@pytest.mark.parametrize("file", ["rgbpose_frames", "rgbonly_frames"])
def test_whole_pipelines(shared, file):
    """From decoded frames to the network's input, with the crop and the flip that were drawn."""
    data = np.load(shared / "parity" / f"{file}.npz")
    videos = np.load(shared / "parity" / "rgbpose_frames.npz")
    for run in json.loads(str(data["meta_json"]))["runs"]:
        key, sample = run["key"], run["sample"]
        part = {
            name.removeprefix(f"{key}_"): data[name]
            for name in data.files
            if name.startswith(f"{key}_")
        }
        frames = videos[f"{sample}_frames"][part["RGB_inds"]]
        if "kp_decoded" in part:
            size = jnp.array([part["decoded_shape"]], jnp.float32)
            keypoint = jnp.nan_to_num(jnp.array(part["kp_decoded"][None]), nan=0)
            box = np.asarray(compact_box(keypoint, size))[0]
            np.testing.assert_array_equal(box, part["box"], err_msg=key)
        first = part["imgs_resize1"].shape[1:3]
        found = _crop_resized(frames, part["box"], first)
        np.testing.assert_array_equal(found, part["imgs_resize1"], err_msg=key)
        if "crop_bbox" in part:
            found = _crop_resized(found, part["crop_bbox"], part["imgs_resize2"].shape[1:3])
            np.testing.assert_array_equal(found, part["imgs_resize2"], err_msg=key)
            found = found[:, :, ::-1] if part["flip"] else found
        expected = np.moveaxis(part["imgs"], 1, -1).reshape(*found.shape)
        np.testing.assert_array_equal(_normalised(found), expected, err_msg=key)
        if file == "rgbpose_frames" and "crop_bbox" in part:
            _check_heatmaps(part, key)


_normalised = jax.jit(normalised)


def _check_heatmaps(part, key):
    """Keypoints in the frames' box go through the frames' crop, then to a quarter of their size."""
    height, width = part["imgs_resize1"].shape[1:3]
    left, top, right, bottom = part["crop_bbox"]
    keypoint, score = (
        jnp.array(part[name], jnp.float32)[None] for name in ("kp_resize1", "sc_flip")
    )
    target = part["imgs_resize2"].shape[1:3]
    keypoint = keypoint - per_channel(jnp.array([left, top]), keypoint)
    size = jnp.array([[bottom - top, right - left]], jnp.float32)
    keypoint, size = resize(keypoint, size, jnp.array(target))
    yes = jnp.array([bool(part["flip"])])
    keypoint, _ = flip(keypoint, score, size[:, 1], COCO.flip_joints, yes)
    found = _encoder().draw(keypoint / 4, score, (target[0] // 4, target[1] // 4))[0]
    expected = np.moveaxis(part["heatmap_imgs"][0], 0, -1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4, err_msg=key)


@functools.cache
def _encoder():
    config = base.get_config()
    config.volume.sigma = 0.7
    return VolumeEncoder.of(config, COCO)


def test_frames_of_both_clocks(shared):
    """On one stream of random numbers in training, from the same seed in a test."""
    data = np.load(shared / "parity" / "rgbpose_sampling.npz")
    for name in (name for name in data.files if name.endswith("_RGB")):
        _, _, length, clips, mode, _ = name.split("_")
        length, clips = int(length[1:]), int(clips[1:])
        pose = name.removesuffix("RGB") + "Pose"
        if mode == "test":
            found = [frames_of_test(length, count, clips) for count in (8, 32)]
        else:
            rng = np.random.RandomState(int(mode[1:]))
            found = [uniform_sample(length, n, clips, rng=rng, test=False) for n in (8, 32)]
        np.testing.assert_array_equal(found[0], data[name], err_msg=name)
        np.testing.assert_array_equal(found[1], data[pose], err_msg=pose)
