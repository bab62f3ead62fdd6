"""The service's addresses, and what each answers."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from posec3d_jax.data.simulation.samples import sample, sample_names
from posec3d_jax.predict import Predictor
from posec3d_jax.server.batching import Batcher
from posec3d_jax.server.door import Door
from posec3d_jax.server.faults import HANDLERS
from posec3d_jax.server.metrics import Metrics
from posec3d_jax.server.openapi import describe
from posec3d_jax.server.pictures import draw_volume, find_poses
from posec3d_jax.server.requests import Refused, read_body, read_clip
from posec3d_jax.server.service import Eyes, Limits, Service, about
from posec3d_jax.server.videos import Videos

PAGE = Path(__file__).resolve().parents[1] / "page"
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def make_app(
    predictor: Predictor,
    *,
    name: str = "",
    token: str = "",
    hosts: frozenset[str] = frozenset(),
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    eyes: Eyes = Eyes(lacking="no pose estimator was given"),  # noqa: B008
    batcher: Batcher | None = None,
) -> Starlette:
    """The service of one network.

    Args:
      predictor: of the network; compiled here, for every size of a batch.
      name: shown to people.
      token: what `Authorization: Bearer` must say; '' asks for none.
      hosts: names that the Host header may have; empty for any.
      limits: see `Limits`.
      eyes: find people in videos and pictures; without them only keypoints are taken.
      batcher: None for one of the usual sizes.
    """
    batcher = batcher or Batcher(predictor.scores)
    facts, places = about(predictor, name, eyes), asyncio.Semaphore(limits.uploads)
    videos = asyncio.Semaphore(limits.videos)
    service = Service(
        predictor, batcher, Metrics(), limits, eyes, token, hosts, facts, places, videos
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette):
        await asyncio.to_thread(batcher.warm_up, _empty_clip(predictor))
        worker = asyncio.create_task(batcher.work())
        yield
        worker.cancel()
        service.looking.shutdown(wait=False, cancel_futures=True)

    return Starlette(
        routes=_routes(service),
        lifespan=lifespan,
        middleware=[Middleware(Door, service=service)],
        exception_handlers=HANDLERS,
    )


def _routes(service: Service) -> list[Route]:
    facts, batcher = service.about, service.batcher
    described = describe(facts, service.limits)
    return [
        Route("/", _answer(partial(_page, "index.html"))),
        *(Route(f"/{path.name}", _answer(partial(_page, path.name))) for path in _pages()),
        Route("/health", _answer(lambda _: JSONResponse(_health(service)))),
        Route("/metrics", _answer(lambda _: PlainTextResponse(service.metrics.text(batcher)))),
        Route("/openapi.json", _answer(lambda _: JSONResponse(described))),
        Route("/v1/model", _answer(lambda _: JSONResponse(facts))),
        Route("/v1/clips", _answer(lambda _: JSONResponse(sample_names()))),
        Route("/v1/clips/{name}", _answer(lambda request: JSONResponse(_sample(request)))),
        Route("/v1/recognise", partial(_recognise, service), methods=["POST"]),
        Route("/v1/volume", partial(draw_volume, service), methods=["POST"]),
        Route("/v1/poses", partial(find_poses, service), methods=["POST"]),
        Route("/v1/videos", Videos(service)),
    ]


async def _recognise(service: Service, request: Request) -> Response:
    """A clip's classes."""
    started, limits = time.monotonic(), service.limits
    async with service.place():
        body = await read_body(request.stream(), request.headers, limits.body, limits.upload)
        clip, top = await asyncio.to_thread(read_clip, body)
        batch, warnings = await asyncio.to_thread(service.predictor.prepare, **clip)
        scores = await service.in_time(service.batcher(batch))
    service.metrics.took(time.monotonic() - started)
    found = service.predictor.prediction(scores, warnings)
    classes = [{"name": name, "probability": round(p, 6)} for name, p in found.top(top)]
    answer = {"label": found.label, "name": found.class_name, "classes": classes}
    return JSONResponse(answer | {"warnings": list(warnings)})


def _health(service: Service) -> dict[str, Any]:
    waiting = service.batcher.waiting
    return {"status": "ok", "waiting_clips": waiting, "looking_at_a_video": service.turn.locked()}


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


def _empty_clip(predictor: Predictor) -> dict[str, np.ndarray]:
    joints = predictor.skeleton.num_joints
    keypoint = np.ones((1, 4, joints, 2), np.float32)
    return predictor.prepare(keypoint, None, (16, 16))[0]
