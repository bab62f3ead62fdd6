"""Folders of pose estimators' files as data sets: labels, splits, sizes, and what is refused."""

import json

import numpy as np
import pytest

from posec3d_jax.data.readers.pose_files import read as read_folder
from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.poses.linking import link
from posec3d_jax.skeletons.skeleton import get_skeleton
from tests.test_pose_files import person, save

SIZE = (100, 200)


def read(folder, tool="openpose", skeleton="coco_17", **options):
    """The data set, its checked clips by name, and the report."""
    report = ValidationReport()
    options = {"frame_size": SIZE} | options
    layout = get_skeleton(skeleton)
    dataset = read_folder(folder, tool=tool, skeleton=layout, camera={}, report=report, **options)
    checked = check_dataset(dataset, num_classes=3, max_persons=2, report=report)
    return dataset, {clip.name: clip for clip in checked}, report


def openpose_clip(folder, people=1, frames=3):
    for i in range(frames):
        found = [{"pose_keypoints_2d": person(10.0 + 50 * p, 25)} for p in range(people)]
        save(folder / f"{i:06d}_keypoints.json", {"people": found})


def test_folders_name_classes_and_splits(tmp_path):
    for name in ("train/wave/a", "train/bow/b", "test/wave/c"):
        openpose_clip(tmp_path / name)
    dataset, clips, report = read(tmp_path)
    assert dataset.class_names == ("bow", "wave") and not report.errors
    assert dataset.splits == {"test": ("test/wave/c",), "train": ("train/bow/b", "train/wave/a")}
    clip = clips["train/wave/a"]
    assert clip.label == 1 and clip.keypoint.shape == (1, 3, 17, 2) and clip.frame_size == SIZE
    left_eye = get_skeleton("body_25").joints.index("left_eye")
    assert clip.keypoint[0, 0, 1].tolist() == [10 + left_eye, 20], "joints are matched by name"


def test_a_table_names_them_with_sizes_of_their_own(tmp_path):
    for name in ("a", "b", "c"):
        save(tmp_path / f"{name}.json", [{"image_id": i, "keypoints": person()} for i in (0, 2)])
    save(
        tmp_path / "labels.csv",
        "clip,class,split,height,width\na,1,train,50,60\nb,0,test,,\nd,0,,,",
    )
    dataset, clips, report = read(tmp_path, "coco_results")
    assert dataset.splits == {"train": ("a",), "test": ("b",)} and dataset.class_names == ()
    assert clips["a"].label == 1 and clips["a"].frame_size == (50, 60)
    assert clips["b"].frame_size == SIZE and clips["b"].keypoint.shape[1] == 3
    assert [(f.kind, f.sample) for f in report.errors] == [("no_label", "c"), ("missing_clip", "d")]
    save(tmp_path / "splits.json", {"all": ["a", "b"]})
    assert read(tmp_path, "coco_results")[0].splits == {"all": ("a", "b")}
    save(tmp_path / "classes.json", ["stand", "wave"])
    assert read(tmp_path, "coco_results")[0].class_names == ("stand", "wave")


@pytest.mark.parametrize(
    ("table", "message"),
    [("clip\na", "columns clip, class"), ("clip,class,height\na,0,5", "go together")],
)
def test_wrong_tables_say_what_was_expected(tmp_path, table, message):
    save(tmp_path / "a.json", [])
    save(tmp_path / "labels.csv", table)
    with pytest.raises(ValueError, match=message):
        read(tmp_path, "coco_results")


def test_nobodys_class_and_nobodys_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of mmpose files"):
        read(tmp_path, "mmpose")
    save(tmp_path / "a.json", [])
    with pytest.raises(ValueError, match="a folder for each class"):
        read(tmp_path, "mmpose")


def test_several_persons_without_ids_need_somebody_to_tell_who_is_who(tmp_path):
    openpose_clip(tmp_path / "wave" / "a", people=2)
    _, clips, report = read(tmp_path)
    assert not clips and [finding.kind for finding in report.errors] == ["no_ids"]

    def swapped(frames):
        return [np.array([1, 0]) for _ in frames.frames]

    _, clips, report = read(tmp_path, link=swapped)
    assert clips["wave/a"].keypoint[:, 0, 0, 0].tolist() == [60, 10] and not report.errors


def test_joints_of_ones_own(tmp_path):
    table = "scorer,n,n,n,n\nbodyparts,snout,snout,tail base,tail base\ncoords,x,y,x,y\n0,1,2,3,4\n"
    save(tmp_path / "groom" / "mouse.csv", table)
    mouse = dict(joints=["nose", "tail_base"], limbs=[["nose", "tail_base"]], pairs=[])
    _, clips, report = read(tmp_path, "deeplabcut", skeleton=mouse, joint_names={"snout": "nose"})
    assert not report.errors
    assert clips["groom/mouse"].keypoint[0, 0].tolist() == [[1, 2], [3, 4]]


def test_what_was_mended_is_reported(tmp_path):
    landmarks = [dict(x=0.5, y=1.5 if i == 3 else 0.5, visibility=1) for i in range(33)]
    save(tmp_path / "wave" / "a.json", [landmarks])
    _, _, report = read(tmp_path, "mediapipe", skeleton="blazepose_33")
    assert not report.errors and report.counts()["mended"] == 1
    save(tmp_path / "wave" / "b.json", json.dumps([1]))
    assert [f.sample for f in read(tmp_path, "mediapipe")[2].errors] == ["wave/b"]


def test_ultralytics_labels_folder_goes_by_its_video(tmp_path):
    joints = (np.reshape(person(), (17, 3)) / [200, 100, 1]).ravel()
    save(tmp_path / "wave" / "a" / "labels" / "a_1.txt", " ".join(map(str, [0] * 5 + [*joints])))
    _, clips, report = read(tmp_path, "ultralytics")
    assert list(clips) == ["wave/a"] and not report.errors


def test_the_tracker_tells_who_is_who(tmp_path):
    for i in range(6):
        ours = [{"pose_keypoints_2d": person(10.0 + 60 * p + i, 25)} for p in range(2)]
        contents = {"people": ours[:: 1 if i % 2 else -1]}  # listed in either order
        save(tmp_path / "wave" / "a" / f"{i:06d}_keypoints.json", contents)
    _, clips, report = read(tmp_path, link=link)
    keypoint = clips["wave/a"].keypoint
    assert not report.errors and keypoint.shape[:2] == (2, 6)
    np.testing.assert_allclose(np.diff(keypoint[:, :, 0, 0], axis=1), 1)
