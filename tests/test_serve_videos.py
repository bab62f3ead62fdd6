"""Videos, pictures and volumes over HTTP: what is found, what is refused, what is left behind."""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the extra `serve`")
pytest.importorskip("uvicorn", reason="needs the extra `serve`")
pytest.importorskip("av", reason="needs the extra `video`")

from posec3d_jax.server.app import Eyes  # noqa: E402
from posec3d_jax.server.serving import open_eyes  # noqa: E402
from posec3d_jax.video.decoding import read_frames  # noqa: E402
from posec3d_jax.video.opening import VideoError  # noqa: E402
from posec3d_jax.video.sandbox import Bounds, decoded_in_sandbox  # noqa: E402
from tests.test_serve import LIMITS, Running, Standing, _raw, predictor  # noqa: E402, F401
from tests.videos import write_video  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def temporary(tmp_path_factory):
    """A temporary folder that no other test writes in, so that what is left there is ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        yield


@pytest.fixture(scope="module")
def service(predictor, temporary):  # noqa: F811
    running = Running(predictor, eyes=Eyes(Standing(), Standing()))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "v.mkv", frames=50)


def left_behind() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("posec3d-*"))


def test_a_video_has_events(service, video):
    before = left_behind()
    status, content, _ = service.ask("POST", "/v1/videos", video.read_bytes())
    found = json.loads(content)
    assert status == 200 and found["frames_seen"] == 25 and found["size"] == [48, 64]
    [event] = found["events"]
    assert event["person"] == 0 and event["start"] == 0 and event["end"] == pytest.approx(1.92)
    assert left_behind() == before
    assert "posec3d_video_frames_total 25" in service.ask("GET", "/metrics")[1].decode()


def test_details_come_line_by_line(service, video):
    path = "/v1/videos?details=true&window=1&step=0.5"
    status, content, headers = service.ask(
        "POST", path, video.read_bytes(), Accept="application/x-ndjson"
    )
    lines = [json.loads(line) for line in content.splitlines()]
    kinds = [next(iter(line)) for line in lines]
    assert status == 200 and "ndjson" in headers["content-type"]
    assert kinds[0] == "video" and kinds[-1] == "end" and kinds.count("frame") == 25
    assert kinds.index("window") < len(kinds) - 8  # while frames still come
    assert len(lines[1]["frame"]["keypoint"][0]) == 17


def test_what_is_no_video_is_refused_with_a_reason(service, video, tmp_path):
    for body, status, reason in (
        (b"", 400, "empty"),
        (b"not a video" * 99, 422, "no video that can be read"),
        (video.read_bytes()[:300], 422, "video"),
        (b"#EXTM3U\nfile:///etc/passwd\n", 422, "no video that can be read"),
        (b"x" * 500_000, 413, "400,000 bytes"),
    ):
        found, content, _ = service.ask("POST", "/v1/videos", body)
        error = json.loads(content)["error"]
        assert found == status and reason in error and tempfile.gettempdir() not in error
    for query, reason in (("window=9&step=10", "gaps"), ("x=1", "unknown"), ("whole=2", "true")):
        status, content, _ = service.ask("POST", f"/v1/videos?{query}", video.read_bytes())
        assert status == 422 and reason in json.loads(content)["error"]
    assert service.ask("GET", "/v1/videos")[0] == 405
    lines = service.ask("POST", "/v1/videos", b"none" * 99, Accept="application/x-ndjson")[1]
    assert "no video" in json.loads(lines)["error"]


def test_slow_and_many_videos_leave_the_service_well(service, video):
    head = b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\nx"
    slow = [_raw(service, head) for _ in range(20)]
    statuses = [connection.recv(4096)[9:12] for connection in slow[LIMITS.videos :]]
    assert b"503" in statuses and set(statuses) <= {b"503", b"408"}
    assert service.ask("GET", "/health")[0] == 200
    for connection in slow:
        connection.close()


def test_whoever_leaves_is_not_worked_for(service, video):
    content = video.read_bytes()
    head = f"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
    with _raw(service, head.encode() + content):
        time.sleep(0.3)
    until = time.monotonic() + 20
    while json.loads(service.ask("GET", "/health")[1])["looking_at_a_video"] or left_behind():
        assert time.monotonic() < until
        time.sleep(0.1)
    assert service.ask("POST", "/v1/videos", content)[0] == 200


def test_without_an_estimator_the_way_to_one_is_told(predictor, video, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    eyes = open_eyes("")
    assert "posec3d weights get movenet" in eyes.lacking
    running = Running(predictor, eyes=eyes)
    try:
        for path in ("/v1/videos", "/v1/poses?width=16&height=16"):
            status, content, _ = running.ask("POST", path, b"x")
            assert status == 501 and "weights get movenet" in json.loads(content)["error"]
        assert not json.loads(running.ask("GET", "/v1/model")[1])["videos"]
    finally:
        running.stop()
    assert "none" in open_eyes("none").lacking


def test_pictures_are_raw_pixels(service):
    status, content, _ = service.ask("POST", "/v1/poses?width=64&height=32", bytes(64 * 32 * 4))
    [person] = json.loads(content)["persons"]
    assert status == 200 and np.shape(person["keypoint"]) == (17, 2)
    for query, reason in (("width=64", "height"), ("width=64&height=33", "expected 33 x 64")):
        status, content, _ = service.ask("POST", f"/v1/poses?{query}", bytes(64 * 32 * 4))
        assert status == 422 and reason in json.loads(content)["error"]


def test_the_volume_is_the_networks_own(service, predictor):  # noqa: F811
    clip = json.loads(service.ask("GET", "/v1/clips/walk")[1])
    status, content, _ = service.ask("POST", "/v1/volume", json.dumps(clip))
    found = json.loads(content)
    batch, _ = predictor.prepare(
        np.array(clip["keypoint"]), np.array(clip["score"]), tuple(clip["frame_size"])
    )
    wanted = predictor.volume(batch)
    assert status == 200 and found["shape"] == list(wanted.shape)
    voxels = np.array(found["voxels"]).reshape(-1, 5)
    drawn = np.zeros(wanted.shape)
    drawn[tuple(voxels[:, :4].T)] = voxels[:, 4] / 255 * wanted.max()
    assert np.abs(drawn - wanted).max() < 0.1 and (drawn > 0).any()


def test_decoding_in_a_sandbox_gives_the_same_frames(video):
    with decoded_in_sandbox(video, Bounds()) as decoded:
        frames = list(decoded.frames)
    assert decoded.every == 2 and decoded.duration == pytest.approx(2.0)
    np.testing.assert_array_equal(
        [frame.image for frame in frames], read_frames(video, range(0, 50, 2))
    )


def test_a_video_that_takes_too_much_is_given_up(video, tmp_path):
    large = write_video(tmp_path / "large.mkv", frames=3, size=(4000, 6000))
    for path, bounds, reason in (
        (video, Bounds(duration=1.0), "longer than 1 seconds"),
        (video, Bounds(seconds=0.05), "within 0.05 seconds"),
        (large, Bounds(memory=200 << 20), "not one frame|Cannot allocate"),
    ):
        with pytest.raises(VideoError, match=reason):
            with decoded_in_sandbox(path, bounds) as decoded:
                list(decoded.frames)
