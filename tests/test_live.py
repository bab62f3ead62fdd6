"""Live sources: a stream over HTTP, a camera; pictures that nobody had time for."""

import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from posec3d_jax.video import live
from posec3d_jax.video.live import LiveCount, newest
from posec3d_jax.video.opening import VideoError
from tests.videos import LEVEL, write_video

pytest.importorskip("av", reason="PyAV (the extra 'video') is not installed")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    """Of a folder with a video, served on this machine."""
    write_video(tmp_path / "clip.mkv")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_stream_is_read_by_its_address(address):
    assert live.is_live(address) and live.is_live("0") and not live.is_live("clip.mp4")
    count = LiveCount()
    arrived = list(newest(f"{address}/clip.mkv", count))
    assert count.arrived == 12 and not count.error
    assert len(arrived) == 12 - count.dropped and arrived[-1].frame.index == 11
    np.testing.assert_allclose(arrived[-1].frame.image, 11 * LEVEL + 16, atol=4)
    with pytest.raises(VideoError, match="none.mkv"):
        list(newest(f"{address}/none.mkv", LiveCount()))


def test_a_camera_is_opened_by_its_number(monkeypatch):
    """FFmpeg's test picture as the device; the number becomes seconds of it."""
    monkeypatch.setitem(live.CAMERAS, "linux", ("lavfi", "testsrc=size=64x48:rate=10:duration={}"))
    monkeypatch.setattr("sys.platform", "linux")
    count = LiveCount()
    arrived = list(newest("1", count))
    assert count.arrived == 10 and arrived[-1].frame.image.shape == (48, 64, 3)
    monkeypatch.setattr("sys.platform", "plan9")
    with pytest.raises(VideoError, match="cameras by number work on"):
        list(newest("0", LiveCount()))


def test_what_nobody_had_time_for_is_dropped_and_counted(tmp_path):
    count, seen = LiveCount(), []
    for arrived in newest(write_video(tmp_path / "clip.mkv"), count):
        seen.append(arrived.frame.index)
        time.sleep(0.1)  # of 0.04 seconds that a picture lasts
    assert count.arrived == 12 and count.dropped == 12 - len(seen) > 0
    assert seen == sorted(set(seen)) and seen[-1] == 11
