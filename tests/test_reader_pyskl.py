"""PYSKL's and mmaction2's pickles: every form they have, and what is refused and how."""

import json

import numpy as np
import pytest

from posec3d_jax.data.readers.decompress import decompress_pose
from tests.reading import read, sample, write


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
    assert all(finding.file == str(file) for finding in report.findings)
    assert {(f.sample, f.kind) for f in report.warnings} == {
        ("no_score", "no_scores"),
        ("nan", "not_finite"),
    }


def test_pyskl_errors_name_the_keys_of_the_file(tmp_path):
    samples = [
        sample("a", keypoint_score=np.ones((1, 5, 3), np.float16)),
        sample("b", img_shape=(0, 120)),
        sample("c\n"),
    ]
    _, _, report = read("pyskl", write(tmp_path / "odd.pkl", samples))
    assert [(f.sample, f.key) for f in report.errors[:3]] == [
        ("a", "keypoint_score"),
        ("b", "img_shape"),
        ("c\n", "name"),
    ]


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
