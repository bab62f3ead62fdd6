"""Order of clips and batches: resuming, processes, class weights, evaluation, the two loaders."""

import json
from dataclasses import replace

import numpy as np
import pytest

from posec3d_jax.config.base import get_config
from posec3d_jax.data.feed.order import batch_index, epoch_order, epoch_size
from posec3d_jax.data.feed.pipeline import eval_batches, steps_per_epoch, train_batches
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.info import DatasetInfo
from posec3d_jax.data.stored.packs import from_sequences
from posec3d_jax.skeletons.skeleton import SKELETONS

SKELETON = SKELETONS["sbu_15"]
NUM_CLIPS = 23


def sampling(**changes):
    config = get_config().sampling
    config.update({"num_frames": 8} | changes)
    return config


def clip(number: int) -> SkeletonSequence:
    """A clip whose coordinates tell where they are from: x = number, y = 1000 m + t + 1."""
    persons, frames = number % 3, 1 + 7 * (number % 5)
    keypoint = np.zeros((persons, frames, 15, 2), np.float32)
    keypoint[..., 0] = number
    keypoint[..., 1] = (1000 * np.arange(persons)[:, None] + np.arange(1, frames + 1))[..., None]
    score = np.full(keypoint.shape[:3], 0.5, np.float32)
    return SkeletonSequence(f"clip{number}", keypoint, score, (240, 320), number % 4)


@pytest.fixture(scope="module")
def source():
    """23 ragged clips with 0, 1 or 2 persons and 1 to 29 frames."""
    info = DatasetInfo(name="test", skeleton=SKELETON, num_classes=4)
    return from_sequences(info, [clip(i) for i in range(NUM_CLIPS)], max_persons=2)


def assert_equal(batch, other):
    assert batch.keys() == other.keys()
    for key in batch:
        np.testing.assert_array_equal(batch[key], other[key], key)
        assert batch[key].dtype == other[key].dtype


def take(batches, count):
    return [batch for _, batch in zip(range(count), batches, strict=False)]


def test_a_batch_holds_what_its_clips_hold(source):
    batch = next(train_batches(source, sampling=sampling(), seed=0, batch_size=23))
    assert batch["keypoint"].shape == (23, 2, 8, 15, 2)
    np.testing.assert_array_equal(np.sort(batch["index"]), np.arange(23))
    np.testing.assert_array_equal(batch["label"], batch["index"] % 4)
    np.testing.assert_array_equal(batch["frame_size"], np.tile([240.0, 320.0], (23, 1)))
    for row, number in enumerate(batch["index"]):
        persons, frames = number % 3, 1 + 7 * (number % 5)
        present = batch["keypoint"][row, :persons]
        assert (present[..., 0] == number).all()
        frame = present[..., 1] - 1000 * np.arange(persons)[:, None, None]
        assert ((frame >= 1) & (frame <= frames)).all()
        assert not batch["keypoint"][row, persons:].any()
        assert not batch["score"][row, persons:].any()


@pytest.mark.parametrize("loader", ["threads", "tf"])
def test_resuming_at_a_step_gives_that_steps_batch(source, loader):
    options = dict(sampling=sampling(), seed=5, batch_size=6, repeat=2)
    whole = take(train_batches(source, **options), 12)
    resumed = list(train_batches(source, **options, start_step=7, num_steps=5, loader=loader))
    assert len(resumed) == 5
    for batch, other in zip(resumed, whole[7:], strict=True):
        assert_equal(batch, other)
    other_seed = next(train_batches(source, **options | {"seed": 6}))
    assert not np.array_equal(whole[0]["index"], other_seed["index"])


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_one_global_batch(source, processes):
    options = dict(sampling=sampling(), seed=1, batch_size=8, num_steps=4)
    whole = list(train_batches(source, **options))
    parts = [
        list(train_batches(source, **options, process_index=i, process_count=processes))
        for i in range(processes)
    ]
    for step, batch in enumerate(whole):
        joined = {key: np.concatenate([part[step][key] for part in parts]) for key in batch}
        assert_equal(joined, batch)
    with pytest.raises(ValueError, match="8 cannot be shared by 3"):
        train_batches(source, **options, process_count=3)


def test_an_epoch_has_every_clip_as_often_as_asked(source):
    steps = steps_per_epoch(source, 23, repeat=3)
    assert steps == 3
    batches = train_batches(
        source, sampling=sampling(), seed=2, batch_size=23, repeat=3, num_steps=2 * steps
    )
    index = np.concatenate([batch["index"] for batch in batches])
    first, second = index[: 3 * 23], index[3 * 23 :]
    assert (np.bincount(first) == 3).all() and (np.bincount(second) == 3).all()
    assert not np.array_equal(first, second), "every epoch has its own order"


def test_the_last_batch_of_an_epoch_runs_on_into_the_next(source):
    assert steps_per_epoch(source, 10) == 3
    batch = batch_index(0, 10, source.labels)
    index = np.concatenate([batch(step) for step in range(7)])
    for epoch in range(3):
        np.testing.assert_array_equal(np.sort(index[epoch * 23 : (epoch + 1) * 23]), np.arange(23))
    larger = batch_index(0, 64, source.labels)(0)
    assert larger.shape == (64,) and (np.bincount(larger[:46]) == 2).all()


