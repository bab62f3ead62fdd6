"""What went wrong with a request, as an answer: a status and a reason for people."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from posec3d_jax.server.batching import Busy
from posec3d_jax.server.requests import Refused


def error(status: int, reason: str, **headers: str) -> JSONResponse:
    """The answer with that reason."""
    return JSONResponse({"error": reason}, status, headers=headers)


async def _refused(request: Request, fault: Refused) -> JSONResponse:
    return error(fault.status, fault.reason)


async def _busy(request: Request, fault: Busy) -> JSONResponse:
    return error(503, f"{fault}; try again in a second", **{"Retry-After": "1"})


async def _invalid(request: Request, fault: ValueError) -> JSONResponse:
    return error(422, str(fault)[:1000])


async def _nothing(request: Request, fault: Exception) -> JSONResponse:
    return error(404, "there is nothing at this address; /openapi.json lists what there is")


async def _wrong(request: Request, fault: Exception) -> JSONResponse:
    return error(405, "this address is asked with another method; see /openapi.json")


async def _gone(request: Request, fault: Exception) -> JSONResponse:
    return error(400, "the connection ended before the body did")


async def _fault(request: Request, fault: Exception) -> JSONResponse:
    return error(500, "the service failed on this request; its log says how")


HANDLERS = {
    Refused: _refused,
    Busy: _busy,
    ValueError: _invalid,
    404: _nothing,
    405: _wrong,
    ClientDisconnect: _gone,
    Exception: _fault,
}
