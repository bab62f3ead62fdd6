"""Inspection tells what is in a prepared data set, bad samples by name, and draws its clips."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from posec3d_jax.config.base import get_config
from posec3d_jax.data.stored.info import DataError
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.prepare import prepare
from posec3d_jax.reports.inspection import describe, draw_clips, inspect_dataset, pick_clips


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four clips in Penn Action's format, the last of them without any visible joint."""
    folder = tmp_path_factory.mktemp("penn")
    rng = np.random.RandomState(0)
    for number in range(1, 5):
        clip = dict(
            action="bowl" if number < 3 else "squat",
            x=rng.uniform(20, 300, (10 * number, 13)),
            y=rng.uniform(20, 200, (10 * number, 13)),
            visibility=np.full((10 * number, 13), 0 if number == 4 else 1),
            train=-1 if number == 4 else 1,
            dimensions=[240, 320, 10 * number],
        )
        clip["visibility"][:5, 0] = 0
        savemat(folder / f"000{number}.mat", clip)
    data = get_config().data
    data.format, data.source, data.dir = "penn_action", str(folder), str(folder / "prepared")
    data.storage, data.skeleton, data.num_classes = "pack", "penn_13", 15
    data.train_split, data.val_split, data.test_split = "train", "test", "test"
    prepare(data, progress=lambda line: None)
    return data


def test_facts(data):
    facts = inspect_dataset(data.dir)
    json.dumps(facts)
    assert facts["splits"]["train"]["clips"] == 3
    assert facts["splits"]["train"]["frames"] == dict(min=10, median=20.0, max=30)
    assert facts["classes"][3] == dict(name="bowl", clips=dict(train=2, test=0))
    assert facts["layout"]["pairs"][0] == ["left_shoulder", "right_shoulder"]
    assert facts["missing_joints"]["head"] == pytest.approx(15 / 60, abs=1e-4)
    assert facts["empty_clips"]["names"] == ["0004"]


def test_description_names_the_bad_samples(data):
    text = describe(inspect_dataset(data.dir))
    assert "penn_action: 4 clips, 15 classes" in text
    assert "0004: every joint of every frame is missing" in text
    rows = {tuple(line.split()) for line in text.splitlines()}
    assert ("train", "3", "10", "20", "30", "1", "1", "1") in rows
    assert ("11", "squat", "1", "1") in rows
    assert ("0", "head", "25.0", "%", "##########") in rows


def test_clips_are_picked_over_the_classes_or_by_name(data):
    source = open_source(data, "train")
    assert pick_clips(source, num=2) == [0, 2]  # one of each class
    assert pick_clips(source, num=9) == [0, 1, 2]
    assert pick_clips(source, names=["0002"]) == [1]
    with pytest.raises(DataError, match="no clip '00002' among the 3 clips; did you mean '0002'"):
        pick_clips(source, names=["00002"])


def test_clips_are_drawn(data, tmp_path):
    source = open_source(data, "test")
    files = draw_clips(source, [0], tmp_path, lambda sequence: np.ones((4, 8, 8, 13)))
    assert [file.name for file in files] == ["skeleton_00000_0004.png", "volume_00000_0004.png"]
    assert all(file.is_file() for file in files)
    with pytest.raises(DataError, match="no clip number 1; the split has 0 to 0"):
        draw_clips(source, [1], tmp_path)


def test_what_is_no_data_set_is_refused(data, tmp_path):
    with pytest.raises(DataError, match="posec3d prepare"):
        inspect_dataset(tmp_path / "nowhere")
    for name in ("info.json", "clips.npz"):
        shutil.copy(Path(data.dir) / name, tmp_path)
    with pytest.raises(DataError, match="has no report.json"):
        inspect_dataset(tmp_path)
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(DataError, match="lacks statistics and findings"):
        inspect_dataset(tmp_path)


def test_a_report_with_a_number_beyond_all_is_called_damaged(data):
    facts = inspect_dataset(data.dir)
    facts["missing_joints"] = dict.fromkeys(facts["missing_joints"], 10**400)
    with pytest.raises(DataError, match="report.json is damaged .OverflowError"):
        describe(facts)
