"""Prediction takes what the run was trained on, in every form that the readers read.

The network is a stand-in that answers with where the joints are: what counts here is what it gets.
"""

import csv
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from posec3d_jax import predict
from posec3d_jax.commands import predict as command
from posec3d_jax.commands.request import Request
from posec3d_jax.commands.table import COMMANDS
from posec3d_jax.config.base import get_config
from posec3d_jax.predict import Predictor, predict_files
from posec3d_jax.reports.predictions import write_predictions
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.skeletons.planes import stored_layout
from posec3d_jax.skeletons.skeleton import SKELETONS
from posec3d_jax.steps.protocol import ONE_CLIP
from tests.hostile.predict_doors import files
from tests.test_axes import SWAPPED, _scored, _walk


class StandIn:
    """An engine whose scores are where the joints are."""

    protocol, draws = ONE_CLIP, False

    def __init__(self, config):
        self.skeleton = stored_layout(config.data)
        self.needs = {"pose": Needs(config.sampling.num_frames)}

    def scores(self, batch):
        places = batch["keypoint"].mean(axis=(1, 2))  # [B, V, 2]
        joints = places * np.arange(1, 1 + places.shape[1])[None, :, None]  # their order counts
        return joints.sum(axis=1) / joints.sum()


def _predictor(**data):
    config = get_config()
    config.data.num_classes, config.data.class_names = 2, ("left", "right")
    config.data.max_persons = 1
    config.sampling.num_frames = 4
    with config.ignore_type():
        config.data.reader_options = data.pop("reader_options", {})
    config.data.update(data)
    return Predictor(config, StandIn(config))


def test_the_same_clip_in_every_form(tmp_path):
    expected, predictor = None, _predictor()
    for name, data, _, _ in files()[:3]:
        (tmp_path / name).write_bytes(data)
        ((found_name, found),) = predict_files(tmp_path / name, predictor)
        expected = found.scores if expected is None else expected
        np.testing.assert_allclose(found.scores, expected, rtol=1e-5)
        assert found_name == "clip"
    found = dict(predict_files(tmp_path, predictor))
    assert list(found) == ["clip"], "a folder of them, by name"


def test_annotations_without_labels(tmp_path):
    samples = [
        dict(frame_dir=f"c{i}", img_shape=(100, 120), keypoint=5 + 0 * _walk(1) + i)
        for i in range(3)
    ]
    (tmp_path / "mine.pkl").write_bytes(pickle.dumps(samples))
    found = dict(predict_files(tmp_path / "mine.pkl", _predictor()))
    assert list(found) == ["c0", "c1", "c2"]
    assert all(not isinstance(result, str) for result in found.values())


def test_a_remapped_run_takes_the_joints_it_was_trained_on_and_its_networks_own():
    body, target = SKELETONS["body_25"], SKELETONS["coco_17"]
    predictor = _predictor(skeleton="body_25", remap_to="coco_17")
    keypoint = np.random.default_rng(0).uniform(5, 95, (1, 6, 25, 2))
    index = [body.joints.index(joint) for joint in target.joints]
    both = [
        predictor(keypoint, None, (100, 120)),
        predictor(keypoint[:, :, index], None, (100, 120)),
    ]
    np.testing.assert_allclose(both[0].scores, both[1].scores, rtol=1e-6)
    with pytest.raises(ValueError, match="13 joints"):
        predictor(keypoint[:, :, :13], None, (100, 120))


def test_a_run_of_three_dimensions_takes_arrays_skeleton_files_and_shared_arrays(tmp_path):
    predictor = _predictor(
        skeleton="ntu_25", format="ntu_rgbd", reader_options={"coordinates": "3d"}
    )
    points = np.random.default_rng(0).normal(0, 0.4, (1, 6, 25, 3))
    assert predictor(points).scores.shape == (2,)
    for name, data, _, _ in files()[3:]:
        (tmp_path / name).write_bytes(data)
        found = dict(predict_files(tmp_path / name, predictor))
        assert found and not any(isinstance(result, str) for result in found.values()), found
    assert len(dict(predict_files(tmp_path, predictor))) == 5


def test_what_is_ambiguous_is_refused_in_prediction_too():
    predictor = _predictor()
    with pytest.raises(ValueError, match=r"transpose\(1, 0, 2, 3\)"):
        predictor(SWAPPED["two persons"], None, (2000, 2000))
    with pytest.raises(ValueError, match="third_channel"):
        predictor(_scored(0.7))
    with pytest.raises(ValueError, match="frame_size"):
        predictor(_walk(1))
    scored = _predictor(reader_options={"third_channel": "score"})
    assert scored(_scored(0.7), None, (2000, 2000)).scores.shape == (2,)


def test_a_folder_as_csv_and_json_with_a_clip_that_cannot_be_used(tmp_path):
    for i in range(2):
        np.savez(tmp_path / f"clip{i}.npz", keypoint=5 + 0 * _walk(1) + i, frame_size=(100, 120))
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    (tmp_path / "splits.json").write_text("{}")
    found = list(predict_files(tmp_path, _predictor()))
    write_predictions(tmp_path / "out.csv", found)
    write_predictions(tmp_path / "out.json", found)
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [row["clip"] for row in rows] == ["clip0", "clip1", "cut"]
    assert rows[0]["class"] == "left" and "unreadable_file" in rows[2]["error"]
    clips = json.loads((tmp_path / "out.json").read_text())["clips"]
    assert clips[0]["scores"] == {"left": 0.5, "right": 0.5} and clips[2]["error"]
    with pytest.raises(ValueError, match=r"ending in \.csv or \.json"):
        write_predictions(tmp_path / "out.txt", found)


def test_what_is_no_clip_is_called_what_it_is(tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(50))
    with pytest.raises(ValueError, match=r"is a video .*expected one of \.npz"):
        list(predict_files(tmp_path / "video.mp4", _predictor()))
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        list(predict_files(tmp_path / "gone", _predictor()))


@pytest.mark.parametrize("several", [False, True])
def test_the_command_prints_and_writes(tmp_path, monkeypatch, capsys, several):
    clips = tmp_path / "clips"
    clips.mkdir()
    for i in range(1 + several):
        np.savez(clips / f"clip{i}.npz", keypoint=5 + 0 * _walk(1), frame_size=(100, 120))
    monkeypatch.setattr(predict, "load_predictor", lambda *_: _predictor())
    (row,) = [row for row in COMMANDS if row.name == "predict"]
    options = {flag.name: flag.default for flag in row.flags}
    options |= dict(workdir="run", input=str(clips), out=str(tmp_path / "out.csv"))
    command.run(Request(row, SimpleNamespace(**options)))
    lines = capsys.readouterr().out.splitlines()
    assert lines == (
        ["0.5000  left  clip0", "0.5000  left  clip1"]
        if several
        else ["0.5000  left", "0.5000  right"]
    )
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 2 + several
