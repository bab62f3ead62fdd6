"""The service over real sockets: right answers, and a reason for everything that is wrong."""

import http.client
import json
import socket
import threading
import time

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the extra `serve`")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra `serve`")

from posec3d_jax.poses.estimator import make_people  # noqa: E402
from posec3d_jax.predict import load_predictor  # noqa: E402
from posec3d_jax.server.app import Eyes, Limits, make_app  # noqa: E402
from posec3d_jax.server.batching import Batcher  # noqa: E402
from posec3d_jax.server.patience import HastyProtocol  # noqa: E402
from posec3d_jax.server.serving import LOCAL, serve  # noqa: E402
from posec3d_jax.skeletons.skeleton import get_skeleton  # noqa: E402
from posec3d_jax.weights import import_weights  # noqa: E402
from tests.reference import FIXTURES, reference_config  # noqa: E402

LIMITS = Limits(body=2_000_000, upload=0.5, answer=20, uploads=8, video=400_000, videos=3)


class Standing:
    """Stands in for a pose estimator: one person in every picture, standing in its middle."""

    skeleton = get_skeleton("coco_17")

    def __call__(self, image, known=None):
        height, width = image.shape[:2]
        y = np.linspace(0.1, 0.9, 17) * height
        keypoint = np.stack([np.full(17, width / 2) + 3 * np.sin(np.arange(17)), y], -1)
        return make_people(keypoint[None], np.full((1, 17), 0.9))


