"""`POST /v1/poses` and `/v1/volume`: who is in a picture, and what the network is shown of a clip.

A picture comes as raw pixels, which no decoder has to read.
"""

import asyncio
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from posec3d_jax.poses.estimator import Estimator
from posec3d_jax.server.queries import read_size
from posec3d_jax.server.requests import Refused, read_body, read_clip
from posec3d_jax.server.service import Service

_FAINT = 0.08  # of the brightest: voxels below it are left out
_MOST_VOXELS = 30_000


async def find_poses(service: Service, request: Request) -> Response:
    """The people in a picture, for pages that look through a camera."""
    eyes, limits = service.eyes, service.limits
    if eyes.camera is None:
        raise Refused(501, f"pictures are not looked at here: {eyes.lacking}")
    height, width = read_size(request.query_params)
    async with service.place():
        body = await read_body(request.stream(), request.headers, limits.body, limits.upload)
        if len(body) != height * width * 4:
            raise Refused(
                422,
                f"the body has {len(body):,} bytes; expected {height} x {width} pixels of red, "
                f"green, blue and opacity, {height * width * 4:,} bytes",
            )
        image = np.frombuffer(body, np.uint8).reshape(height, width, 4)[..., :3]
        persons = await service.look(_look, eyes.camera, image)
    return JSONResponse({"persons": persons, "joints": list(eyes.camera.skeleton.joints)})


def _look(estimator: Estimator, image: np.ndarray) -> list[dict[str, Any]]:
    people = estimator(np.ascontiguousarray(image))
    keypoint, score = (array.astype(float) for array in (people.keypoint, people.score))
    rows = zip(keypoint.round(1).tolist(), score.round(3).tolist(), strict=True)
    return [{"keypoint": joints, "score": scores} for joints, scores in rows]


async def draw_volume(service: Service, request: Request) -> Response:
    """The heatmap volume of a clip, as the network gets it: its voxels that are not dark."""
    if not service.predictor.has_volume:
        raise Refused(501, "this network is not shown a volume")
    limits = service.limits
    async with service.place():
        body = await read_body(request.stream(), request.headers, limits.body, limits.upload)
        clip, _ = await asyncio.to_thread(read_clip, body)
        batch, _ = await asyncio.to_thread(service.predictor.prepare, **clip)
        volume = await service.look(service.predictor.volume, batch)
    shape = [int(length) for length in volume.shape]
    return JSONResponse({"shape": shape, "voxels": voxels(volume)})


def voxels(volume: np.ndarray) -> list[int]:
    """(t, y, x, channel, brightness 0 to 255) of each voxel of [T, H, W, C] that is not dark."""
    brightest = max(float(volume.max()), 1e-6)
    bright = volume / brightest
    at = np.argwhere(bright > _FAINT)
    values = bright[tuple(at.T)]
    if len(at) > _MOST_VOXELS:
        kept = np.sort(np.argsort(-values, kind="stable")[:_MOST_VOXELS])
        at, values = at[kept], values[kept]
    return np.column_stack([at, (255 * values).round()]).astype(int).ravel().tolist()
