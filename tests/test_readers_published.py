"""Readers of the publishers' files, and the real data's counts."""

import numpy as np
import pytest
from scipy.io import savemat

from tests.reading import CAMERA, read


def test_penn_action_invisible_joints_and_bad_files(tmp_path):
    x, y = np.full((4, 13), 50.0), np.full((4, 13), 60.0)
    x[:, 2] = 1  # on the border, as joints outside the image are
    visibility = np.ones((4, 13), np.uint8)
    visibility[:, 1:3] = 0
    contents = dict(action="squat", x=x, y=y, visibility=visibility, train=1)
    savemat(tmp_path / "0001.mat", contents | {"dimensions": [[100, 120, 4]]})
    savemat(tmp_path / "0002.mat", contents)
    whole = (tmp_path / "0001.mat").read_bytes()
    (tmp_path / "0003.mat").write_bytes(whole[:-200])
    savemat(tmp_path / "0004.mat", contents | dict(action="yoga", dimensions=[[100, 120, 4]]))
    _, clips, report = read("penn_action", tmp_path, "penn_13", 15)
    assert clips["0001"].score[0, 0].tolist() == [1, 0, 0] + [1] * 10
    assert not clips["0001"].keypoint[:, :, 1:3].any() and clips["0001"].frame_size == (100, 120)
    assert [(f.sample, f.kind, f.key) for f in report.errors] == [
        ("0002", "missing_key", "dimensions"),
        ("0003", "unreadable_file", ""),
        ("0004", "unknown_class", "action"),
    ]
    _, clips, _ = read("penn_action", tmp_path, "penn_13", 15, invisible_score=0.5)
    assert clips["0001"].score[0, 0, :3].tolist() == [1, 0.5, 0]
    assert clips["0001"].keypoint[0, 0, 1].tolist() == [50, 60]


REAL = {
    "penn_action": ("penn_action", "penn_13", 15, 2326, {"train": 1258, "test": 1068}),
    "utd_mhad_kinect": ("utd_mhad", "kinect_20_utd", 27, 861, {"train": 431, "test": 430}),
    "utd_mhad_blazepose": ("utd_mhad", "blazepose_33", 27, 861, {"train": 431, "test": 430}),
    "nw_ucla": ("nw_ucla", "kinect_20", 10, 1484, {"train": 1020, "test": 464}),
    "utkinect": ("utkinect", "kinect_20", 10, 199, {"train": 100, "test": 99}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_data_counts(shared, name):
    folder, skeleton, classes, total, splits = REAL[name]
    dataset, clips, report = read(name, shared / "data" / folder, skeleton, classes)
    assert report.errors == [] and len(clips) == dataset.total == total
    assert {split: len(names) for split, names in dataset.splits.items()} == splits
    assert len(dataset.class_names) == classes
    assert {clip.label for clip in clips.values()} == set(range(classes))
    if name == "utkinect":
        assert report.counts() == {"no_segment": 1}


def test_sbu_has_two_persons_and_five_folds(shared):
    dataset, clips, report = read("sbu", shared / "data" / "sbu", "sbu_15", 8)
    assert report.findings == [] and len(clips) == 282
    assert {clip.keypoint.shape[0] for clip in clips.values()} == {2}
    tested = [name for fold in range(1, 6) for name in dataset.splits[f"fold{fold}_test"]]
    assert sorted(tested) == sorted(clips), "every clip is tested once"
    for fold in range(1, 6):
        train, test = (set(dataset.splits[f"fold{fold}_{part}"]) for part in ("train", "test"))
        assert not train & test and train | test == set(clips)


def test_utd_kinect_and_blazepose_agree_joint_by_joint(shared):
    """With the depth camera and the sides swapped, the two are the same person in the video."""
    folder = shared / "data" / "utd_mhad"
    depth = CAMERA | dict(kind="perspective", image_size=(240, 320), focal=285.63)
    names = ["left_shoulder", "left_wrist", "right_shoulder", "right_wrist", "left_hip"]
    distance = {}
    for swap in (True, False):
        options = dict(camera=depth, swap_sides=swap)
        kinect = read("utd_mhad_kinect", folder, "kinect_20_utd", 27, **options)
        blaze = read("utd_mhad_blazepose", folder, "blazepose_33", 27)
        gaps = []
        for clip in list(kinect[1])[:40]:
            a, b = kinect[1][clip], blaze[1][clip]
            mine = [kinect[0].skeleton.joints.index(name) for name in names]
            theirs = [blaze[0].skeleton.joints.index(name) for name in names]
            seen = b.score[0, :, 0] > 0
            frames = np.arange(b.keypoint.shape[1])[seen] * 3
            difference = a.keypoint[0, frames][:, mine] - b.keypoint[0, seen][:, theirs]
            gaps.append(np.linalg.norm(difference, axis=-1).mean())
        distance[swap] = np.mean(gaps)
    assert distance[True] < 15 < 25 < distance[False]


def test_extra_yaws_turn_training_clips_only(shared):
    data = shared / "data" / "utkinect"
    _, plain, _ = read("utkinect", data, "kinect_20", 10)
    dataset, clips, report = read("utkinect", data, "kinect_20", 10, extra_yaws=(-30, 30))
    assert not report.errors and dataset.total == len(clips) == 3 * 100 + 99
    assert [len(dataset.splits[split]) for split in ("train", "test")] == [300, 99]
    np.testing.assert_array_equal(clips["s01_e01_walk"].keypoint, plain["s01_e01_walk"].keypoint)
    turned = clips["s01_e01_walk@yaw+30"]
    assert turned.label == 0 and not np.allclose(turned.keypoint, plain["s01_e01_walk"].keypoint)
    assert "-30, +30 degrees" in dataset.notes[1]