class Running:
    """The service on a port of this machine."""

    def __init__(self, predictor, **options):
        self.batcher = Batcher(predictor.scores, sizes=(1, 4), longest_queue=16)
        options = {"name": "tiny", "limits": LIMITS, "hosts": LOCAL} | options
        app = make_app(predictor, batcher=self.batcher, **options)
        protocol = type("Hasty", (HastyProtocol,), {"EVERY": 0.3})
        config = uvicorn.Config(
            app, port=0, http=protocol, ws="none", log_level="critical", server_header=False
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, content, answer.headers
        finally:
            connection.close()

    def recognise(self, clip, **headers):
        body = clip if isinstance(clip, bytes | str) else json.dumps(clip)
        status, content, _ = self.ask("POST", "/v1/recognise", body, **headers)
        return status, json.loads(content)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "run"
    import_weights(FIXTURES / "tiny_slowonly.pth", reference_config("tiny_slowonly"), folder)
    return load_predictor(folder)


@pytest.fixture(scope="module")
def service(predictor):
    running = Running(predictor, eyes=Eyes(Standing(), Standing()))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def clip(service):
    return json.loads(service.ask("GET", "/v1/clips/walk")[1])


def test_a_clip_is_recognised_as_python_does(service, predictor, clip):
    status, answer = service.recognise(clip | {"top": 3})
    size = tuple(clip["frame_size"])
    expected = predictor(np.array(clip["keypoint"]), np.array(clip["score"]), size)
    assert status == 200 and answer["label"] == expected.label and len(answer["classes"]) == 3
    assert answer["classes"][0]["probability"] == pytest.approx(expected.top(1)[0][1], abs=1e-5)


def test_clips_that_come_together_go_together(service, predictor, clip):
    answers, threads = [], []
    before = service.batcher.counts.batches
    for _ in range(12):
        threads.append(threading.Thread(target=lambda: answers.append(service.recognise(clip))))
        threads[-1].start()
    for thread in threads:
        thread.join()
    good = [answer for status, answer in answers if status == 200]
    assert len(good) >= 8 and all(answer == good[0] for answer in good)
    assert {status for status, _ in answers} <= {200, 503}
    assert service.batcher.counts.batches - before < len(good)


def test_it_describes_itself(service):
    document = json.loads(service.ask("GET", "/openapi.json")[1])
    assert document["openapi"].startswith("3.1") and "/v1/recognise" in document["paths"]
    about = json.loads(service.ask("GET", "/v1/model")[1])
    assert about["joints"][0] == "nose" and about["name"] == "tiny"
    assert json.loads(service.ask("GET", "/health")[1])["status"] == "ok"
    status, page, headers = service.ask("GET", "/")
    assert status == 200 and b"<html" in page.lower() and "default-src 'self'" in str(headers)


GOOD = {"keypoint": [[[[1, 2]] * 17] * 4], "frame_size": [10, 20]}
WRONG = [
    (b"\xff\xfe", 400, "no JSON"),
    (b"[" * 100_000, 400, "no JSON"),
    (b"[]", 422, "expected an object"),
    ({"keypoint": []}, 422, "frame_size not given"),
    (GOOD | {"speed": 1}, 422, "unknown: speed"),
    (GOOD | {"top": True}, 422, "whole number"),
    (GOOD | {"frame_size": [0, 5]}, 422, "above 0"),
    (GOOD | {"frame_size": ["1", 5]}, 422, "two numbers"),
    (GOOD | {"keypoint": [[[[1, 2]] * 16] * 4]}, 422, "17"),
    (GOOD | {"keypoint": [[1, 2], [1]]}, 422, "no regular nesting"),
    (GOOD | {"keypoint": {"a": 1}}, 422, "no regular nesting"),
    (GOOD | {"keypoint": "evil"}, 422, "no regular nesting"),
    (GOOD | {"keypoint": [[[[10**400, 2]] * 17] * 4]}, 422, "no regular nesting"),
    (GOOD | {"score": [[[1] * 17] * 3]}, 422, "score"),
    (b" " * 2_100_000, 413, "2,000,000 bytes"),
]


@pytest.mark.parametrize(("body", "status", "reason"), WRONG)
def test_what_is_wrong_is_said(service, body, status, reason):
    found, answer = service.recognise(body)
    assert found == status and reason in answer["error"]


def test_other_addresses_methods_and_hosts(service):
    for method, path, expected in (
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/v1/clips/../../x", 404),
        ("GET", "/v1/clips/flying", 404),
        ("GET", "/v1/recognise", 405),
        ("GET", "/app.py", 404),
    ):
        status, content, _ = service.ask(method, path)
        assert status == expected and json.loads(content)["error"]
    assert service.ask("GET", "/v1/model", Host="evil.example")[0] == 421


def _raw(service, text: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    connection.sendall(text)
    return connection


def test_half_a_request_is_not_waited_for(service):
    body = _raw(
        service, b"POST /v1/recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
    )
    assert b" 408 " in body.recv(4096)
    for half in (b"", b"POST /v1/rec", b"GET / HTTP/1.1\r\nHost: a\r\nX"):
        with _raw(service, half) as connection:
            assert connection.recv(4096) == b""  # closed


def test_slow_uploads_leave_the_service_well(service, clip):
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n{"
    slow = [_raw(service, head) for _ in range(100)]
    assert service.ask("GET", "/health")[0] == 200
    statuses = {connection.recv(4096)[9:12] for connection in slow}
    assert statuses <= {b"408", b"503"} and b"503" in statuses
    assert service.recognise(clip)[0] == 200


def test_a_token_is_asked_for(predictor, clip):
    running = Running(predictor, token="secret")
    try:
        assert running.recognise(clip)[0] == 401
        assert running.recognise(clip, Authorization="Bearer secre")[0] == 401
        assert running.recognise(clip, Authorization="Bearer secret")[0] == 200
        assert running.ask("GET", "/health")[0] == 200
    finally:
        running.stop()


def test_other_machines_need_a_token(tmp_path, monkeypatch):
    monkeypatch.delenv("POSEC3D_TOKEN", raising=False)
    with pytest.raises(ValueError, match="POSEC3D_TOKEN"):
        serve(pytest.fail, host="0.0.0.0")


def test_metrics_count(service):
    text = service.ask("GET", "/metrics")[1].decode()
    assert 'posec3d_answers_total{path="/v1/recognise",status="413"} 1' in text
    assert "posec3d_batches_total" in text and 'le="+Inf"' in text
