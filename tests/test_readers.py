"""Readers: every form of file they take, what they refuse and how, and the real data's counts."""

import json
import pickle
import shutil

import numpy as np
import pytest
from scipy.io import savemat

from posec3d_jax.data.projection import project
from posec3d_jax.data.readers import READERS, read_dataset
from posec3d_jax.data.readers.decompress import decompress_pose
from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.skeletons import get_skeleton

CAMERA = dict(kind="orthographic", image_size=(256, 256), focal=0.0, yaw=0.0, pitch=0.0)


def read(name, path, skeleton="coco_17", num_classes=60, camera=CAMERA, **options):
    """The data set, its checked clips by name, and the report."""
    report = ValidationReport()
    dataset = read_dataset(
        name,
        path,
        skeleton=get_skeleton(skeleton),
        camera=camera,
        report=report,
        options=options,
    )
    checked = check_dataset(dataset, num_classes=num_classes, max_persons=2, report=report)
    return dataset, {clip.name: clip for clip in checked}, report


def sample(name, frames=5, joints=17, channels=2, **changes):
    rng = np.random.default_rng(0)
    contents = {
        "frame_dir": name,
        "label": np.int64(1),
        "total_frames": frames,
        "img_shape": (100, 120),
        "keypoint": rng.uniform(5, 95, (1, frames, joints, channels)).astype(np.float16),
        "keypoint_score": np.full((1, frames, joints), 0.75, np.float16),
    } | changes
    return {key: value for key, value in contents.items() if value is not None}


def write(path, contents, protocol=2):
    path.write_bytes(pickle.dumps(contents, protocol=protocol))
    return path


# --- PYSKL's and mmaction2's pickles


def test_pyskl_dict(tmp_path):
    samples = [sample("a"), sample("b", frames=3)]
    file = write(tmp_path / "poses.pkl", {"split": {"train": ["b"]}, "annotations": samples})
    dataset, clips, report = read("pyskl", file)
    assert dataset.splits == {"train": ("b",)} and dataset.total == 2
    assert list(clips) == ["a", "b"] and report.counts() == {"clip_in_no_split": 1}
    np.testing.assert_array_equal(clips["b"].keypoint, samples[1]["keypoint"].astype(np.float32))
    assert (clips["a"].label, clips["a"].frame_size) == (1, (100, 120))


def test_pyskl_bare_list_is_the_split_all(tmp_path):
    dataset, clips, report = read("pyskl", write(tmp_path / "list.pkl", [sample("a"), sample("b")]))
    assert dataset.splits == {"all": ("a", "b")} and len(clips) == 2 and not report.findings


def test_pyskl_filename_names_the_clips_where_the_first_sample_has_it(tmp_path):
    samples = [sample("a", filename="x"), sample("b", filename="y")]
    _, clips, _ = read("pyskl", write(tmp_path / "named.pkl", samples))
    assert list(clips) == ["x", "y"]


def test_pyskl_bad_samples_are_reported_by_name_and_key_and_the_others_read(tmp_path):
    nan = sample("nan")
    nan["keypoint"][0, 0, 0] = np.nan
    samples = [
        sample("good"),
        sample("no_label", label=None),
        sample("many_labels", label=[1, 2]),
        sample("label_60", label=60),
        sample("no_keypoint", keypoint=None),
        sample("text", keypoint="nothing"),
        sample("frames", total_frames=7),
        sample("no_img_shape", img_shape=None),
        sample("joints", joints=25),
        sample("both", channels=3),
        sample("no_score", keypoint_score=None),
        nan,
        "no dict",
        {"label": 1},
    ]
    split = {"train": [s["frame_dir"] for s in samples[:12]] + ["ghost"]}
    file = write(tmp_path / "poses.pkl", {"split": split, "annotations": samples})
    _, clips, report = read("pyskl", file)
    assert list(clips) == ["good", "no_score", "nan"]
    assert {(f.sample, f.kind, f.key) for f in report.errors} == {
        ("no_label", "missing_key", "label"),
        ("many_labels", "multi_label", "label"),
        ("label_60", "label_out_of_range", "label"),
        ("no_keypoint", "missing_key", "keypoint"),
        ("text", "wrong_type", "keypoint"),
        ("frames", "wrong_total_frames", "total_frames"),
        ("no_img_shape", "missing_key", "img_shape"),
        ("joints", "wrong_layout", "keypoint"),
        ("both", "ambiguous_channels", "keypoint"),
        ("annotation 12", "wrong_type", "annotations"),
        ("annotation 13", "missing_key", "frame_dir"),
        ("ghost", "split_unknown_clip", "train"),
    }
    assert all(f.file == str(file) for f in report.errors if f.kind != "split_unknown_clip")
    assert {(f.sample, f.kind) for f in report.warnings} == {
        ("no_score", "no_scores"),
        ("nan", "not_finite"),
    }


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"split": {}}, "expected 'annotations'"),
        ([], "found nothing"),
        (5, "found int"),
        ({"annotations": [sample("a")], "split": {"train": "a"}}, "list of clips"),
        ([sample("a", joints=25)], "ntu_25.*'limbs'"),
    ],
)
def test_pyskl_unusable_files_say_why(tmp_path, contents, words):
    file = write(tmp_path / "odd.pkl", contents)
    with pytest.raises(ValueError, match=rf"odd\.pkl.*{words}"):
        read("pyskl", file)


