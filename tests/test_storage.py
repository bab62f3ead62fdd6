"""Preparing a data set and opening it again: both storages, splits, bad samples, interruptions."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from posec3d_jax.config.base import get_config
from posec3d_jax.data.feed.pipeline import train_batches
from posec3d_jax.data.readers import READERS
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence
from posec3d_jax.data.stored.info import DataError
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.prepare import prepare
from posec3d_jax.skeletons.skeleton import SKELETONS

SKELETON = SKELETONS["sbu_15"]
SPLITS = {
    "train": ("a", "b", "c"),
    "val": ("d", "e"),
    "fold": ("e", "b", "a"),  # overlaps the others, in another order
}


def make_clip(name: str, persons: int, frames: int, label: int) -> SkeletonSequence:
    rng = np.random.default_rng(ord(name))
    keypoint = rng.uniform(1, 300, (persons, frames, 15, 2)).astype(np.float32)
    score = rng.uniform(0.1, 1, (persons, frames, 15)).astype(np.float32)
    keypoint[:, ::3], score[:, ::3] = 0, 0  # frames in which nobody was found
    return SkeletonSequence(name, keypoint, score, (300, 400), label)


def make_clips() -> list[SkeletonSequence]:
    """Ragged: nobody, one frame, all missing, more persons than are kept."""
    return [
        make_clip("a", 2, 30, 0),
        make_clip("b", 0, 12, 1),
        make_clip("c", 1, 2, 2),
        make_clip("d", 4, 25, 0),
        make_clip("e", 1, 1, 1),
    ]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A config of a data set that a stand-in reader yields; `data.clips` may be changed."""
    clips = make_clips()

    def read(path, *, skeleton, camera, report):
        return SkeletonDataset(
            "toy", skeleton, ("wave", "bow", "jump"), SPLITS, iter(clips), len(clips), ("a note",)
        )

    monkeypatch.setitem(READERS, "toy", read)
    config = get_config()
    config.data.update(
        dict(
            format="toy",
            source=str(tmp_path),
            dir=str(tmp_path / "prepared"),
            storage="pack",
            skeleton="sbu_15",
            num_classes=3,
            max_persons=3,
            in_memory=False,
        )
    )
    config.data.unlock()
    config.data.clips = clips
    return config.data


def quiet(_line: str) -> None:
    pass


def assert_same_clip(found, expected):
    assert (found.name, found.label, found.frame_size) == (
        expected.name,
        expected.label,
        expected.frame_size,
    )
    np.testing.assert_array_equal(found.keypoint, expected.keypoint)
    np.testing.assert_array_equal(found.score, expected.score)


