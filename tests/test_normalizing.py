"""3-D skeletons in their own frame: the reference's numbers, and its graph networks' input."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.config.checks import check_config
from posec3d_jax.data.feed.pipeline import eval_batches
from posec3d_jax.data.normalizing import normalize
from posec3d_jax.data.readers.views import camera_of, project_scored
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.info import DatasetInfo
from posec3d_jax.data.stored.packs import from_sequences
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.checkpoint_file import read_checkpoint
from posec3d_jax.weights.importing import convert
from tests.reference import relative_error

STREAMS = {"joint": "j", "bone": "b", "joint_motion": "jm", "bone_motion": "bm"}


def test_clips_are_normalized_as_the_reference_does(shared):
    """Gaps, an empty person, a fuller second one, spines up and down, half precision."""
    with np.load(shared / "parity" / "prenormalize3d.npz") as data:
        runs = [r for r in json.loads(str(data["meta_json"]))["runs"] if not r["options"]]
        for run in runs:
            found, _ = normalize(data[f"{run['sample']}_in"])
            expected = data[f"{run['key']}_out"]
            np.testing.assert_allclose(found, expected, rtol=0, atol=2e-7, err_msg=run["key"])
    assert len(runs) > 10


def test_scores_go_with_their_persons_and_frames():
    points = np.random.default_rng(0).normal(0, 1, (3, 6, 25, 3))
    points[0, 1:] = points[2, 2:4] = 0
    score = np.arange(3 * 6 * 25.0).reshape(3, 6, 25)
    found, kept = normalize(points, score)
    assert found.shape == (2, 6, 25, 3)
    np.testing.assert_array_equal(kept, score[[1, 2]])
    with pytest.raises(BadSample, match="more than 8 joints"):
        normalize(points[:, :, :8])


def _config(stream="joint"):
    config = base.get_config()
    base.set_variant(config, stream, "stgcnpp")
    base.set_pyskl_3d(config)
    return config


@pytest.mark.parametrize("stream", STREAMS)
def test_graph_networks_are_shown_what_the_reference_shows_them(shared, stream):
    config = _config(stream)
    recognizer = make_recognizer(check_config(config))
    with np.load(shared / "parity" / "gcn3d_pipeline.npz") as data:
        for name in ("p0", "p1", "p2", "p3"):
            keypoint, score = project_scored(data[f"{name}_in"], None, camera_of(config.data))
            sequence = SkeletonSequence("clip", keypoint, score, (256, 256), 0)
            info = DatasetInfo("test", recognizer.skeleton, 60)
            source = from_sequences(info, [sequence], max_persons=2)
            options = {"needs": recognizer.encoder.needs, "num_clips": 1, "batch_size": 1}
            batch = next(eval_batches(source, sampling=config.sampling, **options))
            found = recognizer.encoder.test({k: jnp.array(v) for k, v in batch.items()}, 1, False)
            expected = data[f"{name}_val_{STREAMS[stream]}"]
            np.testing.assert_allclose(found[0], expected, rtol=0, atol=2e-6, err_msg=name)


@pytest.mark.slow
def test_the_references_network_of_3d_joints_gives_its_logits(shared):
    config = _config()
    config.model.width, config.data.num_classes = 8, 11
    recognizer, file = make_recognizer(config), shared / "parity" / "tiny_stgcnpp_ntu.pth"
    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    variables, _ = convert(read_checkpoint(file).tensors, like)
    with np.load(file.with_suffix(".npz")) as data:
        logits = jax.jit(recognizer.logits)(variables, data["in_x"])["pose"]
        assert relative_error(logits, data["logits"]) <= 1e-5


def test_of_what_it_is_is_checked():
    config = _config()
    config.planes.yaw = 10.0
    with pytest.raises(ValueError, match="spine lies along z"):
        check_config(config)
    config = _config()
    config.data.camera.yaw = 10.0
    with pytest.raises(ValueError, match="extra_yaws"):
        project_scored(np.ones((1, 2, 25, 3)), None, camera_of(config.data))