def test_pyskl_layout_of_ones_own(tmp_path):
    layout = {"joints": ["top", "left", "right"], "limbs": [[0, 1], [0, 2]], "pairs": [[1, 2]]}
    file = write(tmp_path / "own.pkl", [sample("a", joints=3)])
    _, clips, report = read("pyskl", file, skeleton=layout)
    assert clips["a"].keypoint.shape == (1, 5, 3, 2) and not report.findings


def test_pyskl_3d_is_projected_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (2, 5, 25, 3)).astype(np.float16) + np.float16([0, 0, 3])
    points[1] = 0  # the second person is not there
    contents = dict(keypoint=points, keypoint_score=None, img_shape=None)
    file = write(tmp_path / "kinect.pkl", [sample("a", **contents)])
    dataset, clips, report = read("pyskl", file, skeleton="ntu_25")
    assert "projected from 3-D: orthographic" in dataset.notes[0] and not report.findings
    assert clips["a"].frame_size == (256, 256)
    assert clips["a"].score[0].all() and not clips["a"].score[1].any()
    assert not clips["a"].keypoint[1].any()
    highest, lowest = points[0, ..., 1].argmax(), points[0, ..., 1].argmin()
    y = clips["a"].keypoint[0, ..., 1].ravel()
    assert y.argmin() == highest and y.argmax() == lowest, "the Kinect's y points up"


def test_pyskl_third_channel_is_what_the_option_says(tmp_path):
    contents = sample("a", channels=3, keypoint_score=None)
    file = write(tmp_path / "three.pkl", [contents])
    _, clips, _ = read("pyskl", file, third_channel="score")
    expected = contents["keypoint"][..., 2].astype(np.float32)
    np.testing.assert_array_equal(clips["a"].score, expected)
    dataset, clips, _ = read("pyskl", file, third_channel="depth")
    assert dataset.notes and clips["a"].frame_size == (256, 256)


# --- Kinetics' compressed packs


def packs(count=3):
    """Samples without poses, and their poses {clip: {'keypoint': [N, V, 3]}}; clip i has i bad."""
    rng = np.random.default_rng(1)
    samples, poses = [], {}
    for i in range(count):
        frames = np.array([0, 0, 2, 3], np.int16)
        box = np.where(np.arange(4) < i, 0.3, 0.9)
        extra = dict(keypoint=None, keypoint_score=None, frame_inds=frames, box_score=box)
        valid = {0.5: len(set(frames[box >= 0.5].tolist()))}
        samples.append(sample(f"k{i}", **extra, valid=valid, raw_file="kp/part.pkl"))
        rows = rng.uniform(1, 90, (4, 17, 3)) * (1, 1, 0.01)
        poses[f"k{i}"] = {"keypoint": rows.astype(np.float16)}
    return samples, poses


