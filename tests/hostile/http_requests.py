"""Requests to the service made at random, and the service within this process that answers them."""

import asyncio
import importlib.util
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posec3d_jax.predict import load_predictor
from posec3d_jax.weights import import_weights
from tests.hostile.mutations import change_bytes, change_value
from tests.reference import FIXTURES, reference_config

INSTALLED = importlib.util.find_spec("starlette") is not None
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "\0", "get")
PATHS = ("/", "/health", "/metrics", "/openapi.json", "/v1/model", "/v1/clips", "/v1/recognise")
PATHS += ("/../../etc/passwd", "/%2e%2e/%2fetc/passwd", "//", "/v1/clips/", "/v1/clips/../x", "/\0")
PATHS += ("/v1/clips/%s" % ("x" * 3000), "/app.js", "/page/index.html", "/é", "/v1/recognise/")
HEADERS = (b"content-length", b"content-type", b"host", b"authorization", b"transfer-encoding")
HEADERS += (b"content-encoding", b"expect", b"range", b"x" * 3000)
VALUES = (b"", b"-1", b"99999999999999999999", b"gzip", b"chunked", b"\xff\xfe", b"localhost")
VALUES += (b"application/x-www-form-urlencoded", b"bytes=0-", b"x" * 5000, b"\n", b"1e9")


class Asked(NamedTuple):
    method: str
    path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Service:
    """The service of a tiny network; `ask` is one request to it."""

    def __init__(self, folder: Path):
        from posec3d_jax.server.app import Limits, make_app
        from posec3d_jax.server.batching import Batcher

        run = folder / "served"
        import_weights(FIXTURES / "tiny_slowonly.pth", reference_config("tiny_slowonly"), run)
        predictor = load_predictor(run)
        limits = Limits(body=300_000, upload=1.0, answer=20.0)
        batcher = Batcher(predictor.scores, sizes=(1,))
        self._app = make_app(predictor, name="tiny", limits=limits, batcher=batcher)
        self._loop, self._lives = asyncio.new_event_loop(), asyncio.Queue()
        points = np.random.default_rng(0).uniform(5, 95, (1, 3, predictor.skeleton.num_joints, 2))
        self.clip = dict(keypoint=points.tolist(), frame_size=[100, 120], top=2)
        self._loop.run_until_complete(self._start())
        for path in PATHS[:6]:  # the libraries import some things only when they are needed
            self.ask(Asked("GET", path, [], b""))
        self.ask(Asked("HEAD", "/app.js", [], b""))
        self.ask(Asked("POST", "/v1/recognise", [], json.dumps(self.clip).encode()))

    async def _start(self) -> None:
        started = asyncio.Event()

        async def send(message) -> None:
            assert message["type"].endswith(".complete"), message
            started.set()

        await self._lives.put({"type": "lifespan.startup"})
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        self._life = self._loop.create_task(self._app(scope, self._lives.get, send))
        await started.wait()

    def close(self) -> None:
        """Ends the service as its server would."""
        self._lives.put_nowait({"type": "lifespan.shutdown"})
        self._loop.run_until_complete(self._life)
        self._loop.close()

    def requests(self, rng: random.Random, count: int) -> Iterator[Asked]:
        """`count` of them, most to what recognises, with a clip that is not as it should be."""
        for _ in range(count):
            headers = [(rng.choice(HEADERS), rng.choice(VALUES)) for _ in range(rng.randint(0, 2))]
            body = json.dumps(self.clip).encode()
            if rng.random() < 0.5:
                body = _dumped(change_value(rng, self.clip, "json"))
            if rng.random() < 0.4:
                body = change_bytes(rng, body)
            if rng.random() < 0.03:
                body = rng.choice((b"[" * 100_000, b"", b"\x1f\x8b", b"x" * 400_000, b"1" * 5000))
            if rng.random() < 0.8:
                yield Asked("POST", "/v1/recognise", headers, body)
            else:
                yield Asked(rng.choice(METHODS), rng.choice(PATHS), headers, body)

    def ask(self, request: Asked) -> None:
        """Asks, and waits for the answer.

        Raises:
          ValueError: it is refused, with this reason.
          AssertionError: the service failed, or gave no reason.
        """
        status, content = self._loop.run_until_complete(self._answer(request))
        if status < 400:
            return
        if status >= 500 and status != 503:
            raise AssertionError(f"{status}: {content[:300]!r}")
        if request.method == "HEAD":  # whose answers have no body
            raise ValueError(str(status))
        raise ValueError(json.loads(content)["error"])

    async def _answer(self, request: Asked) -> tuple[int, bytes]:
        path, given, parts = request.path, [request.body], []
        scope = {
            **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1"},
            **{"method": request.method, "path": path, "raw_path": path.encode()},
            **{"query_string": b"", "root_path": "", "scheme": "http", "headers": request.headers},
            **{"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)},
        }

        async def receive():
            if given:
                return {"type": "http.request", "body": given.pop(), "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message) -> None:
            parts.append(message)

        await self._app(scope, receive, send)
        body = b"".join(part.get("body", b"") for part in parts[1:])
        return parts[0]["status"], body


def _dumped(value) -> bytes:
    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError):  # what cannot be written cannot be sent
        return b"null"
