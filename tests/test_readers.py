"""Choosing a reader: unknown ones, options, layouts and sources say what there is."""

import shutil

import pytest

from posec3d_jax.data.readers import READERS
from tests.reading import read
from tests.test_readers_published import REAL


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
    skeleton = REAL.get(name, ("", "ntu_25" if name == "ntu_rgbd" else "sbu_15"))[1]
    with pytest.raises(FileNotFoundError, match="expected"):
        read(name, tmp_path, skeleton)


def test_two_folders_of_one_data_set_are_not_guessed_between(tmp_path, shared):
    file = shared / "data" / "penn_action" / "labels" / "0001.mat"
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        shutil.copy(file, tmp_path / folder)
    with pytest.raises(FileNotFoundError, match="several folders"):
        read("penn_action", tmp_path, "penn_13")
