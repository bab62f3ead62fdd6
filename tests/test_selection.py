"""Which clips of a data set are used, and as what."""

from dataclasses import replace

import numpy as np
import pytest

from posec3d_jax.data.stored.info import DataError
from posec3d_jax.data.stored.selection import few_of_each, regroup
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.skeletons.skeleton import common_layout, get_skeleton
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return tiny_config(tmp_path_factory.mktemp("selection"))


def regrouped(config, *classes):
    data = config.copy_and_resolve_references().data
    data.classes, data.num_classes = classes, len(classes)
    return data


def test_splits_are_joined(config):
    parts = [open_source(config.data, split).names for split in ("train", "test")]
    both = open_source(config.data, "train+test").names
    assert sorted(both) == sorted(sum(parts, []))
    with pytest.raises(DataError, match="no split 'nothing'"):
        open_source(config.data, "train+nothing")


def test_classes_are_joined_and_the_others_left_out(config):
    whole = open_source(config.data, "train")
    first, second, third = whole.info.class_names[:3]
    data = regrouped(config, ("one", (third,)), ("two", (first, second)))
    source = open_source(data, "train")
    assert source.info.class_names == ("one", "two")
    expected = {n: int(k < 2) for n, k in zip(whole.names, whole.labels, strict=True) if k < 3}
    assert dict(zip(source.names, source.labels.tolist(), strict=True)) == expected
    i = source.names.index(next(iter(expected)))
    clip = source.gather(np.array([i]), np.zeros((1, 2), int))
    same = whole.gather(np.array([whole.names.index(source.names[i])]), np.zeros((1, 2), int))
    np.testing.assert_array_equal(clip["keypoint"], same["keypoint"])


def test_classes_that_there_are_not_are_refused(config):
    name = open_source(config.data, "train").info.class_names[0]
    with pytest.raises(DataError, match=r"config\.data\.classes names 'flying'"):
        open_source(regrouped(config, ("fly", ("flying",))), "train")
    with pytest.raises(DataError, match="twice"):
        open_source(regrouped(config, ("a", (name,)), ("b", (name,))), "train")


def test_classes_without_names_are_chosen_by_number(config):
    source = open_source(config.data, "train")
    names = source.info.class_names
    by_name = open_source(regrouped(config, ("a", names[1:3]), ("b", names[:1])), "train")
    by_number = open_source(regrouped(config, ("a", (1, names[2])), ("b", (0,))), "train")
    assert by_name.names == by_number.names
    np.testing.assert_array_equal(by_name.labels, by_number.labels)
    unnamed = replace(source.info, class_names=())
    with pytest.raises(DataError, match="lacks; its classes are numbers from 0 to"):
        regroup(unnamed, None, np.arange(2), (("a", ("walk",)),))


def test_few_clips_of_each_class():
    labels = np.array([0, 1, 0, 1, 0, 0, 2, 1])
    clips = np.array([0, 1, 2, 3, 4, 5, 6])
    two, one = (few_of_each(labels, clips, count, seed=3) for count in (2, 1))
    np.testing.assert_array_equal(np.bincount(labels[two]), [2, 2, 1])
    assert set(one) <= set(two) and (np.diff(two) > 0).all()
    seeds = {tuple(few_of_each(labels, clips, 1, seed)) for seed in range(10)}
    assert len(seeds) > 1


def test_the_joints_that_two_layouts_share():
    layout = common_layout(get_skeleton("kinect_20_utd"), get_skeleton("blazepose_33"))
    sides = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    assert set(layout.joints) == {f"{side}_{j}" for side in ("left", "right") for j in sides}
    assert len(layout.pairs) == 6 and len(layout.limbs) == 12
    assert layout.parents.count(0) > 1 and len(layout.flip_limbs) == 12
