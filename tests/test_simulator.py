"""The built-in data set: repeatable, split cleanly, plausible as a detector's output, learnable."""

import re
from itertools import islice

import numpy as np
import pytest

from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.simulation import CLASS_NAMES, plan, read
from posec3d_jax.data.simulation.actions import ACTIONS
from posec3d_jax.data.simulation.body import BONES, mirrored, pose_points
from posec3d_jax.data.simulation.camera import SECTOR, SECTORS, draw_azimuth
from posec3d_jax.data.simulation.motion import FRAMES, perform
from posec3d_jax.data.simulation.performers import manner, performer
from posec3d_jax.data.simulation.poses import Motion, backwards, other_side, pose
from posec3d_jax.data.simulation.scene import shoot
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.skeletons.skeleton import get_skeleton

STATURE_BONES = 1.7 * np.array([end for *_, end in BONES])
NOSE, WRISTS, HIPS, ANKLES = 0, [9, 10], [11, 12], [15, 16]


def simulated(num_clips=500, seed=0, skeleton="coco_17"):
    return read(
        "",
        skeleton=get_skeleton(skeleton),
        camera={},
        report=ValidationReport(),
        num_clips=num_clips,
        seed=seed,
    )


@pytest.fixture(scope="module")
def dataset():
    """The data set and its sequences by name."""
    data = simulated()
    return data, {sequence.name: sequence for sequence in data.sequences}


def take(action, who=0, seed=0):
    """An action done by somebody, as [T, 17, 3] metres."""
    return perform(performer(seed, who), manner(seed, who, action), np.random.default_rng(seed))


def test_same_seed_same_clips(dataset):
    _, sequences = dataset
    for again in islice(simulated(num_clips=50).sequences, 40):
        first = sequences[again.name]
        np.testing.assert_array_equal(first.keypoint, again.keypoint)
        np.testing.assert_array_equal(first.score, again.score)
        assert first.frame_size == again.frame_size


def test_clip_depends_on_seed_and_number_only():
    _, chosen = plan(7)
    alone = shoot(chosen, seed=3, index=7)
    inside = next(islice(simulated(num_clips=25, seed=3).sequences, 7, None))
    np.testing.assert_array_equal(alone.keypoint, inside.keypoint)
    other = shoot(chosen, seed=4, index=7)
    assert other.keypoint.shape != alone.keypoint.shape or np.any(other.keypoint != alone.keypoint)


def test_splits_share_no_clip_performer_or_view(dataset):
    data, sequences = dataset
    everything = [name for names in data.splits.values() for name in names]
    assert sorted(everything) == sorted(sequences) and len(set(everything)) == data.total
    performers = {
        split: {re.search(r"_p(\d+)$", name)[1] for name in names}
        for split, names in data.splits.items()
    }
    for a, b in (
        ("train", "val"),
        ("train", "test"),
        ("val", "test"),
        ("train", "test_performers"),
    ):
        assert not performers[a] & performers[b]
    assert performers["test_views"] <= performers["train"]


