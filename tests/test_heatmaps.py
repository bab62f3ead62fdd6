"""The renderer against the reference's drawings, and the invariants of a volume."""

import json
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.encoders.heatmaps import (
    keypoint_heatmaps,
    keypoint_strokes,
    limb_heatmaps,
    limb_strokes,
)
from posec3d_jax.kernels.strokes import paint, with_mirror_image
from posec3d_jax.skeletons.skeleton import get_skeleton

COCO = get_skeleton("coco_17")
DEFAULT = get_skeleton("coco_17_default_limbs")


def test_equals_the_reference(shared):
    data = np.load(shared / "parity" / "heatmaps.npz")
    meta = json.loads(str(data["meta_json"]))
    for case in meta["cases"]:
        drawn, expected = _draw_case(data, case, meta), data[f"{case['key']}_out"]
        assert drawn.shape == expected.shape, case
        np.testing.assert_allclose(drawn, expected, atol=1e-5, rtol=0, err_msg=str(case))


def _draw_case(data, case, meta) -> np.ndarray:
    """[frames (x 2 with double), C, H, W] as the reference's arrays are laid out."""
    key, scaling = case["key"], case["scaling"]
    keypoint = jnp.array(data[f"{key}_kp"], jnp.float32)[None] * scaling
    score = data[f"{key}_sc"] if f"{key}_sc" in data else np.ones(keypoint.shape[1:4])
    score = jnp.array(score, jnp.float32)[None]
    score = score if case["use_score"] else jnp.ones_like(score)
    size = tuple(int(side * scaling + 0.5) for side in case["img_shape"])
    skeleton = DEFAULT if "default" in case["mode"] or case.get("skeleton") == "default" else COCO
    frames, arrays = keypoint.shape[2], (_padded(keypoint), _padded(score))
    if case["mode"].startswith("kp"):
        volume = _joints(*arrays, size, sigma=case["sigma"])
    else:
        volume = _limbs(*arrays, skeleton, size, sigma=case["sigma"])
    plain, mirrored = jnp.split(volume, 2, 1)
    parts = [plain[:, :frames], mirrored[:, :frames]][: 1 + case["double"]]
    return np.moveaxis(np.array(jnp.concatenate(parts, 1)[0]), -1, 1)


@partial(jax.jit, static_argnames=("size", "sigma"))
def _joints(keypoint, score, size, sigma):
    strokes = keypoint_strokes(keypoint, score, size, sigma=sigma, epsilon=1e-3)
    return paint(with_mirror_image(strokes, COCO.flip_joints))


@partial(jax.jit, static_argnames=("skeleton", "size", "sigma"))
def _limbs(keypoint, score, skeleton, size, sigma):
    limbs, options = jnp.array(skeleton.limbs), {"epsilon": 1e-3, "short_limb": "start"}
    strokes = limb_strokes(keypoint, score, limbs, size, sigma=sigma, **options)
    return paint(with_mirror_image(strokes, skeleton.flip_limbs))


def _padded(array: jax.Array) -> jax.Array:
    """3 persons and 3 frames, so that few shapes are compiled; what is added has score 0."""
    missing = [(0, 3 - array.shape[axis]) for axis in (1, 2)]
    return jnp.pad(array, [(0, 0), *missing, *[(0, 0)] * (array.ndim - 3)])


def test_persons_merge_by_maximum_and_low_scores_are_invisible():
    keypoint = jnp.array([[[[[8.0, 8.0]]], [[[9.0, 8.0]]], [[[3.0, 3.0]]]]])
    score = jnp.array([[[[0.5]], [[1.0]], [[0.0005]]]])
    volume = keypoint_heatmaps(keypoint, score, (16, 16))[0, 0, :, :, 0]
    assert volume[8, 9] == 1.0
    np.testing.assert_allclose(volume[8, 8], 0.5, rtol=1e-6)
    assert volume[:6, :6].max() == 0


@pytest.mark.parametrize("sigma", [0.5, 0.6, 0.7, 1.0, 2.0])
def test_windows_are_those_of_double_precision(sigma):
    """At x = 14.2 and sigma 0.6 a sum in float32 reaches column 16, the reference's does not."""
    x = np.float32(np.round(np.random.default_rng(0).uniform(-8, 72, 2000), 1))
    keypoint = np.stack([x, np.full_like(x, 8)], -1)[None, None, None]
    volume = keypoint_heatmaps(
        jnp.array(keypoint), jnp.ones((1, 1, 1, 2000)), (16, 64), sigma=sigma
    )
    reach, column = 3 * sigma, np.arange(64)[:, None]
    low, high = np.trunc(x.astype(np.float64) - reach), np.trunc(x.astype(np.float64) + reach)
    np.testing.assert_array_equal(volume[0, 0, 8] > 0, (column >= low) & (column < high + 1))


@pytest.mark.parametrize("limb_stream", [False, True], ids=["joint", "limb"])
def test_drawing_mirrored_keypoints_equals_mirroring_the_drawing(limb_stream):
    rng = np.random.default_rng(0)
    keypoint = jnp.array(rng.uniform(2, 29, (1, 2, 3, 17, 2)), jnp.float32)
    score = jnp.array(rng.uniform(0, 1, (1, 2, 3, 17)), jnp.float32)
    mirrored = jnp.stack([31 - keypoint[..., 0], keypoint[..., 1]], -1)[..., COCO.flip_joints, :]
    swapped = score[..., COCO.flip_joints]
    if limb_stream:
        limbs, channels = jnp.array(COCO.limbs), COCO.flip_limbs
        pair = [
            limb_heatmaps(k, s, limbs, (32, 32))
            for k, s in ((keypoint, score), (mirrored, swapped))
        ]
    else:
        channels = COCO.flip_joints
        pair = [
            keypoint_heatmaps(k, s, (32, 32)) for k, s in ((keypoint, score), (mirrored, swapped))
        ]
    # Windows truncate toward zero, so the two may differ at the rim of a gaussian, below 3 sigma.
    np.testing.assert_allclose(pair[0][..., ::-1, :][..., channels], pair[1], atol=0.012)


def test_every_target_paints_the_same():
    """They keep profiles and pixels apart by a barrier, a CPU by a conditional."""
    rng = np.random.default_rng(0)
    keypoint = jnp.array(rng.uniform(2, 29, (1, 2, 3, 17, 2)), jnp.float32)
    score = jnp.array(rng.uniform(0, 1, (1, 2, 3, 17)), jnp.float32)
    options = {"sigma": 0.6, "epsilon": 1e-3, "short_limb": "start"}
    strokes = limb_strokes(keypoint, score, jnp.array(COCO.limbs), (32, 32), **options)
    plain = paint(strokes, "portable")
    for target in ("cpu", "gpu"):
        np.testing.assert_allclose(paint(strokes, target), plain, atol=1e-6)


def test_nobody_makes_an_empty_volume():
    nobody = keypoint_heatmaps(jnp.zeros((2, 3, 4, 17, 2)), jnp.zeros((2, 3, 4, 17)), (8, 6))
    assert nobody.shape == (2, 4, 8, 6, 17) and not nobody.any()
