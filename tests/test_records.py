"""Checks of sequences and of whole data sets: what is refused, what is mended, what is counted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.data.validation import check_dataset, check_sequence
from posec3d_jax.skeletons.skeleton import get_skeleton

COCO = get_skeleton("coco_17")


def make_sequence(persons=1, frames=4, joints=17, **changes) -> SkeletonSequence:
    rng = np.random.default_rng(0)
    keypoint = rng.uniform(10, 90, (persons, frames, joints, 2)).astype(np.float16)
    score = np.full((persons, frames, joints), 0.5, np.float16)
    clip = SkeletonSequence("clip", keypoint, score, (100, 120), 3, "poses.pkl")
    return replace(clip, **changes)


def check(sequence: SkeletonSequence, max_persons: int = 2):
    report = ValidationReport()
    checked = check_sequence(
        sequence, skeleton=COCO, num_classes=5, max_persons=max_persons, report=report
    )
    return checked, report


def test_good_sequence_is_kept_as_float32_without_findings():
    sequence = make_sequence(label=np.int64(3), frame_size=np.array([100, 120]))
    checked, report = check(sequence)
    assert report.findings == []
    assert checked.keypoint.dtype == checked.score.dtype == np.float32
    np.testing.assert_array_equal(checked.keypoint, sequence.keypoint.astype(np.float32))
    assert checked.frame_size == (100, 120) and type(checked.label) is int


@pytest.mark.parametrize(
    ("changes", "kind", "key", "words"),
    [
        (dict(keypoint=np.zeros((4, 17, 2))), "wrong_axes", "keypoint", "[persons, frames, joints"),
        (dict(keypoint=np.zeros((1, 4, 25, 2))), "wrong_layout", "keypoint", "body_25"),
        (dict(keypoint=np.zeros((1, 0, 17, 2)), score=None), "no_frames", "keypoint", "no frames"),
        (dict(keypoint=np.zeros((1, 4, 17, 2), complex)), "wrong_type", "keypoint", "complex"),
        (dict(keypoint=np.zeros((1, 4, 17, 2), object)), "wrong_type", "keypoint", "object"),
        (dict(keypoint=[[1, 2]]), "wrong_type", "keypoint", "list"),
        (dict(score=np.zeros((1, 4, 16))), "wrong_shape", "score", "(1, 4, 17)"),
        (dict(score=np.full((1, 4, 17), "a")), "wrong_type", "score", "<U1"),
        (dict(frame_size=(0, 120)), "wrong_frame_size", "frame_size", "(height, width)"),
        (dict(frame_size=(100, 120, 3)), "wrong_frame_size", "frame_size", "positive integers"),
        (dict(label=5), "label_out_of_range", "label", "0..4"),
        (dict(label=-1), "label_out_of_range", "label", "count from 0"),
        (dict(label=2.0), "label_out_of_range", "label", "not an integer"),
        (dict(label=True), "label_out_of_range", "label", "not an integer"),
    ],
)
def test_unusable_sequence_is_refused_by_file_sample_and_key(changes, kind, key, words):
    checked, report = check(make_sequence(**changes))
    assert checked is None
    (finding,) = report.errors
    assert (finding.kind, finding.key) == (kind, key)
    assert (finding.file, finding.sample) == ("poses.pkl", "clip")
    assert words in finding.message


def test_wrong_layout_names_both_and_says_how_to_declare_one():
    _, report = check(make_sequence(joints=9, score=None))
    message = str(report.errors[0])
    assert "9 joints" in message and "coco_17" in message and "'limbs'" in message


def test_nan_and_infinity_become_missing_joints():
    sequence = make_sequence()
    sequence.keypoint[0, 1, 5, 0] = np.nan
    sequence.keypoint[0, 2, 6, 1] = np.inf
    sequence.score[0, 3, 7] = np.nan
    checked, report = check(sequence)
    assert report.counts() == {"not_finite": 1} and "3 of 68" in report.warnings[0].message
    assert "left_shoulder" in report.warnings[0].message
    for frame, joint in ((1, 5), (2, 6), (3, 7)):
        assert not checked.keypoint[0, frame, joint].any() and checked.score[0, frame, joint] == 0
    assert np.isnan(sequence.keypoint).any(), "the reader's own array must stay as it was"


def test_missing_scores_are_one_where_a_joint_is_not_zero():
    sequence = make_sequence(score=None)
    sequence.keypoint[0, 0, :3] = 0
    checked, report = check(sequence)
    assert report.counts() == {"no_scores": 1}
    assert checked.score.sum() == 4 * 17 - 3 and not checked.score[0, 0, :3].any()


def test_nobody_becomes_one_missing_person():
    checked, report = check(make_sequence(persons=0))
    assert checked.keypoint.shape == (1, 4, 17, 2) and not checked.score.any()
    assert "no_person" in report.counts() and not report.errors


def test_all_missing_and_single_frame_are_kept_with_warnings():
    sequence = make_sequence(frames=1)
    sequence.keypoint[:] = 0
    checked, report = check(sequence)
    assert checked is not None and set(report.counts()) == {"all_missing", "one_frame"}


def test_too_many_persons_keeps_whole_tracks_of_highest_total_score_in_order():
    sequence = make_sequence(persons=4)
    sequence.score[:] = np.array([0.2, 0.9, 0.1, 0.8])[:, None, None]
    sequence.score[0, 0] = 1  # best in one frame, not over the clip
    checked, report = check(sequence)
    np.testing.assert_array_equal(checked.keypoint, sequence.keypoint[[1, 3]].astype(np.float32))
    assert report.counts() == {"too_many_persons": 1}


@pytest.mark.parametrize(
    ("scale", "kind"),
    [(0.01, "looks_normalised"), (-0.01, "looks_normalised"), (3, "outside_frame")],
)
def test_implausible_coordinates_are_reported(scale, kind):
    sequence = make_sequence()
    checked, report = check(replace(sequence, keypoint=sequence.keypoint * np.float16(scale)))
    assert checked is not None and report.counts() == {kind: 1}


def test_scores_in_percent_are_reported():
    _, report = check(make_sequence(score=np.full((1, 4, 17), 87)))
    assert report.counts() == {"odd_scores": 1}


def test_data_set_names_duplicates_unknown_clips_and_clips_in_no_split():
    clips = [make_sequence(name=name) for name in ("a", "b", "b", "lonely")]
    clips.append(make_sequence(name="bad", label=99))
    splits = {"train": ("a", "b", "bad"), "test": ("ghost",), "empty": ()}
    dataset = SkeletonDataset("mine", COCO, (), splits, clips, len(clips))
    report = ValidationReport()
    kept = list(check_dataset(dataset, num_classes=5, max_persons=2, report=report))
    assert [clip.name for clip in kept] == ["a", "b", "lonely"]
    assert report.counts() == {
        "duplicate_name": 1,
        "label_out_of_range": 1,
        "split_unknown_clip": 1,
        "empty_split": 1,
        "clip_in_no_split": 1,
    }
    unknown = next(f for f in report.errors if f.kind == "split_unknown_clip")
    assert (unknown.sample, unknown.key) == ("ghost", "test")


def test_report_counts_everything_and_lists_a_limited_number_of_warnings():
    report = ValidationReport()
    for i in range(7):
        report.add("one_frame", f"clip{i}", "short", severity="warning")
    report.add("wrong_shape", "clip7", "odd", file="poses.pkl", key="score")
    contents = json.loads(json.dumps(report.to_dict(limit=3)))
    assert contents["counts"] == {"one_frame": 7, "wrong_shape": 1}
    assert contents["num_warnings"] == 7 and len(contents["warnings"]) == 3
    assert contents["errors"][0]["file"] == "poses.pkl"
    summary = report.summary(limit=2)
    assert "1 error, 7 warnings" in summary and "and 5 more" in summary
    assert "error [wrong_shape] file 'poses.pkl', sample 'clip7', key 'score': odd" in summary
    with pytest.raises(ValueError, match="severity 'fatal'"):
        report.add("x", "y", "z", severity="fatal")
