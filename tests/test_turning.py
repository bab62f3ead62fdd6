"""Skeletons of three planes: stored from 3-D, turned on the device, shown as planes or points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base, networks
from posec3d_jax.data.projection import project, turn
from posec3d_jax.data.readers.views import project_scored
from posec3d_jax.encoders import make_encoder
from posec3d_jax.encoders.turning import Turning, with_turning
from posec3d_jax.engines.xla import XlaEngine
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.predict import Predictor
from posec3d_jax.skeletons.planes import PLANES, planes_of, stored_layout
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.steps.recognizer import make_recognizer
from tests.reading import CAMERA

KINECT = get_skeleton("kinect_20")
PLANE_CAMERA = CAMERA | {"planes": True}


@pytest.fixture
def points():
    """Two clips in 3-D, [2, 1, 6, 20, 3]; the second has a missing joint."""
    points = np.random.default_rng(0).normal(0, 1, (2, 1, 6, 20, 3)) + (0, 0, 4)
    points[1, 0, 2, 5] = 0
    return points


def _batch(points, yaw=0.0):
    """The clips as a batch, each turned by `yaw` before it is stored."""
    stored = [project(clip, PLANE_CAMERA | {"yaw": yaw}) for clip in points]
    keypoint, score = (jnp.array(np.stack(part)) for part in zip(*stored, strict=True))
    size = jnp.full((len(points), 2), 256.0)
    return {"keypoint": keypoint, "score": score.astype(jnp.float32), "frame_size": size}


def _turning(**changes):
    options = dict(shown=PLANES, yaw=0.0, pitch=0.0, facing=False, points=False)
    return Turning(KINECT, **options | changes)


def _scaled(keypoint) -> np.ndarray:
    """About the middle of each clip's box, relative to its longest side."""
    keypoint = np.asarray(keypoint).reshape(len(keypoint), -1, keypoint.shape[-1])
    low, high = keypoint.min(1, keepdims=True), keypoint.max(1, keepdims=True)
    return (keypoint - (low + high) / 2) / (high - low).max((1, 2), keepdims=True)


def test_planes_are_three_views_in_one_scale(points):
    pixels, visible = project(points[0], PLANE_CAMERA)
    front, side, top = np.split(pixels, 3, axis=-2)
    np.testing.assert_allclose(front[..., 1], side[..., 1])
    np.testing.assert_allclose(front[..., 0], top[..., 0])
    np.testing.assert_allclose(side[..., 0], top[..., 1], atol=1e-4)
    found = np.stack([front[..., 0], -front[..., 1], side[..., 0]], -1)
    scale = np.ptp(found.reshape(-1, 3), axis=0) / np.ptp(points[0].reshape(-1, 3), axis=0)
    np.testing.assert_allclose(scale, scale[0], rtol=1e-5)
    assert visible.all() and pixels.min() >= 15.9 and pixels.max() <= 240.1


def test_scores_are_those_of_the_joints_in_every_plane(points):
    score = np.random.default_rng(1).uniform(0.1, 1, points[1].shape[:-1])
    _, stored = project_scored(points[1], score, PLANE_CAMERA)
    np.testing.assert_array_equal(stored[..., :20], stored[..., 40:])
    assert stored[0, 2, 25] == 0 and stored[0, 0, 20] == np.float32(score[0, 0, 0])
    with pytest.raises(BadSample, match="does not fit"):
        project_scored(points[1], score[..., :19], PLANE_CAMERA)


def test_nothing_turned_is_what_was_stored(points):
    batch = _batch(points)
    np.testing.assert_allclose(_turning().test(batch)["keypoint"], batch["keypoint"], atol=1e-3)
    front = _turning(shown=("front",)).test(batch)
    np.testing.assert_allclose(front["keypoint"], batch["keypoint"][..., :20, :], atol=1e-3)
    assert front["score"].shape == (2, 1, 6, 20) and front["score"][1, 0, 2, 5] == 0


