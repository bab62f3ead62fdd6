"""Videos to clips: what is written, resumed, shared out; and that nothing is skipped silently."""

import json
import os
import pickle

import numpy as np
import pytest

from posec3d_jax.commands.extract import _shard
from posec3d_jax.extract import ExtractSettings, extract
from posec3d_jax.poses.estimator import Heatmaps, make_people, nobody
from posec3d_jax.poses.gathering import Job, find_jobs
from posec3d_jax.poses.heatmap_file import read_heatmaps
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.poses.recording import RecordingSettings
from posec3d_jax.poses.workers import run_jobs
from posec3d_jax.skeletons.skeleton import SKELETONS
from tests.crashing import open_crashing
from tests.reading import read
from tests.videos import write_video

pytest.importorskip("av", reason="PyAV (the extra 'video') is not installed")

_POSE = np.random.default_rng(0).uniform(-10, 10, (17, 2))
FRAMES = 12


class _BrightSpot:
    """An estimator for which people are bright squares: one in the left half, one in the right."""

    skeleton = SKELETONS["coco_17"]

    def __init__(self, heatmaps=False):
        self._heatmaps = heatmaps

    def __call__(self, image, known=None):
        places = []
        for half in range(2):
            rows, columns = np.nonzero(image[:, 48 * half : 48 * (half + 1), 0] > 200)
            if len(rows):
                places.append(_POSE + (columns.mean() + 48 * half, rows.mean()))
        if not places:
            return nobody(17)
        heatmaps = None
        if self._heatmaps:  # as bright as the person is far to the right
            values = np.array([np.full((4, 3, 17), place[:, 0].mean()) for place in places])
            heatmaps = Heatmaps(values.astype(np.uint8), np.tile([0.0, 0, 9, 9], (len(places), 1)))
        return make_people(places, np.full((len(places), 17), 0.9), heatmaps=heatmaps)


@pytest.fixture
def estimator(monkeypatch):
    monkeypatch.setattr(
        "posec3d_jax.extract.open_estimator", lambda name, heatmaps, target: _BrightSpot(heatmaps)
    )


@pytest.fixture
def videos(tmp_path):
    """One person all along and one from frame 6; nobody; and a file that is no video."""
    folder = tmp_path / "videos"
    (folder / "day2").mkdir(parents=True)
    images = np.full((FRAMES, 48, 96, 3), 20, np.uint8)
    write_video(folder / "nobody.mkv", images=images)
    for n in range(FRAMES):
        images[n, 10:20, 5 + n : 15 + n] = 250
        images[n, 30:40, 70 - n : 80 - n] = 250 if n >= 6 else 20
    write_video(folder / "day2" / "people.mkv", images=images)
    (folder / "broken.mkv").write_text("no video")
    return folder


def _contents(folder) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_a_folder_of_videos_becomes_a_data_set(estimator, videos, tmp_path):
    said, out = [], tmp_path / "out"
    result = extract([videos], out, pickle=tmp_path / "all.pkl", progress=said.append)
    assert result == {"done": 2, "before": 0, "failed": 1}
    assert any("broken: FAILED" in line and "no video that can be read" in line for line in said)
    with np.load(out / "day2" / "people.npz") as clip:
        assert clip["keypoint"].shape == (2, FRAMES, 17, 2)
        assert clip["box"].shape == (2, FRAMES, 4) and clip["frame_size"].tolist() == [48, 96]
        np.testing.assert_allclose(clip["time"], np.arange(FRAMES) / 25, atol=1e-3)
        assert (clip["score"][0] > 0).all()
        np.testing.assert_array_equal((clip["score"][1] > 0).all(-1), np.arange(FRAMES) >= 6)
        x = clip["keypoint"][0, :, :, 0].mean(-1) - _POSE[:, 0].mean()
        np.testing.assert_allclose(x, 9.5 + np.arange(FRAMES), atol=1)
    dataset, clips, findings = read("directory", out)
    assert set(clips) == {"day2/people", "nobody"} == set(dataset.splits["all"])
    assert clips["nobody"].score.sum() == 0
    assert findings.counts() == {"no_person": 1}
    summary = (out / "report.txt").read_text()
    assert "2 videos, 1 failed" in summary and "FAILED broken" in summary
    assert "frames without anybody: 12" in summary
    (first, _) = pickle.loads((tmp_path / "all.pkl").read_bytes())["annotations"]
    assert first["frame_dir"] == "day2/people" and first["keypoint"].dtype == np.float16


