"""The service's addresses, and what each answers."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from posec3d_jax.predict import Predictor
from posec3d_jax.server.batching import Batcher, Busy
from posec3d_jax.server.metrics import Metrics
from posec3d_jax.server.openapi import describe
from posec3d_jax.server.requests import Refused, read_body, read_clip
from posec3d_jax.server.samples import sample, sample_names

PAGE = Path(__file__).with_name("page")
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; script-src 'self' 'wasm-unsafe-eval'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Limits:
    """How much is taken on, and for how long."""

    body: int = 8 << 20  # bytes
    upload: float = 15.0  # seconds for a body to come
    answer: float = 30.0  # seconds from the body to its answer
    uploads: int = 64  # at once; more are asked to come back


@dataclass(frozen=True)
class Service:
    """Everything that requests share."""

    predictor: Predictor
    batcher: Batcher
    metrics: Metrics
    limits: Limits
    token: str  # '' for none
    hosts: frozenset[str]  # names under which the service may be asked; empty: any
    about: dict[str, Any]  # the model
    places: asyncio.Semaphore


def make_app(
    predictor: Predictor,
    *,
    name: str = "",
    token: str = "",
    hosts: frozenset[str] = frozenset(),
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    batcher: Batcher | None = None,
) -> Starlette:
    """The service of one network.

    Args:
      predictor: of the network; compiled here, for every size of a batch.
      name: shown to people.
      token: what `Authorization: Bearer` must say; '' asks for none.
      hosts: names that the Host header may have; empty for any.
      limits: see `Limits`.
      batcher: '' for one of the usual sizes.
    """
    batcher = batcher or Batcher(predictor.scores)
    metrics, places = Metrics(), asyncio.Semaphore(limits.uploads)
    about = _about(predictor, name)
    service = Service(predictor, batcher, metrics, limits, token, hosts, about, places)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette):
        await asyncio.to_thread(batcher.warm_up, _empty_clip(predictor))
        worker = asyncio.create_task(batcher.work())
        yield
        worker.cancel()

    routes = [
        Route("/", _answer(partial(_page, "index.html"))),
        *(Route(f"/{path.name}", _answer(partial(_page, path.name))) for path in _pages()),
        Route("/health", _answer(lambda _: JSONResponse({"status": "ok"}))),
        Route("/metrics", _answer(lambda _: PlainTextResponse(metrics.text(batcher)))),
        Route("/openapi.json", _answer(lambda _: JSONResponse(describe(about, limits)))),
        Route("/v1/model", _answer(lambda _: JSONResponse(about))),
        Route("/v1/clips", _answer(lambda _: JSONResponse(sample_names()))),
        Route("/v1/clips/{name}", _answer(lambda request: JSONResponse(_sample(request)))),
        Route("/v1/recognise", partial(_recognise, service), methods=["POST"]),
    ]
    handlers = {Refused: _refused, Busy: _busy, ValueError: _invalid, 404: _nothing, 405: _wrong}
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(_Door, service=service)],
        exception_handlers=handlers | {ClientDisconnect: _gone, Exception: _fault},
    )


async def _recognise(service: Service, request: Request) -> Response:
    """A clip's classes."""
    started, limits = time.monotonic(), service.limits
    if service.places.locked():
        raise Busy(f"{limits.uploads} clips are on their way already")
    async with service.places:
        body = await read_body(request.stream(), request.headers, limits.body, limits.upload)
        clip, top = await asyncio.to_thread(read_clip, body)
        batch, warnings = await asyncio.to_thread(service.predictor.prepare, **clip)
        try:
            async with asyncio.timeout(limits.answer):
                scores = await service.batcher(batch)
        except TimeoutError:
            raise Busy(f"no answer within {limits.answer:g} seconds") from None
    service.metrics.took(time.monotonic() - started)
    found = service.predictor.prediction(scores, warnings)
    classes = [{"name": name, "probability": round(p, 6)} for name, p in found.top(top)]
    answer = {"label": found.label, "name": found.class_name, "classes": classes}
    return JSONResponse(answer | {"warnings": list(warnings)})


class _Door:
    """Who may come in, what is counted, and what every answer says to browsers."""

    def __init__(self, app: Callable, service: Service):
        self._app, self._service = app, service

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request, service = Request(scope), self._service

        async def sending(message):
            if message["type"] == "http.response.start":
                path = "/v1/recognise" if request.url.path == "/v1/recognise" else "other"
                service.metrics.answers[path, message["status"]] += 1
                message["headers"] += [(k.lower().encode(), v.encode()) for k, v in _SAFE.items()]
            await send(message)

        refusal = _turned_away(request, service)
        await (refusal or self._app)(scope, receive, sending)


def _turned_away(request: Request, service: Service) -> Response | None:
    """An answer for those who may not come in; None for those who may."""
    host = request.headers.get("host", "").rsplit(":", 1)[0].strip("[]")
    if service.hosts and host not in service.hosts:
        return _error(421, f"this service is not {host!r:.100}")
    if service.token and request.url.path.startswith(("/v1/", "/metrics")):
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), service.token.encode()):
            return _error(401, "expected the header 'Authorization: Bearer TOKEN'")
    return None


def _error(status: int, reason: str, **headers: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status, headers=headers)


async def _refused(request: Request, error: Refused) -> Response:
    return _error(error.status, error.reason)


async def _busy(request: Request, error: Busy) -> Response:
    return _error(503, f"{error}; try again in a second", **{"Retry-After": "1"})


async def _invalid(request: Request, error: ValueError) -> Response:
    return _error(422, str(error)[:1000])


async def _nothing(request: Request, error: Exception) -> Response:
    return _error(404, "there is nothing at this address; /openapi.json lists what there is")


async def _wrong(request: Request, error: Exception) -> Response:
    return _error(405, "this address is asked with another method; see /openapi.json")


async def _gone(request: Request, error: Exception) -> Response:
    return _error(400, "the connection ended before the body did")


async def _fault(request: Request, error: Exception) -> Response:
    return _error(500, "the service failed on this request; its log says how")


def _answer(function: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Answered in the event loop at once, however many uploads keep the threads busy."""

    async def endpoint(request: Request) -> Response:
        return function(request)

    return endpoint


def _pages() -> list[Path]:
    """The files of the page."""
    return sorted(path for path in PAGE.iterdir() if path.suffix in _KINDS)


def _page(name: str, request: Request) -> Response:
    path = PAGE / name
    return FileResponse(path, media_type=_KINDS[path.suffix])


def _sample(request: Request) -> dict[str, Any]:
    try:
        return sample(request.path_params["name"])
    except KeyError:
        raise Refused(404, "no built-in clip has this name; /v1/clips lists them") from None


def _about(predictor: Predictor, name: str) -> dict[str, Any]:
    skeleton = predictor.skeleton
    return {
        "name": name,
        "classes": list(predictor.class_names),
        "layout": skeleton.name,
        "joints": list(skeleton.joints),
        "limbs": [list(limb) for limb in skeleton.limbs],
        "persons": predictor.max_persons,
    }


def _empty_clip(predictor: Predictor) -> dict[str, np.ndarray]:
    joints = predictor.skeleton.num_joints
    keypoint = np.ones((1, 4, joints, 2), np.float32)
    return predictor.prepare(keypoint, None, (16, 16))[0]
