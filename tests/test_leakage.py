"""Clips that are tested and trained on are counted and named: by name, and copies by content."""

import logging

import numpy as np
import pytest

from posec3d_jax import evaluate, train
from posec3d_jax.config.base import get_config
from posec3d_jax.data.stored.clips import read_clips
from posec3d_jax.data.stored.leakage import leak_into
from posec3d_jax.prepare import prepare
from tests.reading import write
from tests.tiny import tiny_config


def _clip(name, seed):
    keypoint = np.random.default_rng(max(seed, 0)).uniform(5, 95, (1, 4, 17, 2))
    keypoint = keypoint.astype(np.float16) * (seed >= 0)
    return {"frame_dir": name, "label": 0, "img_shape": (100, 120), "keypoint": keypoint}


# What each split holds, as clip name to what its numbers come from (-1: no joint at all).
CASES = {
    "all of them": ({"a": 1, "b": 2}, {"a": 1, "b": 2}, 2, 0),
    "one by name": ({"a": 1, "b": 2}, {"b": 2, "c": 3}, 1, 0),
    "a copy under another name": ({"a": 1, "b": 2}, {"c": 1, "d": 4}, 0, 1),
    "a name and a copy": ({"a": 1, "b": 2}, {"a": 1, "d": 2}, 1, 1),
    "two copies of one": ({"a": 1, "b": 2}, {"c": 1, "d": 1}, 0, 2),
    "none": ({"a": 1, "b": 2}, {"c": 3, "d": 4}, 0, 0),
    "clips without a joint are no copies": ({"a": -1}, {"c": -1}, 0, 0),
}


def _data(folder, train, val, **changes):
    clips = train | val
    contents = {
        "split": {"train": list(train), "val": list(val)},
        "annotations": [_clip(name, seed) for name, seed in clips.items()],
    }
    config = get_config()
    config.data.source = str(write(folder / "a.pkl", contents))
    config.data.dir = str(folder / "data")
    config.data.storage = "pack"
    config.data.update(changes)
    return config.data


@pytest.mark.parametrize("case", CASES)
def test_preparing_tells_what_splits_share(tmp_path, case):
    train, val, named, copied = CASES[case]
    data = _data(tmp_path, train, val)
    report = prepare(data, progress=lambda line: None)
    warned = [f for f in report["findings"]["warnings"] if f["kind"] == "leaking_split"]
    assert bool(warned) == bool(named + copied)
    found, line = leak_into(data, "val")
    assert (len(found.names), len(found.copies)) == (named, copied)
    if warned:
        assert warned[0]["message"] == line and f"{named + copied} of the 2 clips" in line


def test_joined_splits_few_clips_and_data_sets_of_before(tmp_path):
    data = _data(tmp_path, {"a": 1, "b": 2}, {"c": 1, "d": 4}, train_split="train+val")
    prepare(data, progress=lambda line: None)
    assert len(leak_into(data, "val")[0].names) == 2
    data.clips_per_class = 1
    assert len(leak_into(data, "train+val")[0].names) == 1
    data.update(train_split="train", clips_per_class=0)
    data.train_split = "of another data set"
    assert len(leak_into(data, "val")[0]) == 0
    clips = tmp_path / "data" / "clips.npz"
    with np.load(clips) as arrays:
        kept = {key: arrays[key] for key in arrays.files if key != "digests"}
    np.savez(clips, **kept)
    table, _ = read_clips(tmp_path / "data")
    assert len(table.digests) == 0
    data.train_split = "train"
    assert len(leak_into(data, "val")[0]) == 0, "copies are not seen without digests"


def test_training_and_testing_say_so_too(tmp_path, caplog):
    config = tiny_config(tmp_path)
    config.data.val_split, config.data.test_split = "", "train"
    with caplog.at_level(logging.WARNING):
        train._warn_of_leaks(config)
    assert "60 of the 60 clips of split 'train' are also in the training split" in caplog.text
    assert evaluate._leaking(config, "train") == 60 and evaluate._leaking(config, "test") == 0