def test_ended_and_shared_out_it_is_the_same_to_the_bit(estimator, videos, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    extract([videos], whole, progress=str)
    extract([videos], parts, shard=(2, 2), progress=str)
    assert not (parts / "broken.npz").exists()
    half = _contents(parts)
    (parts / "nobody.npz.partial").write_text("an ended run left this")
    said = []
    result = extract([videos], parts, shard=(1, 2), progress=said.append)
    again = extract([videos], parts, progress=said.append)
    assert again["before"] == 2 and again["done"] == 0 and again["failed"] == 1
    (parts / "nobody.npz.partial").unlink(missing_ok=True)
    assert _contents(parts) == _contents(whole) and len(half) < len(_contents(whole))
    assert result["before"] == 0
    (parts / "nobody.npz").unlink()
    assert extract([videos], parts, progress=str)["done"] == 1  # what is lost is made again
    with pytest.raises(ValueError, match="filled with other settings"):
        extract([videos], parts, ExtractSettings(recording=RecordingSettings(every=2)))


def test_every_second_frame_in_segments(estimator, videos, tmp_path):
    settings = ExtractSettings(recording=RecordingSettings(every=2, segment=0.2))
    extract([videos / "day2" / "people.mkv"], tmp_path / "out", settings, progress=str)
    names = json.loads((tmp_path / "out" / "splits.json").read_text())["all"]
    assert names == ["people/00000", "people/00001"]
    frames, persons = [], []
    for name in names:
        with np.load(tmp_path / "out" / f"{name}.npz") as clip:
            frames += clip["frame"].tolist()
            persons.append(len(clip["keypoint"]))
    assert frames == list(range(0, FRAMES, 2)) and persons == [1, 2]


def test_heatmaps_are_kept_beside_the_clip_they_belong_to(estimator, videos, tmp_path):
    video, out = videos / "day2" / "people.mkv", tmp_path / "out"
    settings = ExtractSettings(heatmaps=True)
    extract([video], out, settings, progress=str)
    kept = read_heatmaps(out / "people.heatmaps")
    assert kept.values.shape == (2, FRAMES, 4, 3, 17) and kept.window.shape == (2, FRAMES, 4)
    with np.load(out / "people.npz") as clip:
        x = clip["keypoint"][..., 0].mean(-1) * (clip["score"] > 0).all(-1)
    np.testing.assert_array_equal(kept.values[:, :, 0, 0, 0], x.astype(np.uint8))
    assert len(read("directory", out)[1]) == 1  # they are no clip
    (out / "people.heatmaps").unlink()
    assert extract([video], out, settings, progress=str)["done"] == 1  # what is lost is made again
    with pytest.raises(ValueError, match="no heatmaps"):
        open_estimator("multipose", heatmaps=True)


def test_labels_and_splits_come_from_a_table(estimator, videos, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("video,label,split\npeople.mkv,wave,train;indoors\nnobody,idle,test\n")
    good = [videos / "day2" / "people.mkv", videos / "nobody.mkv"]
    extract(good, tmp_path / "out", labels=table, progress=str)
    assert json.loads((tmp_path / "out" / "classes.json").read_text()) == ["idle", "wave"]
    splits = json.loads((tmp_path / "out" / "splits.json").read_text())
    assert splits == {"train": ["people"], "indoors": ["people"], "test": ["nobody"]}
    with np.load(tmp_path / "out" / "people.npz") as clip:
        assert clip["label"] == 1
    with pytest.raises(ValueError, match="has no line for 'broken'"):
        find_jobs([videos], table)
    table.write_text("file,label\n")
    with pytest.raises(ValueError, match="first line 'video,label'"):
        find_jobs([videos], table)


def test_which_videos_and_what_they_are_called(tmp_path):
    for name in ("b/one.mp4", "b/one.MOV", "a.avi", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [job.name for job in find_jobs([tmp_path])] == ["a", "b/one.MOV", "b/one.mp4"]
    assert [job.name for job in find_jobs([tmp_path], shard=(2, 2))] == ["b/one.MOV"]
    with pytest.raises(ValueError, match="both be called 'a.avi'"):
        find_jobs([tmp_path / "a.avi", tmp_path])
    with pytest.raises(FileNotFoundError, match="no such video or folder"):
        find_jobs([tmp_path / "missing.mp4"])
    with pytest.raises(ValueError, match="no videos in"):
        find_jobs([])
    with pytest.raises(ValueError, match="expected 1/2 to 2/2"):
        find_jobs([tmp_path], shard=(3, 2))
    with pytest.raises(ValueError, match="as in 2/8"):
        _shard("3")
    with pytest.raises(ValueError, match="every is 0"):
        RecordingSettings(every=0)


def test_a_video_that_crashes_its_process_stops_no_other(tmp_path):
    jobs = [Job(name, tmp_path / f"{name}.mp4") for name in ("bad", "one", "two")]
    reports = {r["name"]: r for r in run_jobs(jobs, tmp_path, open_crashing, workers=2)}
    assert set(reports) == {"bad", "one", "two"}
    assert "crashed" in reports["bad"]["error"] and "error" not in reports["two"]
    assert reports["one"]["process"] != os.getpid()
