"""Decoding: which frames, when, which way up; and what is said of files that are no video."""

import numpy as np
import pytest

from posec3d_jax.video.decoding import Tally, decode, read_frames
from posec3d_jax.video.info import probe, quarter_turns
from posec3d_jax.video.opening import VideoError, packets_of
from tests.videos import LEVEL, write_video

av = pytest.importorskip("av", reason="PyAV (the extra 'video') is not installed")

# What is in the folder of real videos: frames that decode, upright size, last time, rotation.
REAL = {
    "person1_enters_leaves_vp9.mp4": (230, (994, 1768), 7.633, 0),
    "person2_kids_basketball.mp4": (300, (240, 426), 9.977, 0),
    "portrait_1person_60fps_cam03.mp4": (100, (1920, 1088), 1.65, 0),
    "nobody_cars_12.5fps.mp4": (377, (432, 768), 30.08, 0),
    "topview_tiny_persons.gif": (41, (270, 480), 3.33, 0),
    "upperbody_asl_walk_noduration.mkv": (89, (480, 640), 2.933, 0),
    "phone_rotated-90_hevc_editlist.mov": (29, (1920, 1080), 0.935, 270),
    "screenrec_rotated90_vfr60.mov": (217, (828, 1792), 8.2, 90),
    "derived/one_frame.mp4": (1, (256, 340), 0, 0),
    "derived/rotate180_metadata.mp4": (300, (256, 340), 9.977, 180),
    "derived/truncated_but_playable.mkv": (178, (256, 340), 5.906, 0),
}
BROKEN = {
    "truncated_no_moov_or_cut.mp4": "cut off while it was copied",
    "audio_only.mp4": "no video stream, only audio",
    "not_a_video.mp4": "no video that can be read",
    "empty.mp4": "is empty",
}


def _levels(images) -> list[int]:
    return [round((float(np.mean(image)) - 16) / LEVEL) for image in images]


def _damaged(path, numbers) -> tuple[bytes, list[int]]:
    """The file with these of its pictures blotted out, and where its pictures begin."""
    contents = bytearray(path.read_bytes())
    starts = [n for n in range(len(contents)) if contents[n : n + 3] == b"\xff\xd8\xff"]
    for number in numbers:
        end = [*starts, len(contents)][number + 1] - 30  # what is between two pictures stays
        contents[starts[number] : end] = bytes(end - starts[number])
    return bytes(contents), starts


def test_frames_come_in_order_with_their_times(tmp_path):
    times = [0, 40, 80, 200, 240, 1240]
    path = write_video(tmp_path / "uneven.mkv", 6, times=times)
    frames = list(decode(path))
    assert _levels(f.image for f in frames) == [f.index for f in frames] == list(range(6))
    np.testing.assert_allclose([f.time for f in frames], np.array(times) / 1000, atol=1e-3)
    info = probe(path)
    assert (info.frames, info.size, info.rotation, info.variable_rate) == (6, (48, 64), 0, True)
    even = probe(write_video(tmp_path / "even.mkv"))
    assert even.rate == pytest.approx(25) and even.duration == pytest.approx(0.48)
    assert not even.variable_rate


def test_only_the_wanted_frames(tmp_path):
    path = write_video(tmp_path / "clip.mkv")
    assert [f.index for f in decode(path, every=5)] == [0, 5, 10]
    chosen = read_frames(path, [7, 2, 2, 0], size=(24, 32))
    assert chosen.shape == (4, 24, 32, 3) and chosen.dtype == np.uint8
    assert _levels(chosen) == [7, 2, 2, 0]
    tally = Tally()
    assert [f.index for f in decode(path, only={1, 3}, tally=tally)] == [1, 3]
    assert tally.frames == 4  # nothing after the last wanted frame is decoded
    with pytest.raises(VideoError, match="has 12 frames; frame 12 was asked for"):
        read_frames(path, [3, 12])
    with pytest.raises(ValueError, match="frame numbers from 0"):
        read_frames(path, [-1])


def test_a_file_that_breaks_off_ends_there():
    class Container:
        def demux(self, stream):
            yield "a packet"
            raise av.error.MemoryError(12, "Cannot allocate memory", "video.avi")

    assert list(packets_of(Container(), None)) == ["a packet"]


def test_shrinking_is_the_mean_over_areas(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1, 48, 64, 3), dtype=np.uint8)
    path = write_video(tmp_path / "noise.mkv", images=images)
    (whole,), (small,) = read_frames(path, [0]), read_frames(path, [0], size=(12, 16))
    means = whole.reshape(12, 4, 16, 4, 3).mean((1, 3))
    # Colours are stored at half the resolution, and brought up in one go with the shrinking.
    np.testing.assert_allclose(small.mean(-1), means.mean(-1), atol=4)


def test_a_damaged_packet_costs_one_frame(tmp_path):
    path = write_video(tmp_path / "clip.mkv")
    contents, starts = _damaged(path, [5])
    path.write_bytes(contents)
    tally = Tally()
    assert _levels(f.image for f in decode(path, tally=tally)) == [n for n in range(12) if n != 5]
    assert (tally.frames, tally.damaged) == (11, 1)
    path.write_bytes(contents[: starts[9]])
    assert len(list(decode(path))) == 8  # cut off in the middle


def test_a_picture_is_turned_upright():
    assert [quarter_turns(r) for r in (0, 90, -90, 180, -180, 270)] == [0, 1, 3, 2, 2, 3]


def test_a_playlist_does_not_open_other_files(tmp_path):
    clip = write_video(tmp_path / "clip.mkv")
    for text in (
        f"ffconcat version 1.0\nfile {clip.name}\n",
        f"#EXTM3U\n#EXTINF:1,\n{clip.name}\n",
    ):
        (tmp_path / "list.mp4").write_text(text)
        with pytest.raises(VideoError, match="no video that can be read"):
            list(decode(tmp_path / "list.mp4"))


def test_files_that_are_no_video_say_why(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such video"):
        probe(tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="is a folder"):
        probe(tmp_path)
    path = write_video(tmp_path / "clip.mkv", 3)
    path.write_bytes(_damaged(path, range(3))[0])
    for read in (probe, lambda path: list(decode(path))):
        with pytest.raises(VideoError, match="not one frame"):
            read(path)


@pytest.mark.parametrize("name", REAL)
def test_real_videos(shared, name):
    count, size, end, rotation = REAL[name]
    path, tally = shared / "data/videos" / name, Tally()
    info = probe(path)
    small = (size[0] // 4, size[1] // 4)
    (first,) = decode(path, only=(0,), size=small)
    assert first.image.shape == (*small, 3) and first.time == 0
    assert not list(decode(path, only=(10**9,), tally=tally))
    assert (tally.frames, tally.damaged) == (count, 0)
    assert tally.end == pytest.approx(end, abs=0.02)
    assert (info.frames, info.size, info.rotation) == (count, size, rotation)
    assert info.variable_rate == ("vfr" in name)


@pytest.mark.parametrize("name", BROKEN)
def test_real_files_that_are_no_video(shared, name):
    path = shared / "data/videos/derived" / name
    for read in (probe, lambda path: list(decode(path))):
        with pytest.raises(VideoError, match=BROKEN[name]) as caught:
            read(path)
        assert str(path) in str(caught.value)
