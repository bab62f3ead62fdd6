"""3-D skeletons to pixels: orthographic, perspective, turned, and cameras that are none."""

import numpy as np
import pytest

from posec3d_jax.data.projection import project
from tests.reading import CAMERA


def test_orthographic_camera_fills_the_image_without_distortion():
    points = np.array([[0, 0, 5.0], [2, 0, 1], [0, 1, 1], [0, 0, 0]])
    pixels, visible = project(points, CAMERA | {"image_size": (100, 200)})
    assert visible.tolist() == [True, True, True, False] and pixels.dtype == np.float32
    assert not pixels[3].any()
    width, height = pixels[1, 0] - pixels[0, 0], pixels[0, 1] - pixels[2, 1]
    assert width == pytest.approx(2 * height) and width == pytest.approx(200 * 7 / 8)
    np.testing.assert_allclose((pixels[1] + pixels[2]) / 2, [100, 50], atol=1e-4)


def test_perspective_camera_is_the_kinects_pinhole():
    camera = CAMERA | dict(kind="perspective", image_size=(240, 320), focal=285.63)
    points = np.array([[0.5, 0.25, 2.0], [0.5, 0.25, -2.0], [np.nan, 1, 1]])
    pixels, visible = project(points, camera)
    np.testing.assert_allclose(pixels[0], [160 + 285.63 / 4, 120 - 285.63 / 8], rtol=1e-6)
    assert visible.tolist() == [True, False, False]
    assert not pixels[1].any() and np.isnan(pixels[2]).all()


def test_yaw_turns_the_front_to_the_right_and_pitch_looks_from_above():
    camera = CAMERA | dict(kind="perspective", focal=100.0)
    nose_and_back = np.array([[0, 0, 4.5], [0, 0, 5.5]])
    (nose, back), _ = project(nose_and_back, camera | {"yaw": 90.0})
    assert nose[0] > back[0]
    (nose, back), _ = project(nose_and_back, camera | {"pitch": 90.0})
    assert nose[1] > back[1], "from above, what is near is low in the image"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(kind="fisheye"), "orthographic"),
        (dict(kind="perspective"), "focal"),
        (dict(image_size=(256,)), "height, width"),
    ],
)
def test_bad_cameras_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        project(np.ones((2, 3)), CAMERA | change)