def test_a_turn_on_the_device_is_a_turn_before_storing(points):
    wanted = _scaled(_batch(points[:1], yaw=30.0)["keypoint"][..., :20, :])
    shown = _turning(shown=("front",))._shown(
        _batch(points[:1]), jnp.deg2rad(30.0)[None], jnp.zeros(1)
    )
    np.testing.assert_allclose(_scaled(shown["keypoint"]), wanted, atol=1e-4)
    middle = turn(points[0].reshape(-1, 3), 0, 20)[:, :2] * (1, -1)
    shown = _turning(shown=("front",))._shown(
        _batch(points[:1]), jnp.zeros(1), jnp.deg2rad(20.0)[None]
    )
    np.testing.assert_allclose(_scaled(shown["keypoint"]), _scaled(middle[None]), atol=1e-4)


def test_facing_the_camera_it_does_not_matter_how_the_person_stood(points):
    points[..., KINECT.joints.index("left_shoulder"), 0] += 3
    facing = _turning(facing=True)
    seen = [
        _scaled(facing.test(_batch(points[:1], yaw))["keypoint"][..., :20, :]) for yaw in (0, 70)
    ]
    np.testing.assert_allclose(*seen, atol=1e-4)
    turned = np.asarray(facing.test(_batch(points[:1], 70))["keypoint"])[0, 0].mean(0)
    left, right = (
        np.mean(
            [turned[KINECT.joints.index(f"{side}_{joint}")] for joint in ("shoulder", "hip")], 0
        )
        for side in ("left", "right")
    )
    assert left[0] > right[0]


def test_missing_joints_stay_missing_and_training_turns(points):
    batch = _batch(points)
    turned = _turning(yaw=90.0, pitch=20.0).train(batch, jax.random.key(0))
    missing = np.asarray(batch["keypoint"] == 0).all(-1)
    assert missing.sum() == 3
    np.testing.assert_array_equal(np.asarray(turned["keypoint"] == 0).all(-1), missing)
    assert np.abs(turned["keypoint"] - batch["keypoint"]).max((1, 2, 3, 4)).min() > 1


@pytest.mark.parametrize(
    "network, shown, channels",
    [("c3d_light", PLANES, 60), ("c3d_light", ("front",), 20)]
    + [("stgcnpp", PLANES, 12), ("stgcnpp", ("front",), 9)],
)
def test_networks_see_planes_or_points(points, network, shown, channels):
    config = base.get_config()
    base.set_variant(config, "all" if network == "stgcnpp" else "joint", network)
    config.data.skeleton, config.data.planes, config.planes.shown = "kinect_20", True, shown
    config.planes.yaw = 30.0
    config.sampling.num_frames, config.data.max_persons = 6, 1
    config.volume.train_size = config.volume.test_size = (16, 16)
    encoder, layout = with_turning(lambda seen: make_encoder(config, seen), config)
    assert stored_layout(config.data).num_joints == 60
    assert layout.num_joints == (60 if channels == 60 else 20)
    inputs = encoder.train(_batch(points), jax.random.key(0))
    assert inputs.shape == (2, *encoder.train_shape) and inputs.shape[-1] == channels
    assert encoder.test(_batch(points), 1, True).shape[-1] == channels
    assert np.isfinite(inputs).all()


def test_what_cannot_be_turned_is_refused():
    config = base.get_config()
    config.data.planes, config.planes.shown = True, ("side", "side")
    with pytest.raises(ValueError, match="each once"):
        with_turning(lambda seen: make_encoder(config, seen), config)
    with pytest.raises(ValueError, match="orthographic"):
        project(np.ones((2, 3)), PLANE_CAMERA | {"kind": "perspective", "focal": 100.0})
    assert planes_of(KINECT).joints[20] == "side_hip_center"


def test_a_clip_in_3d_is_predicted_by_a_network_of_planes(points):
    config = base.get_config()
    config.model = networks.c3d_light(width=4)
    config.data.skeleton, config.data.planes, config.planes.facing = "kinect_20", True, True
    config.sampling.num_frames, config.data.max_persons, config.data.num_classes = 4, 1, 3
    config.volume.train_size = config.volume.test_size = (16, 16)
    variables = jax.jit(make_recognizer(config).init)(jax.random.key(0))
    predictor = Predictor(config, XlaEngine(config, variables))
    assert predictor.skeleton.num_joints == 60
    prediction = predictor(points[0].astype(np.float32))
    assert prediction.scores.sum() == pytest.approx(1, abs=1e-5)
