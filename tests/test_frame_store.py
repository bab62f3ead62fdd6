"""Videos beside skeletons: what `prepare` says of each, and the frames that it stores."""

import json
import wave

import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.prepare import prepare
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.video.clips import ClipVideos, open_videos, pictures_of
from posec3d_jax.video.frame_store import FRAMES_FILE, open_frames, writing
from posec3d_jax.video.opening import VideoError
from tests.videos import LEVEL, turn, write_video

pytest.importorskip("av", reason="videos need the extra 'video'")

POSES, SIZE = 12, (48, 64)
RGB = {"rgb": Needs(2), "pose": Needs(4)}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "clips"


def _config(folder, names, *, step=1, ending=".mkv"):
    """A data set of clips of these names, with their videos in the same folder."""
    folder.mkdir(exist_ok=True)
    keypoint = np.random.default_rng(0).uniform(5, 40, (1, POSES, 17, 2))
    for name in names:
        score = np.ones((1, POSES, 17))
        np.savez(folder / name, keypoint=keypoint, score=score, frame_size=SIZE, label=0)
    (folder / "splits.json").write_text(json.dumps({"train": names, "val": names}))
    config = base.get_config()
    config.data.format, config.data.source = "directory", str(folder)
    config.data.dir, config.data.storage = str(folder.parent / "prepared"), "pack"
    config.data.num_classes = 2
    config.data.video_root, config.data.video_name = str(folder), "{name}" + ending
    config.data.video_step = step
    return config


def _silent(line):
    """Progress that nobody watches."""


def _blot_out(path):
    contents = path.read_bytes()
    path.write_bytes(contents[: contents.index(b"\xff\xd8\xff")] + bytes(len(contents)))


def _sound(path):
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(1600))


