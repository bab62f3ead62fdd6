"""Each odd behaviour of the references is an option: the default is theirs, the other is not."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base, stored
from posec3d_jax.config.keys import KEYS, MODELS
from posec3d_jax.config.keys.key import ALWAYS
from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.heatmaps import limb_heatmaps
from posec3d_jax.encoders.volume import volume_encoder
from posec3d_jax.runs.evaluations import Scores, write_evaluation
from posec3d_jax.runs.other_settings import tell_classes, tell_differences
from posec3d_jax.runs.records import names_of_classes
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.steps.recognizer import make_recognizer

COCO = get_skeleton("coco_17")
SIZE = jnp.array([[100.0, 200.0]])


def test_which_zeros_are_missing():
    """Of four joints one is at x = 0, one is absent."""
    keypoint = jnp.array([[0.0, 50], [0, 0], [40, 20], [80, 90]])[None, None, None]
    apart, size = g.compact_crop(keypoint, SIZE, padding=0, hw_ratio=0)
    both, wider = g.compact_crop(keypoint, SIZE, padding=0, hw_ratio=0, missing="joint")
    np.testing.assert_array_equal(apart[0, 0, 0], [[0, 30], [0, 0], [0, 0], [40, 70]])
    np.testing.assert_array_equal(both[0, 0, 0], [[0, 30], [0, 0], [40, 0], [80, 70]])
    assert size.tolist() == [[70, 40]] and wider.tolist() == [[70, 80]]
    score, order, yes = jnp.ones((1, 1, 1, 4)), np.arange(4), jnp.array([True])
    for missing, x in (("coordinate", [0, 0, 160, 120]), ("joint", [200, 0, 160, 120])):
        flipped, _ = g.flip(keypoint, score, SIZE[:, 1], order, yes, missing=missing)
        assert flipped[0, 0, 0, :, 0].tolist() == x


def test_a_crop_may_be_kept_inside_the_frame():
    keypoint = jnp.array([[20.0, 30], [180, 90]])[None, None, None]
    _, outside = g.compact_crop(keypoint, SIZE)
    _, inside = g.compact_crop(keypoint, SIZE, allow_imgpad=False)
    assert outside.tolist() == [[200, 200]] and inside.tolist() == [[100, 200]]


def test_score_of_a_short_limb():
    keypoint = jnp.array([[8.0, 8.0], [8.5, 8.0]])[None, None, None]
    score = jnp.array([0.9, 0.2])[None, None, None]
    limbs = jnp.array([[0, 1]])
    for short_limb, peak in (("start", 0.9), ("lower", 0.2)):
        volume = limb_heatmaps(keypoint, score, limbs, (16, 16), short_limb=short_limb)
        assert volume.max() == pytest.approx(peak)


def _encoder(**geometry):
    config = base.get_config()
    config.volume.train_size = config.volume.test_size = (16, 16)
    config.geometry.update(dict(crop_area=(1.0, 1.0), train_resize=0) | geometry)
    return volume_encoder(config, COCO, "cpu")


def _batch():
    keypoint = np.random.default_rng(0).uniform(50, 90, (1, 1, 2, 17, 2)).astype(np.float32)
    score = jnp.ones(keypoint.shape[:-1])
    return {"keypoint": jnp.array(keypoint), "score": score, "frame_size": SIZE}


def test_mirrors_of_training_and_test():
    """With the same mirror, what training draws and what a test sees are one."""
    batch = _batch()
    plain, own = _encoder().test(batch, 1, True)[0]
    np.testing.assert_array_equal(own, plain[..., ::-1, :][..., COCO.flip_joints])
    for mirror in ("W-x", "W-1-x"):
        encoder = _encoder(flip=1.0, train_mirror=mirror, test_mirror=mirror)
        trained = encoder.train(batch, jax.random.key(0))[0]
        tested = encoder.test(batch, 1, True)[0, 1]
        # Windows truncate toward zero, so mirrored drawings may differ at the rim of a gaussian.
        np.testing.assert_allclose(trained, tested, rtol=0, atol=0.012)
    shifted = _encoder(test_mirror="W-x").test(batch, 1, True)[0, 1]
    np.testing.assert_allclose(shifted[:, :, 1:], own[:, :, :-1], rtol=0, atol=0.012)


def test_classes_of_the_mean_class_accuracy(tmp_path):
    values = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    scores = Scores(tuple("abcd"), np.array([0, 0, 1, 1]), values, (), "1 clip")
    assert write_evaluation(tmp_path / "a", scores)["mean_class"] == pytest.approx(1.5 / 3)
    summary = write_evaluation(tmp_path / "b", scores, mean_class="present")
    assert summary["mean_class"] == pytest.approx(1.5 / 2)
    assert summary["mean_class_over"] == "present"


@pytest.mark.parametrize(
    "key",
    [
        *("geometry.missing", "geometry.train_mirror", "geometry.test_mirror"),
        *("geometry.test_resize", "volume.short_limb", "evaluate.mean_class"),
    ],
)
def test_a_misspelt_value_is_refused_before_any_work(key):
    config = base.get_config()
    part, name = key.split(".")
    config[part][name] = "sideways"
    with pytest.raises(ValueError, match=f"config.{key} is 'sideways'; expected"):
        make_recognizer(config)


def test_a_run_from_before_an_option_keeps_what_it_did(tmp_path):
    """Of a run that was stored before any of the keys that came later, each is what it did then."""
    config = stored.config_to_dict(base.get_config())
    later = [key for key in KEYS.values() if key.earlier is not ALWAYS]
    for key in later:
        part, _, name = key.name.rpartition(".")
        del (config[part] if part else config)[name]
    del config["graph"]
    (tmp_path / stored.CONFIG_FILE).write_text(json.dumps(config))
    restored = stored.load_config(tmp_path)
    expected = base.get_config()
    for key in later:
        part, _, name = key.name.rpartition(".")
        (expected[part] if part else expected)[name] = key.earlier
    assert restored == expected and len(later) > 20
    assert stored.stored_config(tmp_path / "none") == {}


def test_defaults_and_earlier_values_are_ones_that_the_key_may_have():
    for keys in (KEYS, *MODELS.values()):
        for key in keys.values():
            assert key.values.holds(key.default), key.name
            assert key.earlier is ALWAYS or key.values.holds(key.earlier), key.name
            assert key.meaning.endswith("."), f"{key.name}: its meaning is a sentence"


def test_what_differs_from_the_run_is_told(tmp_path):
    """Of what a test depends on: not the rate, nor where the data lies."""
    config = base.get_config()
    (tmp_path / stored.CONFIG_FILE).write_text(json.dumps(stored.config_to_dict(config)))
    assert tell_differences(config, tmp_path) == []
    config.optimizer.learning_rate, config.data.dir = 1.0, "elsewhere"
    assert tell_differences(config, tmp_path) == []
    base.set_stream(config, "limb")
    assert tell_differences(config, tmp_path) == [
        "config.volume.keypoints: True in the run, now False",
        "config.volume.limbs: False in the run, now True",
    ]


def test_classes_in_another_order_are_told(tmp_path):
    run = {"class_names": ["wave", "jump", "sit"]}
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert tell_classes(tmp_path, ("wave", "jump", "sit")) == tell_classes(tmp_path, ()) == []
    [line] = tell_classes(tmp_path, ("wave", "sit", "jump"))
    assert line == "class 1 is 'jump' in the run and 'sit' in the data set, and so on for 2 classes"


def test_names_of_another_data_set_are_not_shown():
    data = base.get_config().data
    data.num_classes, data.class_names = 3, ("a", "b", "c")
    assert names_of_classes(data) == ("a", "b", "c")
    assert names_of_classes(data, ("x", "y", "z")) == ("x", "y", "z")
    data.num_classes = 2
    assert names_of_classes(data) == ("class 0", "class 1")
    data.classes = (("one", ("a",)), ("rest", ("b", "c")))
    assert names_of_classes(data) == ("one", "rest")
