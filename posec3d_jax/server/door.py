"""Who may come in, what is counted, and what every answer says to browsers."""

import hmac
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from posec3d_jax.server.faults import error
from posec3d_jax.server.service import Service

_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; script-src 'self' 'wasm-unsafe-eval'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _SAFE.items()]
_COUNTED = frozenset({"/v1/recognise", "/v1/videos", "/v1/poses", "/v1/volume"})


class Door:
    """Stands before every address (ASGI)."""

    def __init__(self, app: Callable, service: Service):
        self._app, self._service = app, service

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request, service = Request(scope), self._service
        path = scope["path"] if scope["path"] in _COUNTED else "other"

        async def sending(message):
            if message["type"] == "http.response.start":
                service.metrics.answers[path, message["status"]] += 1
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        refusal = _turned_away(request, service)
        await (refusal or self._app)(scope, receive, sending)


def _turned_away(request: Request, service: Service) -> Response | None:
    """An answer for those who may not come in; None for those who may."""
    host = request.headers.get("host", "").rsplit(":", 1)[0].strip("[]")
    if service.hosts and host not in service.hosts:
        return error(421, f"this service is not {host!r:.100}")
    if service.token and request.url.path.startswith(("/v1/", "/metrics")):
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), service.token.encode()):
            return error(401, "expected the header 'Authorization: Bearer TOKEN'")
    return None