def test_class_weights_count_as_the_reference(shared):
    with np.load(shared / "parity" / "samplers.npz") as arrays:
        labels = arrays["labels"]
        weights = json.loads(str(arrays["meta_json"]))["class_prob"]
        for name, key, repeat in (
            ("plain", "plain", 1),
            ("repeat", "repeat_times4", 4),
            ("list", "list", 1),
        ):
            theirs = np.concatenate([arrays[f"{name}_rank0"], arrays[f"{name}_rank1"]])
            given = weights[key]
            given = [given[str(i)] for i in range(5)] if isinstance(given, dict) else given
            ours = epoch_order(0, 0, labels, repeat, given)
            # the reference fills up to a multiple of its two ranks
            assert len(ours) == epoch_size(labels, repeat, given)
            assert 0 <= len(theirs) - len(ours) <= 1
            missing = np.bincount(labels[theirs]) - np.bincount(labels[ours])
            assert missing.min() >= 0 and missing.sum() == len(theirs) - len(ours)


def test_class_weights_that_do_not_fit_are_refused(source):
    options = dict(sampling=sampling(), seed=0, batch_size=4)
    with pytest.raises(ValueError, match="each of the 4 classes"):
        train_batches(source, **options, class_weights=(1, 2))
    with pytest.raises(ValueError, match="weights >= 0"):
        train_batches(source, **options, class_weights=(1, 2, -1, 1))
    with pytest.raises(ValueError, match="empty"):
        train_batches(source, **options, class_weights=(0, 0, 0, 0))


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_evaluation_sees_every_clip_once(source, processes):
    options = dict(sampling=sampling(), num_clips=3, batch_size=8, process_count=processes)
    parts = [list(eval_batches(source, **options, process_index=i)) for i in range(processes)]
    assert {len(part) for part in parts} == {3}
    batches = [batch for part in parts for batch in part]
    assert {batch["keypoint"].shape for batch in batches} == {(8 // processes, 2, 24, 15, 2)}
    index = np.concatenate([batch["index"] for batch in batches])
    np.testing.assert_array_equal(np.sort(index[index >= 0]), np.arange(23))
    assert (index[index < 0] == -1).all()


def test_loaders_agree_in_evaluation_by_stride(source):
    options = dict(sampling=sampling(method="stride", stride=3), num_clips=2, batch_size=6)
    for batch, other in zip(
        eval_batches(source, **options), eval_batches(source, **options, loader="tf"), strict=True
    ):
        assert_equal(batch, other)


class _BrokenSource:
    """Fails at its third batch."""

    def __init__(self, source):
        self._source, self._calls = source, 0
        self.info, self.labels, self.lengths = source.info, source.labels, source.lengths

    def gather(self, index, frames):
        self._calls += 1
        if self._calls == 3:
            raise OSError("the disk is gone")
        return self._source.gather(index, frames)


@pytest.mark.parametrize("loader, error", [("threads", OSError), ("tf", RuntimeError)])
def test_a_failure_reaches_the_consumer(source, loader, error):
    batches = train_batches(
        _BrokenSource(source), sampling=sampling(), seed=0, batch_size=4, loader=loader
    )
    with pytest.raises(error, match="the disk is gone"):
        take(batches, 5)


def test_closing_early_stops_the_workers(source):
    import threading

    batches = train_batches(source, sampling=sampling(), seed=0, batch_size=4)
    next(batches)
    batches.close()
    for thread in threading.enumerate():
        if thread.name.startswith("batches"):
            thread.join(timeout=5)
            assert not thread.is_alive()


def test_wrong_settings_are_refused_at_once(source):
    options = dict(seed=0, batch_size=4)
    with pytest.raises(ValueError, match="data.loader"):
        train_batches(source, sampling=sampling(), **options, loader="torch")
    with pytest.raises(ValueError, match="sampling.method"):
        train_batches(source, sampling=sampling(method="dense"), **options)
    with pytest.raises(ValueError, match="sampling.reference"):
        eval_batches(source, sampling=sampling(reference="pysk"), batch_size=4)
    with pytest.raises(ValueError, match="0 test clips"):
        eval_batches(source, sampling=sampling(), num_clips=0, batch_size=4)
    with pytest.raises(ValueError, match="seed"):
        train_batches(source, sampling=sampling(), seed=-1, batch_size=4)
    with pytest.raises(IndexError, match="frame 9 asked of a clip with 1 frames"):
        source.gather(np.array([0]), np.array([[9]]))


def test_more_persons_than_asked_for_keeps_the_best_tracks():
    """Five persons, of whom numbers 1 and 3 have the highest total score."""
    crowd = clip(2)
    score = np.array([0.2, 0.9, 0.1, 0.8, 0.3], np.float32)[:, None, None]
    crowd = replace(
        crowd,
        keypoint=np.repeat(crowd.keypoint[:1], 5, axis=0) + 10 * np.arange(5)[:, None, None, None],
        score=np.broadcast_to(score, (5, *crowd.score.shape[1:])).copy(),
    )
    info = DatasetInfo(name="test", skeleton=SKELETON, num_classes=4)
    source = from_sequences(info, [crowd, clip(1)], max_persons=2)
    batch = source.gather(np.array([0, 1]), np.array([[0, 5], [0, 3]]))
    np.testing.assert_array_equal(batch["keypoint"][0, :, 0, 0, 0], [12, 32])
    np.testing.assert_array_equal(source.sequence(0).keypoint, crowd.keypoint[[1, 3]])
    assert not batch["keypoint"][1, 1].any()