def test_kinetics_packs_of_pyskl(tmp_path):
    samples, poses = packs()
    (tmp_path / "kp").mkdir()
    write(tmp_path / "kp" / "part.pkl", poses)
    file = write(tmp_path / "k400.pkl", samples)
    dataset, clips, report = read("pyskl", file)
    assert not report.errors and "compressed poses unfolded" in dataset.notes[0]
    clip, rows = clips["k1"], poses["k1"]["keypoint"].astype(np.float32)
    assert clip.keypoint.shape == (2, 3, 17, 2), "two persons, three frames with anybody"
    np.testing.assert_array_equal(clip.keypoint[1, 0], rows[1, :, :2])
    np.testing.assert_array_equal(clip.score[0, 2], rows[3, :, 2])
    assert read("pyskl", file, squeeze=False)[1]["k1"].keypoint.shape == (2, 5, 17, 2)


def test_kinetics_packs_of_mmaction2(tmp_path):
    samples, poses = packs()
    folder = tmp_path / "skeletons"
    folder.mkdir()
    for name, pose in poses.items():
        write(folder / f"{name}.pkl", pose)
    for contents in samples:
        del contents["raw_file"]
    file = write(tmp_path / "k400.pkl", samples)
    assert len(read("pyskl", file, skeleton_dir=str(folder))[1]) == 3
    for contents in samples:
        contents["raw_file"] = "elsewhere.pkl"
    file = write(tmp_path / "k400.pkl", samples)
    assert len(read("pyskl", file, skeleton_dir=str(folder))[1]) == 3, (
        "a clip's own file comes first"
    )
    for contents in samples:
        del contents["raw_file"]
    file = write(tmp_path / "k400.pkl", samples)
    (folder / "k1.pkl").write_bytes(b"\x80\x02}")
    _, clips, report = read("pyskl", file, skeleton_dir=str(folder))
    assert list(clips) == ["k0", "k2"] and report.errors[0].kind == "unreadable_file"
    _, clips, report = read("pyskl", file)
    assert not clips and "skeleton_dir" in report.errors[0].message


def test_kinetics_valid_ratio_drops_clips_and_rows_and_counts_them(tmp_path):
    samples, poses = packs()
    (tmp_path / "kp").mkdir()
    write(tmp_path / "kp" / "part.pkl", poses)
    split = {"train": [f"k{i}" for i in range(3)]}
    file = write(tmp_path / "k400.pkl", {"split": split, "annotations": samples})
    dataset, clips, report = read("pyskl", file, valid_ratio=0.5)
    assert list(clips) == ["k0", "k1"] and dataset.splits == {"train": ("k0", "k1")}
    assert report.counts() == {"below_valid_ratio": 1} and not report.errors
    assert clips["k1"].keypoint.shape[0] == 1, "its first row is below box_thr"


def test_kinetics_missing_file_of_packs_says_where_it_was_looked_for(tmp_path):
    samples, _ = packs(1)
    _, clips, report = read("pyskl", write(tmp_path / "k400.pkl", samples))
    (finding,) = [f for f in report.errors if f.key == "raw_file"]
    assert finding.sample == "k0" and str(tmp_path / "kp" / "part.pkl") in finding.message


def test_decompress_pose_matches_the_reference(shared):
    cases = np.load(shared / "parity" / "decompress_pose.npz")
    for i, case in enumerate(json.loads(str(cases["meta_json"]))):
        keypoint, score = decompress_pose(
            cases[f"d{i}_in"],
            cases[f"d{i}_frame_inds"],
            case["total_frames"],
            keep=cases[f"d{i}_anno_inds"] if case["anno_inds"] else None,
            squeeze=case["squeeze"],
            max_person=case["max_person"],
        )
        assert keypoint.dtype == score.dtype == np.float16
        np.testing.assert_array_equal(keypoint, cases[f"d{i}_kp"])
        np.testing.assert_array_equal(score, cases[f"d{i}_sc"])
        assert keypoint.shape[1] == cases[f"d{i}_T"]


@pytest.mark.parametrize(
    ("frames", "words"),
    [([1, 0], "in order"), ([0, 9], "reaches 9"), ([0.0, 1.0], "whole"), ([0], "expected")],
)
def test_decompress_pose_refuses_bad_frames(frames, words):
    with pytest.raises(ValueError, match=words):
        decompress_pose(np.ones((2, 17, 3)), np.array(frames), 5, squeeze=False)


