"""Extraction on Apache Beam's local runner: the same files as without it (`make test-beam`)."""

import sys

import numpy as np
import pytest

import posec3d_jax.extract
from posec3d_jax.extract import extract
from posec3d_jax.poses.estimator import make_people
from posec3d_jax.skeletons.skeleton import SKELETONS
from tests.videos import write_video

pytest.importorskip("av", reason="PyAV (the extra 'video') is not installed")
_POSE = np.random.default_rng(0).uniform(0, 40, (1, 17, 2))


class _Grey:
    """An estimator for which somebody stands where the picture's grey level says."""

    skeleton = SKELETONS["coco_17"]

    def __call__(self, image, known=None):
        return make_people(_POSE + image.mean() / 16, np.full((1, 17), 0.9))


def _files(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*.*")}


def test_beam_writes_the_same_files(tmp_path, monkeypatch):
    pytest.importorskip("apache_beam", reason="Apache Beam (the extra 'beam') is not installed")
    monkeypatch.setattr(posec3d_jax.extract, "open_estimator", lambda *_, **__: _Grey())
    videos = tmp_path / "videos"
    videos.mkdir()
    for n in range(4):
        write_video(videos / f"clip{n}.mkv", frames=6 + n)
    (videos / "broken.mkv").write_text("no video")
    results = [
        extract([videos], tmp_path / name, beam=beam, progress=str)
        for name, beam in (("here", None), ("beam", []), ("beam", []))
    ]
    assert results[0] == results[1] == {"done": 4, "before": 0, "failed": 1}
    assert results[2] == {"done": 0, "before": 4, "failed": 1}  # what is done is not done again
    assert _files(tmp_path / "beam") == _files(tmp_path / "here")


def test_without_beam_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "posec3d_jax.poses.beam", raising=False)
    write_video(tmp_path / "clip.mkv")
    with pytest.raises(ValueError, match=r"posec3d-jax\[video,beam\]"):
        extract([tmp_path / "clip.mkv"], tmp_path / "out", beam=[])