@pytest.mark.parametrize("storage", ["pack", "tfds"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_round_trip_of_ragged_clips_and_overlapping_splits(data, storage, dtype):
    data.update(dict(storage=storage, keypoint_dtype=dtype))
    lines = []
    report = prepare(data, progress=lines.append)
    assert any("5 clips, 3 classes" in line for line in lines)
    assert report["statistics"]["splits"]["fold"]["per_class"] == {"wave": 1, "bow": 2, "jump": 0}
    assert report["statistics"]["frames"] == {"min": 1, "median": 12.0, "max": 30}
    assert report["findings"]["counts"]["no_person"] == 1

    stored = {clip.name: clip for clip in data.clips}
    blank = np.zeros((1, 12, 15), np.float32)
    stored["b"] = replace(stored["b"], keypoint=np.repeat(blank[..., None], 2, -1), score=blank)
    best = np.sort(np.argsort(-stored["d"].score.sum((1, 2)))[:3])
    stored["d"] = replace(
        stored["d"], keypoint=stored["d"].keypoint[best], score=stored["d"].score[best]
    )
    for split, names in SPLITS.items():
        source = open_source(data, split)
        assert source.names == sorted(names), "the order of the data, each clip once"
        assert source.info.splits[split] == len(source) == len(names)
        assert source.info.class_names == ("wave", "bow", "jump")
        for i, name in enumerate(source.names):
            clip = stored[name]
            rounded = [a.astype(dtype).astype(np.float32) for a in (clip.keypoint, clip.score)]
            assert_same_clip(
                source.sequence(i), replace(clip, keypoint=rounded[0], score=rounded[1])
            )


def test_streaming_memory_and_pack_give_the_same_batches(data, tmp_path):
    sources = []
    for storage, in_memory in (("tfds", False), ("tfds", True), ("pack", False)):
        data.update(dict(storage=storage, in_memory=in_memory, dir=str(tmp_path / storage)))
        if not (tmp_path / storage).exists():
            prepare(data, progress=quiet)
        data.max_persons = 2  # fewer than are stored
        sources.append(open_source(data, "fold"))
        data.max_persons = 3
    sampling = get_config().sampling
    batches = [
        next(train_batches(source, sampling=sampling, seed=0, batch_size=6)) for source in sources
    ]
    assert batches[0]["keypoint"].shape == (6, 2, 48, 15, 2)
    for other in batches[1:]:
        for key, value in batches[0].items():
            np.testing.assert_array_equal(value, other[key], key)


def test_the_tfds_data_set_opens_with_plain_tfds(data):
    import tensorflow_datasets as tfds

    data.storage = "tfds"
    prepare(data, progress=quiet)
    builder = tfds.builder_from_directory(f"{data.dir}/tfds/skeletons/1.0.0")
    clips = builder.as_data_source("clips")
    assert len(clips) == 5
    first = clips[0]
    assert (
        first["name"] == b"a" and first["label"] == 0 and first["frame_size"].tolist() == [300, 400]
    )
    np.testing.assert_array_equal(first["keypoint"], data.clips[0].keypoint)


def test_bad_samples_are_listed_and_nothing_is_written(data, tmp_path):
    data.clips[2] = replace(data.clips[2], label=7)
    data.clips.append(data.clips[0])
    with pytest.raises(DataError, match="2 errors, nothing was written") as error:
        prepare(data, report_path=tmp_path / "bad.json", progress=quiet)
    assert "sample 'c', key 'label'" in str(error.value)
    assert "--skip_bad" in str(error.value)
    assert json.loads((tmp_path / "bad.json").read_text())["findings"]["num_errors"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json"]

    data.clips[:] = [replace(make_clips()[2], label=7), *make_clips()[:2], *make_clips()[3:]]
    report = prepare(data, skip_bad=True, progress=quiet)
    assert report["findings"]["counts"]["label_out_of_range"] == 1
    assert open_source(data, "train").names == ["a", "b"]


def test_an_interrupted_run_leaves_nothing(data, tmp_path, monkeypatch):
    def interrupted():
        yield data.clips[0]
        raise KeyboardInterrupt

    read = READERS["toy"]
    with monkeypatch.context() as patch:
        patch.setitem(
            READERS,
            "toy",
            lambda path, *, skeleton, camera, report: replace(
                read(path, skeleton=skeleton, camera=camera, report=report),
                sequences=interrupted(),
            ),
        )
        for storage in ("pack", "tfds"):
            data.storage = storage
            with pytest.raises(KeyboardInterrupt):
                prepare(data, progress=quiet)
            assert not list(tmp_path.iterdir())


def test_what_is_no_data_set_is_told_and_never_overwritten(data, tmp_path):
    with pytest.raises(DataError, match="does not exist; make it with 'posec3d prepare"):
        open_source(data, "train")
    (tmp_path / "prepared" / "pack").mkdir(parents=True)
    with pytest.raises(DataError, match="no info.json"):
        open_source(data, "train")
    with pytest.raises(DataError, match="is no data set"):
        prepare(data, overwrite=True, progress=quiet)


def test_a_data_set_is_replaced_only_when_asked(data):
    prepare(data, progress=quiet)
    with pytest.raises(DataError, match="--overwrite"):
        prepare(data, progress=quiet)
    data.clips[:] = [replace(clip, label=2) for clip in make_clips()]
    prepare(data, overwrite=True, progress=quiet)
    assert open_source(data, "train").labels.tolist() == [2, 2, 2]


def test_an_incomplete_copy_is_told(data, tmp_path):
    prepare(data, progress=quiet)
    scores = tmp_path / "prepared" / "pack" / "score.npy"
    scores.write_bytes(scores.read_bytes()[:-100])
    with pytest.raises(DataError, match="incomplete copy"):
        open_source(data, "train")


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(skeleton="coco_17"), "'head' and 'nose'"),
        (dict(num_classes=4, class_names=("a", "b", "c", "d")), "3 classes, .* is 4"),
        (dict(max_persons=5), "at most 3 persons"),
    ],
)
def test_a_config_that_does_not_fit_the_data_set_is_refused(data, changes, message):
    prepare(data, progress=quiet)
    data.update(changes)
    with pytest.raises(DataError, match=message):
        open_source(data, "train")
    data.update(dict(skeleton="sbu_15", num_classes=3, class_names=(), max_persons=3))
    with pytest.raises(DataError, match="no split 'test'; it has 'fold', 'train', 'val'"):
        open_source(data, "test")


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(num_classes=5), "3 classes are named"),
        (dict(test_split="test"), "config.data.test_split is 'test'"),
        (dict(storage="zarr"), "config.data.storage"),
        (dict(keypoint_dtype="int8"), "config.data.keypoint_dtype"),
        (dict(dir=""), "config.data.dir is empty"),
    ],
)
def test_a_config_that_cannot_be_prepared_is_refused_before_reading(data, changes, message):
    data.update(changes)
    with pytest.raises(DataError, match=message):
        prepare(data, progress=quiet)


def test_joints_are_converted_by_name(data):
    data.remap_to = "coco_17"
    report = prepare(data, progress=quiet)
    source = open_source(data, "train")
    target = SKELETONS["coco_17"]
    clip = source.sequence(0)
    assert clip.keypoint.shape[2] == 17 and "nose" in report["joints_lacking"]
    for i, joint in enumerate(target.joints):
        if joint in SKELETON.joints:
            expected = data.clips[0].keypoint[:, :, SKELETON.joints.index(joint)]
        else:
            expected = np.zeros((2, 30, 2), np.float32)
        np.testing.assert_array_equal(clip.keypoint[:, :, i], expected, joint)


def test_coordinates_that_float16_cannot_hold_are_errors(data):
    data.keypoint_dtype = "float16"
    data.clips[0].keypoint[0, 1, 0, 0] = 70000
    with pytest.raises(DataError, match="too_large_for_dtype"):
        prepare(data, progress=quiet)


def test_a_pack_is_read_without_tensorflow(data):
    """In a process in which neither TensorFlow nor TFDS can be imported."""
    prepare(data, progress=quiet)
    code = f"""
import sys
sys.modules.update(dict.fromkeys(["tensorflow", "tensorflow_datasets", "array_record"]))
from posec3d_jax.config.base import get_config
from posec3d_jax.data.feed.pipeline import train_batches
from posec3d_jax.data.stored.sources import open_source
config = get_config()
config.data.update(dict(dir={data.dir!r}, skeleton="sbu_15", num_classes=3))
source = open_source(config.data, "train")
batch = next(train_batches(source, sampling=config.sampling, seed=0, batch_size=4))
assert batch["keypoint"].shape == (4, 2, 48, 15, 2)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
