"""What all requests share: the network, who finds people in pictures, limits, counts and places."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from posec3d_jax.poses.estimator import Estimator
from posec3d_jax.predict import Predictor
from posec3d_jax.server.batching import Batcher, Busy
from posec3d_jax.server.metrics import Metrics
from posec3d_jax.video.sandbox import Bounds


@dataclass(frozen=True)
class Limits:
    """How much is taken on, and for how long."""

    body: int = 8 << 20  # bytes of a clip of keypoints or a picture
    upload: float = 15.0  # seconds for one of these to come
    answer: float = 30.0  # seconds from the body to its answer
    uploads: int = 64  # at once; more are asked to come back
    video: int = 256 << 20  # bytes
    video_upload: float = 120.0  # seconds
    videos: int = 4  # at once, those included that wait for the one that is worked on
    bounds: Bounds = Bounds()  # of a video's decoding


@dataclass(frozen=True)
class Eyes:
    """Pose estimators; or, where there are none, why, for people."""

    video: Estimator | None = None
    camera: Estimator | None = None
    lacking: str = ""


@dataclass(frozen=True)
class Service:
    """Everything that requests share."""

    predictor: Predictor
    batcher: Batcher
    metrics: Metrics
    limits: Limits
    eyes: Eyes
    token: str  # '' for none
    hosts: frozenset[str]  # names under which the service may be asked; empty: any
    about: dict[str, Any]  # the model
    places: asyncio.Semaphore  # of clips and pictures
    video_places: asyncio.Semaphore
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # of the video that is worked on
    looking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "looking"))

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places for clips and pictures, while the context lasts.

        Raises:
          Busy: all are taken.
        """
        if self.places.locked():
            raise Busy(f"{self.limits.uploads} clips are on their way already")
        async with self.places:
            yield

    async def look(self, function: Callable, *arguments: Any) -> Any:
        """Calls it in the one thread that looks at pictures; Busy where that takes too long."""
        loop = asyncio.get_running_loop()
        return await self.in_time(loop.run_in_executor(self.looking, function, *arguments))

    async def in_time(self, answer: Any) -> Any:
        """Waits for it, but no longer than an answer may take.

        Raises:
          Busy: there was none in that time.
        """
        try:
            async with asyncio.timeout(self.limits.answer):
                return await answer
        except TimeoutError:
            raise Busy(f"no answer within {self.limits.answer:g} seconds") from None


def about(predictor: Predictor, name: str, eyes: Eyes) -> dict[str, Any]:
    """The model, and what is taken, as JSON."""
    skeleton = predictor.skeleton
    found = set(eyes.video.skeleton.joints) if eyes.video else set()
    return {
        "name": name,
        "classes": list(predictor.class_names),
        "layout": skeleton.name,
        "joints": list(skeleton.joints),
        "limbs": [list(limb) for limb in skeleton.limbs],
        "persons": predictor.max_persons,
        "volume": predictor.has_volume,
        "videos": bool(eyes.video),
        "no_videos_because": eyes.lacking,
        "joints_not_found": [j for j in skeleton.joints if eyes.video and j not in found],
    }
