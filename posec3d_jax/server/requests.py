"""What comes in: bodies of bounded size and in bounded time, and clips read from JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request

KEYS = {"keypoint", "score", "frame_size", "top"}
MOST_NUMBERS = 2_000_000


class Refused(Exception):
    """A request that is answered with a reason: an HTTP status and words for people."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status, self.reason = status, reason


async def read_body(
    pieces: AsyncIterator[bytes], headers: Mapping[str, str], most: int, seconds: float
) -> bytes:
    """The whole body.

    Raises:
      Refused: it is longer than `most` bytes, or takes longer than that to come.
    """
    body = bytearray()
    async for piece in _bounded(pieces, headers, most, seconds):
        body += piece
    return bytes(body)


async def save_body(request: Request, path: Path, most: int, seconds: float) -> None:
    """The same into a file.

    Raises:
      Refused: as `read_body`; or it is empty, or there is no room on the disk.
    """
    size = 0
    try:
        with open(path, "wb") as file:
            async for piece in _bounded(request.stream(), request.headers, most, seconds):
                size += len(piece)
                await asyncio.to_thread(file.write, piece)
    except OSError as error:
        raise Refused(
            507, f"the video cannot be kept while it is looked at: {error.strerror}"
        ) from (error)
    if not size:
        raise Refused(400, "the body is empty; expected the bytes of a video file")


async def _bounded(
    pieces: AsyncIterator[bytes], headers: Mapping[str, str], most: int, seconds: float
) -> AsyncIterator[bytes]:
    too_long = Refused(413, f"the body may have {most:,} bytes")
    said = headers.get("content-length", "0")
    if said.isdecimal() and int(said) > most:
        raise too_long
    size, end = 0, asyncio.get_running_loop().time() + seconds
    waiting = aiter(pieces)
    while True:
        try:
            async with asyncio.timeout_at(end):
                piece = await anext(waiting)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refused(408, f"the body did not come within {seconds:g} seconds") from None
        size += len(piece)
        if size > most:
            raise too_long
        yield piece


def read_clip(body: bytes) -> tuple[dict[str, Any], int]:
    """keypoint, score (or None) and frame_size for a `Predictor`, and how many classes to name.

    Raises:
      Refused: what the body is, and what was expected.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is no JSON: {str(error)[:200]}") from error
    if not isinstance(content, dict):
        raise Refused(422, "expected an object with keypoint, frame_size and perhaps score")
    if missing := {"keypoint", "frame_size"} - content.keys():
        raise Refused(422, f"{' and '.join(sorted(missing))} not given")
    if unknown := content.keys() - KEYS:
        raise Refused(422, f"unknown: {', '.join(sorted(unknown))[:200]}; known: {sorted(KEYS)}")
    top = content.get("top", 5)
    if not isinstance(top, int) or isinstance(top, bool) or not 1 <= top <= 1000:
        raise Refused(422, "top is how many classes to name: a whole number from 1 to 1000")
    score = content.get("score")
    clip = {
        "keypoint": _numbers(content["keypoint"], "keypoint", (3, 4)),
        "score": None if score is None else _numbers(score, "score", (2, 3)),
        "frame_size": _frame_size(content["frame_size"]),
    }
    return clip, top


def _numbers(value: Any, name: str, dimensions: tuple[int, ...]) -> np.ndarray:
    """A nested list as float32; null is a joint that is missing."""
    try:
        array = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Refused(422, f"{name} is no regular nesting of numbers") from error
    if array.ndim not in dimensions or not 0 < array.size <= MOST_NUMBERS:
        known = " or ".join(map(str, dimensions))
        raise Refused(
            422, f"{name} has shape {array.shape}; expected {known} dimensions, not empty"
        )
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _frame_size(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise Refused(422, "frame_size is [height, width]")
    if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in value):
        raise Refused(422, "frame_size is [height, width], two numbers")
    if not all(0 < n < 1e6 for n in value):
        raise Refused(422, "frame_size is [height, width] in pixels, each above 0")
    return float(value[0]), float(value[1])