# --- projection


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


# --- the directory format


def make_directory(folder):
    (folder / "day2").mkdir(parents=True)
    keypoint = sample("a")["keypoint"].astype(np.float32)
    score = np.ones(keypoint.shape[:3])
    arrays = dict(keypoint=keypoint, score=score, frame_size=(100, 120), label=1)
    np.savez_compressed(folder / "a.npz", **arrays)
    lists = dict(keypoint=keypoint.tolist(), frame_size=[100, 120], label=0)
    (folder / "day2" / "b.json").write_text(json.dumps(lists))
    (folder / "splits.json").write_text('{"train": ["a"], "test": ["day2/b"]}')
    (folder / "classes.json").write_text('["wave", "jump"]')
    return folder


def test_directory_format(tmp_path):
    dataset, clips, report = read("directory", make_directory(tmp_path / "mine"), num_classes=2)
    assert dataset.splits == {"train": ("a",), "test": ("day2/b",)}
    assert dataset.class_names == ("wave", "jump") and set(clips) == {"a", "day2/b"}
    np.testing.assert_allclose(clips["a"].keypoint, clips["day2/b"].keypoint)
    assert report.counts() == {"no_scores": 1}


def test_directory_reports_bad_clips_by_file(tmp_path):
    folder = make_directory(tmp_path / "mine")
    whole = (folder / "a.npz").read_bytes()
    (folder / "a.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "ragged.json").write_text('{"keypoint": [[1, 2], [3]], "label": 0}')
    (folder / "cut.json").write_text('{"keypoint": [[')
    np.savez(folder / "objects.npz", keypoint=np.array([{}], object), label=0)
    np.savez(folder / "no_label.npz", keypoint=np.zeros((1, 4, 17, 2)))
    _, clips, report = read("directory", folder, num_classes=2)
    assert list(clips) == ["day2/b"]
    errors = {(f.sample, f.kind, f.key) for f in report.errors}
    assert errors == {
        ("a", "unreadable_file", ""),
        ("ragged", "wrong_type", "keypoint"),
        ("cut", "unreadable_file", ""),
        ("objects", "unreadable_file", ""),
        ("no_label", "missing_key", "label"),
    }
    assert f"{len(whole) // 2} bytes" in next(f.message for f in report.errors if f.sample == "a")


def test_directory_needs_its_splits(tmp_path):
    folder = make_directory(tmp_path / "mine")
    (folder / "splits.json").write_text('{"train": "a"}')
    with pytest.raises(ValueError, match=r"splits\.json.*list of clip names"):
        read("directory", folder)
    (folder / "splits.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"splits\.json"):
        read("directory", folder)


# --- readers of published data sets


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


# --- choosing a reader


def test_wrong_reader_option_layout_or_source_say_what_there_is(tmp_path):
    with pytest.raises(ValueError, match=r"'psykl' is not one of pyskl"):
        read("psykl", tmp_path)
    with pytest.raises(ValueError, match=r"sides.*'utd_mhad_kinect'.*swap_sides"):
        read("utd_mhad_kinect", tmp_path, "kinect_20_utd", sides=True)
    with pytest.raises(ValueError, match=r"penn_13.*'coco_17'"):
        read("penn_action", tmp_path)
    with pytest.raises(FileNotFoundError, match="config.data.source"):
        read("pyskl", "")
    with pytest.raises(ValueError, match="is a folder"):
        read("pyskl", tmp_path)


@pytest.mark.parametrize("name", sorted(set(READERS) - {"pyskl", "simulated"}))
def test_empty_folders_say_what_was_expected(tmp_path, name):
    skeleton = REAL.get(name, ("", "sbu_15"))[1]
    with pytest.raises(FileNotFoundError, match="expected"):
        read(name, tmp_path, skeleton)


def test_two_folders_of_one_data_set_are_not_guessed_between(tmp_path, shared):
    file = shared / "data" / "penn_action" / "labels" / "0001.mat"
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        shutil.copy(file, tmp_path / folder)
    with pytest.raises(FileNotFoundError, match="several folders"):
        read("penn_action", tmp_path, "penn_13")