def _cut_off(path):
    contents = write_video(path, POSES, SIZE).read_bytes()
    path.write_bytes(contents[: len(contents) * 2 // 3])


# A video, how it is made, and what is said of it.
FAULTS = {
    "missing": (lambda path: None, "missing_video", "does not exist"),
    "empty": (lambda path: path.touch(), "unreadable_video", "is empty"),
    "sound": (_sound, "unreadable_video", "no video stream, only audio"),
    "no_video": (lambda path: path.write_text("?"), "unreadable_video", "no video that can be"),
    "no_frame": (
        lambda path: _blot_out(write_video(path, POSES, SIZE)),
        "unreadable_video",
        "not one frame",
    ),
    "cut_off": (_cut_off, "short_video", "frames, its poses have 12"),
    "short": (lambda path: write_video(path, 11, SIZE), "short_video", "11 frames"),
}
REMARKS = {
    "long": (lambda path: write_video(path, 14, SIZE), "long_video", "14 frames"),
    "uneven": (
        lambda path: write_video(path, POSES, SIZE, times=[n * n * 40 for n in range(POSES)]),
        "variable_rate",
        "in the order of showing",
    ),
    "wide": (lambda path: write_video(path, POSES, (48, 80)), "video_shape", "stretched"),
}


def test_each_broken_video_is_told_with_its_clip_and_file(folder):
    config = _config(folder, ["good", *FAULTS])
    write_video(folder / "good.mkv", POSES, SIZE)
    for name, (make, *_) in FAULTS.items():
        make(folder / f"{name}.mkv")
    report = prepare(config.data, skip_bad=True, frames=32, progress=_silent)
    found = {error["sample"]: error for error in report["findings"]["errors"]}
    assert set(found) == set(FAULTS)
    for name, (_, kind, message) in FAULTS.items():
        assert found[name]["kind"] == kind and message in found[name]["message"]
        assert f"{name}.mkv" in found[name]["message"]
    source = open_source(config.data, "train")
    assert source.names == ["good"] and pictures_of(config, source, RGB).sizes.tolist() == [
        [32, 43]
    ]


def test_odd_videos_are_used_and_told_of(folder):
    config = _config(folder, list(REMARKS))
    for name, (make, *_) in REMARKS.items():
        make(folder / f"{name}.mkv")
    findings = prepare(config.data, frames=48, progress=_silent)["findings"]
    assert not findings["errors"]
    found = {warning["sample"]: warning for warning in findings["warnings"]}
    for name, (_, kind, message) in REMARKS.items():
        assert found[name]["kind"] == kind and message in found[name]["message"]
    part = pictures_of(config, open_source(config.data, "train"), RGB)
    assert part.counts.tolist() == [POSES] * 3 and part.room == (48, 80)


def test_turned_videos_are_stored_upright(folder):
    config = _config(folder, ["turned"], ending=".mov")
    turn(write_video(folder / "turned.mov", POSES, SIZE[::-1]))
    report = prepare(config.data, frames=48, progress=_silent)
    (warning,) = (w for w in report["findings"]["warnings"] if w["sample"] == "turned")
    assert warning["kind"] == "rotated_video" and "upright, 48 x 64" in warning["message"]
    pictures = pictures_of(config, open_source(config.data, "train"), RGB)
    assert pictures.sizes.tolist() == [[48, 64]]


def test_stored_frames_are_those_of_the_video(folder):
    config = _config(folder, ["a", "b"], step=2)
    write_video(folder / "a.mkv", 23, SIZE)
    write_video(folder / "b.mkv", 24, (96, 80))
    prepare(config.data, frames=24, progress=_silent)
    source = open_source(config.data, "train")
    index, frames = np.array([1, 0]), np.array([[0, 11], [5, 5]])
    stored = pictures_of(config, source, RGB)(index, frames)
    assert stored["rgb"].shape == (2, 2, 29, 32, 3) and stored["rgb"].dtype == np.uint8
    assert stored["rgb_size"].tolist() == [[29, 24], [24, 32]]
    levels = stored["rgb"][:, :, :24, :24].mean((2, 3, 4))
    np.testing.assert_allclose(levels, 16 + 2 * LEVEL * frames, atol=2)
    assert not stored["rgb"][1, :, 24:].any()  # beyond a clip's own frames nothing
    options = config.data.video_root, config.data.video_name, (24, 32)
    decoded = open_videos(*options, source.names, source.lengths, 2)(index, frames)
    np.testing.assert_allclose(levels, decoded["rgb"].mean((2, 3, 4)), atol=2)
    with pytest.raises(IndexError, match="of a clip with 12"):
        pictures_of(config, source, RGB)(index, np.array([[0, 12], [0, 0]]))


def test_without_frames_videos_are_only_looked_at(folder):
    config = _config(folder, ["a"])
    with pytest.raises(ValueError, match="missing_video"):
        prepare(config.data, progress=_silent)
    write_video(folder / "a.mkv", POSES, SIZE)
    prepare(config.data, progress=_silent)
    assert isinstance(pictures_of(config, open_source(config.data, "train"), RGB), ClipVideos)
    config.data.video_name = "clip.mp4"
    with pytest.raises(ValueError, match="'clip.mp4'.*the same for all clips"):
        prepare(config.data, overwrite=True, progress=_silent)
    config.data.video_root = ""
    with pytest.raises(ValueError, match="video_root"):
        prepare(config.data, overwrite=True, frames=48, progress=_silent)


def test_a_damaged_store_is_told_of(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 20, 3), dtype=np.uint8)
    with writing(tmp_path / "frames") as writer:
        assert writer.add("gone", iter(images[:1]), 2) == 1  # of such a clip nothing stays
        assert writer.add("a", iter(images), 3) == 3
    frames = open_frames(tmp_path / "frames", ["a"], np.array([3]))
    assert frames(np.array([0]), np.array([[2, 0]]))["rgb"].shape == (1, 2, 16, 20, 3)
    with pytest.raises(VideoError, match="no frames of clip 'gone'"):
        open_frames(tmp_path / "frames", ["gone"], np.array([2]))
    with pytest.raises(VideoError, match="fewer frames of clip 'a'"):
        open_frames(tmp_path / "frames", ["a"], np.array([4]))
    path = tmp_path / "frames" / FRAMES_FILE
    contents = bytearray(path.read_bytes())
    contents[:40] = bytes(40)
    path.write_bytes(contents)
    with pytest.raises(VideoError, match="frame 0 of stored clip 0 is damaged"):
        frames = open_frames(tmp_path / "frames", ["a"], np.array([3]))
        frames(np.array([0]), np.array([[0]]))
    path.write_bytes(contents[:-1])
    with pytest.raises(VideoError, match="incomplete copy"):
        open_frames(tmp_path / "frames", ["a"], np.array([3]))
