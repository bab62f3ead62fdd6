"""A video's labels for the service: decoded in a sandbox, followed, recognised in batches."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.poses.following import Follower
from posec3d_jax.poses.sources import pose_frame
from posec3d_jax.predict import Prediction, Predictor
from posec3d_jax.recognise import Labelled, Recogniser
from posec3d_jax.server.batching import Batcher, Busy
from posec3d_jax.server.queries import Asked
from posec3d_jax.server.service import Service
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.video.decoding import Frame
from posec3d_jax.video.opening import VideoError
from posec3d_jax.video.sandbox import SandboxedVideo, decoded_in_sandbox
from posec3d_jax.video.windows import EVERYBODY, PoseFrame, PoseStream

Line = dict[str, Any]
_PAUSE = 0.05  # seconds until a full queue is asked again


@dataclass(frozen=True)
class Shared:
    """A predictor for a thread whose clips go into the batches of all requests.

    Has what a `Recogniser` asks of a `Predictor`.
    """

    predictor: Predictor
    batcher: Batcher
    loop: asyncio.AbstractEventLoop
    stop: threading.Event  # set when nobody waits for the answer any more

    @property
    def needs_frames(self) -> bool:
        return self.predictor.needs_frames

    @property
    def skeleton(self) -> Skeleton:
        return self.predictor.skeleton

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.predictor.class_names

    @property
    def max_persons(self) -> int:
        return self.predictor.max_persons

    def __call__(self, keypoint: np.ndarray, score: np.ndarray, frame_size) -> Prediction:
        """As a `Predictor`; waits for a place in the queue."""
        batch, warnings = self.predictor.prepare(keypoint, score, frame_size)
        while True:
            try:
                waiting = asyncio.run_coroutine_threadsafe(self.batcher(batch), self.loop)
                return self.predictor.prediction(waiting.result(), warnings)
            except Busy:
                self.stop.wait(_PAUSE)
                self.go_on()

    def go_on(self) -> None:
        """Raises VideoError where nobody waits for the answer any more."""
        if self.stop.is_set():
            raise VideoError("nobody waits for the answer any more")


def label_video(
    service: Service, shared: Shared, path: Path, asked: Asked, tell: Callable[[Line], None]
) -> None:
    """Looks at a video and tells what is found, line by line, each a dict with one key.

    `video` is about the video; `frame` whom one frame shows and `window` what somebody seems to do
    in some seconds, where details are asked for; `event` who did what from when to when, as soon
    as it is over; `end` how much it was.

    Raises:
      VideoError: the video cannot be used, or takes too much; or nobody waits any more.
    """
    recogniser = Recogniser(shared, window=asked.window, step=asked.step, whole=asked.whole)
    started, count = time.monotonic(), 0

    def followed(frames: Iterable[Frame]) -> Iterator[PoseFrame]:
        nonlocal count
        for frame in frames:
            shared.go_on()
            poses, count = pose_frame(follower, frame), count + 1
            if asked.details:
                tell({"frame": _frame(poses)})
            yield poses

    def tell_window(found: Labelled) -> None:
        if asked.details:
            tell({"window": _window(found, shared)})

    with decoded_in_sandbox(path, service.limits.bounds) as video:
        follower = Follower(service.eyes.video)
        joints = follower.skeleton.joints
        tell({"video": _facts(video, follower.skeleton, recogniser.lacking(joints))})
        stream = PoseStream(joints, video.size, followed(video.frames))
        for event in recogniser(stream, tell_window):
            tell({"event": event.to_dict()})
    seconds = time.monotonic() - started
    service.metrics.looked(count, seconds)
    tell({"end": {"frames_seen": count, "seconds": round(seconds, 3)}})


def _facts(video: SandboxedVideo, skeleton: Skeleton, lacking: list[str]) -> Line:
    return {
        "size": list(video.size),
        "full_size": list(video.full_size),
        "rate": round(video.rate, 3),
        "duration": round(video.duration, 3),
        "joints": list(skeleton.joints),
        "limbs": [list(limb) for limb in skeleton.limbs],
        "joints_not_found": lacking,
    }


def _frame(poses: PoseFrame) -> Line:
    return {
        "time": round(poses.time, 3),
        "persons": poses.ids.tolist(),
        "keypoint": poses.keypoint.astype(float).round(1).tolist(),
        "score": poses.score.astype(float).round(3).tolist(),
    }


def _window(found: Labelled, shared: Shared) -> Line:
    window, said = found.window, shared.predictor.prediction(found.scores)
    person = None if window.track == EVERYBODY else window.track
    classes = [{"name": name, "probability": round(p, 4)} for name, p in said.top(3)]
    times = {"start": round(window.start, 3), "end": round(window.end, 3)}
    return times | {"person": person, "classes": classes}
