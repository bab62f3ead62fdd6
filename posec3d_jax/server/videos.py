"""`POST /v1/videos`: a video comes in, who does what from when to when goes out as it is found."""

import asyncio
import json
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from posec3d_jax.server.batching import Busy
from posec3d_jax.server.labelling import Line, Shared, label_video
from posec3d_jax.server.queries import Asked, read_asked
from posec3d_jax.server.requests import Refused, save_body
from posec3d_jax.server.service import Service

LINES = "application/x-ndjson"
_WAITING = 64  # lines that a slow reader may be behind
_LOOK = 1.0  # seconds between two looks whether the reader is still there


class Videos:
    """The address itself (ASGI): it answers while the video is still being looked at."""

    def __init__(self, service: Service):
        self._service = service

    async def __call__(self, scope, receive, send) -> None:
        request, service = Request(scope, receive), self._service
        if request.method != "POST":
            raise Refused(405, "a video is sent with POST; see /openapi.json")
        if service.eyes.video is None:
            raise Refused(501, f"videos are not looked at here: {service.eyes.lacking}")
        asked = read_asked(request.query_params)
        if service.video_places.locked():
            raise Busy(f"{service.limits.videos} videos are on their way already")
        async with service.video_places:
            with tempfile.TemporaryDirectory(prefix="posec3d-") as folder:
                path = Path(folder) / "video"
                await save_body(request, path, service.limits.video, service.limits.video_upload)
                async with service.turn:
                    if await request.is_disconnected():
                        return
                    last = await self._answer(request, asked, path, send)
        await last(scope, receive, send)  # who has the whole answer can rely on the video's end

    async def _answer(self, request: Request, asked: Asked, path: Path, send) -> ASGIApp:
        """Sends what is found as it is found; what is left to send when the video is deleted."""
        async with aclosing(self._lines(request, asked, path)) as lines:
            if LINES not in request.headers.get("accept", ""):
                return JSONResponse(await _collected(lines))
            headers = [(b"content-type", LINES.encode()), (b"x-accel-buffering", b"no")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for line in lines:
                body = json.dumps(line).encode() + b"\n"
                await send({"type": "http.response.body", "body": body, "more_body": True})
        return _end_of_lines

    async def _lines(self, request: Request, asked: Asked, path: Path) -> AsyncIterator[Line]:
        """What is found, from a thread of its own; the last line is an end or an error."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        found: asyncio.Queue[Line | None] = asyncio.Queue(_WAITING)

        shared = Shared(self._service.predictor, self._service.batcher, loop, stop)

        def tell(line: Line | None) -> None:
            asyncio.run_coroutine_threadsafe(found.put(line), loop).result()

        def work() -> None:
            try:
                label_video(self._service, shared, path, asked, tell)
            except ValueError as error:  # a VideoError among them
                tell({"error": str(error)[:1000]})
            finally:
                tell(None)

        working = asyncio.create_task(asyncio.to_thread(work))
        try:
            while not await request.is_disconnected():
                try:
                    line = await asyncio.wait_for(found.get(), _LOOK)
                except TimeoutError:
                    continue
                if line is None:
                    break
                yield line
        finally:
            stop.set()
            while not working.done():  # whatever it still has to say, it must not wait for us
                while not found.empty():
                    found.get_nowait()
                await asyncio.sleep(0.01)
        await working


async def _end_of_lines(scope, receive, send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _collected(lines: AsyncIterator[Line]) -> Line:
    """All of it in one answer.

    Raises:
      Refused: the video cannot be used.
    """
    content: Line = {"events": []}
    async for line in lines:
        if "error" in line:
            raise Refused(422, line["error"])
        if "event" in line:
            content["events"].append(line["event"])
        if "frame" in line:
            content.setdefault("frames", []).append(line["frame"])
        content |= line.get("video", {}) | line.get("end", {})
    return content
