"""Fusion adds matching clips and refuses files that do not belong together."""

import dataclasses
import json

import numpy as np
import pytest

from posec3d_jax.fuse import Scores, fuse, load_scores, save_scores, write_evaluation

JOINT = Scores(
    names=("a", "b", "c"),
    labels=np.array([0, 1, 1]),
    scores=np.array([[0.6, 0.4], [0.7, 0.3], [0.45, 0.55]], np.float32),
    class_names=("wave", "clap"),
    protocol="1 clip",
)
LIMB = dataclasses.replace(  # the same clips in another order
    JOINT,
    names=("c", "a", "b"),
    labels=np.array([1, 0, 1]),
    scores=np.array([[0.6, 0.4], [0.9, 0.1], [0.1, 0.9]], np.float32),
)


@pytest.fixture
def saved(tmp_path):
    def save(**streams: Scores):
        for name, scores in streams.items():
            save_scores(tmp_path / f"{name}.npz", scores)
        return [tmp_path / f"{name}.npz" for name in streams]

    return save


def test_streams_are_matched_by_name(saved):
    result = fuse(saved(joint=JOINT, limb=LIMB))
    assert result["scores"].names == JOINT.names
    expected = [[0.75, 0.25], [0.4, 0.6], [0.525, 0.475]]
    np.testing.assert_allclose(result["scores"].scores, expected, rtol=1e-6)
    assert [stream["top1"] for stream in result["streams"]] == pytest.approx([2 / 3, 2 / 3])
    assert result["fused"]["top1"] == pytest.approx(2 / 3)


def test_weights(saved):
    result = fuse(saved(joint=JOINT, limb=LIMB), weights=(3, 1))
    assert result["fused"]["top1"] == pytest.approx(2 / 3)
    np.testing.assert_allclose(result["scores"].scores[1], [0.55, 0.45], rtol=1e-6)
    for weights, message in [((1,), "1 weights for 2"), ((0, 0), "not all"), ((-1, 2), ">= 0")]:
        with pytest.raises(ValueError, match=message):
            fuse(saved(joint=JOINT, limb=LIMB), weights=weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(protocol="10 clips x flip"), "'1 clip' against '10 clips x flip'"),
        (dict(names=("c", "a", "x")), r"limb.npz lacks 1 of the 3 clips of .*joint.npz.* 'b'"),
        (dict(labels=np.array([1, 1, 1])), "label 1 clips differently; the first is 'a': 0 ag"),
        (dict(class_names=("wave", "run")), "class 1 differently: 'clap' against 'run'"),
        (dict(class_names=()), "only one has class names"),
        (dict(scores=LIMB.scores * 7), "limb.npz: .*'c' are not probabilities"),
        (dict(scores=np.full((3, 3), 1 / 3), class_names=()), "2 and 3 classes"),
    ],
)
def test_streams_that_do_not_match_are_refused(saved, change, message):
    with pytest.raises(ValueError, match=message):
        fuse(saved(joint=JOINT, limb=dataclasses.replace(LIMB, **change)))


def test_more_clips_in_one_file_are_refused(saved):
    fewer = dataclasses.replace(
        JOINT, names=("a", "b"), labels=JOINT.labels[:2], scores=JOINT.scores[:2]
    )
    with pytest.raises(ValueError, match=r"few.npz lacks 1 of the 3 clips of .*limb.npz.* 'c'"):
        fuse(saved(few=fewer, limb=LIMB))


def test_files_that_hold_no_scores_are_named(tmp_path, saved):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_scores(tmp_path / "nowhere")
    text = tmp_path / "text.npz"
    text.write_text("top1 0.9")
    with pytest.raises(ValueError, match="text.npz: not a file of saved scores"):
        load_scores(text)
    np.savez(tmp_path / "part.npz", scores=JOINT.scores)
    with pytest.raises(ValueError, match="lacks names, labels, class_names, protocol"):
        load_scores(tmp_path / "part.npz")
    np.savez(tmp_path / "objects.npz", names=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="objects.npz"):
        load_scores(tmp_path / "objects.npz")
    (path,) = saved(joint=JOINT)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="joint.npz"):
        load_scores(path)


def test_duplicate_names_are_refused():
    with pytest.raises(ValueError, match="'a' occurs twice"):
        dataclasses.replace(JOINT, names=("a", "b", "a"))


def test_an_evaluation_can_be_read_back(tmp_path):
    summary = write_evaluation(tmp_path / "test", JOINT, dict(loss=0.5))
    assert summary["protocol"] == "1 clip" and summary["clips"] == 3 and summary["loss"] == 0.5
    assert json.loads((tmp_path / "test" / "metrics.json").read_text()) == summary
    assert load_scores(tmp_path / "test").names == JOINT.names
    np.testing.assert_array_equal(np.load(tmp_path / "test" / "confusion.npy"), [[1, 0], [1, 1]])
    lines = (tmp_path / "test" / "per_class.csv").read_text().splitlines()
    assert lines[0] == "class,name,support,predicted,correct,recall,precision"
    assert lines[2] == "1,clap,2,1,1,0.500000,1.000000"
