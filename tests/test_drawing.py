"""Skeletons and volumes can be drawn whatever is missing; sides get their colours."""

import dataclasses

import numpy as np
import pytest

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.reports import drawing
from posec3d_jax.skeletons.skeleton import get_skeleton

SKELETON = get_skeleton(
    {
        "name": "stick_man",
        "joints": ["head", "hip", "left_foot", "right_foot"],
        "limbs": [["head", "hip"], ["hip", "left_foot"], ["left_foot", "right_foot"]],
        "pairs": [["left_foot", "right_foot"]],
    }
)
POINTS = np.array([[50, 10], [50, 40], [40, 80], [60, 80]], np.float32)
CLIP = SkeletonSequence(
    name="clip $1",
    keypoint=np.tile(POINTS, (3, 12, 1, 1)),
    score=np.ones((3, 12, 4), np.float32),
    frame_size=(100, 120),
    label=0,
)


def test_sides_of_joints_and_limbs():
    assert [drawing.SIDES[s] for s in drawing.joint_sides(SKELETON)] == [
        "centre",
        "centre",
        "left",
        "right",
    ]
    # A limb with one sided end has that side, one from side to side has none.
    assert [drawing.SIDES[s] for s in drawing.limb_sides(SKELETON)] == ["centre", "left", "centre"]


def test_frames_are_spread_from_first_to_last():
    assert drawing.spread_frames(100, 4) == [0, 33, 66, 99]
    assert drawing.spread_frames(2, 8) == [0, 1]
    with pytest.raises(ValueError, match="0 frames"):
        drawing.spread_frames(0, 8)


@pytest.mark.parametrize("frames", [1, 3, 12])
def test_skeleton_picture(tmp_path, frames):
    clip = dataclasses.replace(
        CLIP, keypoint=CLIP.keypoint[:, :frames].copy(), score=CLIP.score[:, :frames].copy()
    )
    clip.keypoint[1, 0], clip.score[2, 0, 3] = 0, 0  # a missing person and a missing joint
    figure = drawing.draw_skeletons(clip, SKELETON)
    assert len(figure.axes) == min(frames, 8) + 1
    first = next(axis for axis in figure.axes if axis.get_title().startswith("t = 0"))
    assert first.get_title() == "t = 0, 1 missing"
    assert len(first.collections) == 2 * 2  # limbs and joints of the two persons that are there
    path = drawing.save_figure(figure, tmp_path / "new" / "clip.png", dpi=30)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_clip_without_anybody(tmp_path):
    empty = dataclasses.replace(CLIP, keypoint=CLIP.keypoint * 0, score=CLIP.score * 0)
    figure = drawing.draw_skeletons(empty, SKELETON, num=2)
    assert "nobody" in figure.axes[0].get_title()
    drawing.save_figure(figure, tmp_path / "empty.png", dpi=30)


def test_another_layout_is_refused():
    with pytest.raises(ValueError, match=r"'clip \$1' has .* \[M, T, 17, 2\] for layout 'coco_17'"):
        drawing.draw_skeletons(CLIP, get_skeleton("coco_17"))


@pytest.mark.parametrize(("kind", "channels"), [("keypoints", 4), ("limbs", 3), ("both", 7)])
def test_volume_picture(tmp_path, kind, channels):
    volume = np.zeros((5, 6, 8, channels), np.float32)
    volume[2, 3, 4, 2] = 0.5  # left foot, or with limbs one from side to side
    figure = drawing.draw_volume(volume, SKELETON, kind, num=3)
    assert len(figure.axes) == 3 + 3
    drawing.save_figure(figure, tmp_path / "volume.png", dpi=30)
    brightest = figure.axes[0].images[0].get_array()[3, 4]  # relative to the maximum: full colour
    side = "centre" if kind == "limbs" else "left"
    expected = drawing.to_rgb(drawing.GLOW_COLORS[drawing.SIDES.index(side)])
    np.testing.assert_allclose(brightest, expected, atol=1e-6)


def test_volumes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"\(5, 6, 8, 4\); expected \[T, H, W, C\] with C = 3"):
        drawing.draw_volume(np.zeros((5, 6, 8, 4)), SKELETON, "limbs")
    with pytest.raises(ValueError, match="'bones'; expected one of keypoints, limbs, both"):
        drawing.draw_volume(np.zeros((5, 6, 8, 4)), SKELETON, "bones")
