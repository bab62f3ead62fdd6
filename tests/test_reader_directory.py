"""The directory format: what it holds, and what is refused and how."""

import json

import numpy as np
import pytest

from tests.reading import read, sample


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