def test_viewpoints_stay_in_their_sectors():
    assert len({n for sectors in SECTORS.values() for n in sectors}) == sum(
        map(len, SECTORS.values())
    )
    rng = np.random.default_rng(0)
    for role, sectors in SECTORS.items():
        assert {abs(draw_azimuth(role, rng)) // SECTOR for _ in range(200)} == set(sectors)
    for index in range(25):
        _, chosen = plan(index)
        assert abs(shoot(chosen, 0, index).azimuth) // SECTOR in SECTORS[chosen.views]


def test_classes_are_balanced_in_every_split():
    counts = {}
    for index in range(2500):
        split, chosen = plan(index)
        counts.setdefault(split, np.zeros(len(CLASS_NAMES), int))[chosen.action] += 1
    assert {split: count.sum() for split, count in counts.items()} == {
        "train": 1500,
        "val": 200,
        "test": 400,
        "test_performers": 200,
        "test_views": 200,
    }
    for count in counts.values():
        assert count.min() == count.max()


def test_nobody_stands_beside_themselves():
    for _, chosen in map(plan, range(2500)):
        assert chosen.performer != chosen.bystander


def test_clips_pass_the_validation_of_real_data():
    data, report = simulated(num_clips=100), ValidationReport()
    limits = dict(num_classes=len(CLASS_NAMES), max_persons=2)
    assert len(list(check_dataset(data, **limits, report=report))) == 100
    assert not report.findings, report.summary()


def test_looks_like_a_detector(dataset):
    _, sequences = dataset
    persons, present = [], []
    for sequence in sequences.values():
        keypoint, score = sequence.keypoint, sequence.score
        persons.append(len(keypoint))
        assert keypoint.dtype == score.dtype == np.float32
        assert FRAMES[0] <= keypoint.shape[1] <= FRAMES[1]
        assert score.min() >= 0 and score.max() <= 1
        missing = score == 0
        assert not keypoint[missing].any()
        height, width = sequence.frame_size
        assert np.all(keypoint >= 0) and np.all(keypoint <= (width, height))
        present.append(1 - missing.mean())
    assert set(persons) == {1, 2} and 0.05 < np.mean(np.equal(persons, 2)) < 0.35
    assert 0.85 < np.mean(present) < 0.995


def test_score_follows_the_error(dataset):
    """Joints that jump between frames have lower scores than those that do not."""
    _, sequences = dataset
    steady, jumping = [], []
    for sequence in list(sequences.values())[:100]:
        keypoint, score = sequence.keypoint, sequence.score
        seen = (score[:, 1:-1] > 0) & (score[:, 2:] > 0) & (score[:, :-2] > 0)
        bend = np.linalg.norm(keypoint[:, 2:] - 2 * keypoint[:, 1:-1] + keypoint[:, :-2], axis=-1)
        bend /= np.ptp(keypoint[keypoint.any(-1)], axis=0).max()
        steady.append(score[:, 1:-1][seen & (bend < 0.01)])
        jumping.append(score[:, 1:-1][seen & (bend > 0.1)])
    assert np.concatenate(steady).mean() > np.concatenate(jumping).mean() + 0.1


def test_bones_keep_their_length():
    points = take("jumping_jack")
    for a, b in ((5, 7), (7, 9), (11, 13), (13, 15), (5, 6), (11, 12)):
        length = np.linalg.norm(points[:, a] - points[:, b], axis=-1)
        np.testing.assert_allclose(length, length[0], rtol=1e-6)


def test_anatomical_angles():
    """Raised arms are up, bent knees fold backwards, the acting side is the right one."""
    rest, up, knee = pose_points(
        np.stack([pose(), pose(arm_a=(180, 0)), pose(leg_a=(0, 0, 0, 90))]), STATURE_BONES
    )
    assert up[10, 2] > up[NOSE, 2] > up[9, 2] and rest[10, 0] > 0 > rest[9, 0]
    assert knee[16, 1] < -0.3 and abs(knee[15, 1]) < 1e-6
    swapped = pose_points(
        other_side(pose(arm_a=(70, 20, 5, 30), spine=(5, 9, 4)))[None], STATURE_BONES
    )
    direct = pose_points(pose(arm_a=(70, 20, 5, 30), spine=(5, 9, 4))[None], STATURE_BONES)
    np.testing.assert_allclose(mirrored(swapped), direct, atol=1e-9)


def test_feet_carry_the_body():
    """Walking moves forward by its steps, marching stays; nobody sinks into the ground."""
    walked, marched = take("walk"), take("march")
    assert walked[-1, HIPS, 1].mean() - walked[0, HIPS, 1].mean() > 0.8
    assert abs(marched[-1, HIPS, 1].mean() - marched[0, HIPS, 1].mean()) < 0.3
    for action in ACTIONS:
        assert take(action)[:, ANKLES, 2].min() > 0


def test_reversed_pairs_differ_in_order_only():
    for forward, backward in (("sit_down", "stand_up"), ("pick_up", "put_down")):
        first, second = manner(0, 5, forward), backwards(manner(0, 5, backward))
        assert len(first.enter) == len(second.enter)
    sat, stood = take("sit_down"), take("stand_up")
    assert sat[-1, NOSE, 2] < sat[0, NOSE, 2] - 0.25
    assert stood[-1, NOSE, 2] > stood[0, NOSE, 2] + 0.25
    with pytest.raises(ValueError, match="played backwards"):
        backwards(Motion(start=pose(), cycle=((1.0, pose()),)))


def test_either_hand_acts():
    """Left and right tell nothing about the class: both wrists throw in a fair share of clips."""
    higher = []
    for index in range(0, 2500):
        split, chosen = plan(index)
        if split == "train" and CLASS_NAMES[chosen.action] == "wave":
            clip = shoot(chosen, 0, index)
            seen = np.where(
                clip.score[clip.subject] > 0, clip.keypoint[clip.subject, ..., 1], np.nan
            )
            higher.append(np.nanmedian(seen[:, 9] - seen[:, 10]) < 0)
    assert 0.2 < np.mean(higher) < 0.8


def test_every_action_can_be_told_apart(dataset):
    """A nearest-centroid classifier on coarse joint tracks is far above chance on every class."""
    data, sequences = dataset

    def features(split):
        chosen = [sequences[name] for name in data.splits[split]]
        return np.stack([_track(s) for s in chosen]), np.array([s.label for s in chosen])

    train, labels = features("train")
    centroids = np.stack([train[labels == k].mean(0) for k in range(len(CLASS_NAMES))])
    test, truth = features("test")
    order = np.argsort(((test[:, None] - centroids) ** 2).sum(-1), axis=1)
    assert np.mean(order[:, 0] == truth) > 0.3
    found = (order[:, :5] == truth[:, None]).any(1)
    assert all(found[truth == k].mean() >= 0.25 for k in range(len(CLASS_NAMES)))


def _track(sequence, moments=12):
    """Heights of the joints in the person's box over time, [moments * 17]; blind to the sides."""
    person = sequence.score.sum((1, 2)).argmax()
    height, score = sequence.keypoint[person, ..., 1], sequence.score[person]
    seen = height[score > 0]
    height = np.where(score > 0, (height - seen.min()) / np.ptp(seen), 0.5)
    left, right = height[:, 1::2], height[:, 2::2]
    height = np.concatenate([height[:, :1], np.minimum(left, right), np.maximum(left, right)], 1)
    return height[np.linspace(0, len(height) - 1, moments).round().astype(int)].ravel()


def test_refuses_other_layouts_and_tiny_sizes():
    with pytest.raises(ValueError, match="coco_17"):
        simulated(skeleton="ntu_25")
    with pytest.raises(ValueError, match="num_clips=10"):
        simulated(num_clips=10)
    with pytest.raises(ValueError, match="seed=-1"):
        simulated(seed=-1)
