"""A video with what was recognised drawn on it: skeletons, tracks, labels and scores."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from posec3d_jax.files.disk import replacing
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.video.decoding import decode
from posec3d_jax.video.events import Event
from posec3d_jax.video.windows import PoseFrame, PoseStream

LONGEST_SIDE = 1280  # pixels of the overlay; larger videos are shrunk
COLORS = ("#56b4e9", "#e69f00", "#2ec27e", "#ff7ac6", "#f0e442", "#ff6b3d", "#b39ddb", "#ffffff")
_CLOCK = Fraction(1, 10_000)  # seconds a tick: exact enough for variable frame rates
_SEEN = 0.1  # least score of a joint that is drawn


def write_overlay(
    stream: PoseStream,
    out: Path,
    frames: Iterable[PoseFrame],
    events: Sequence[Event],
    skeleton: Skeleton,
) -> int:
    """Writes an H.264 video with the frames' times, whole or not at all; returns how many frames.

    Args:
      stream: what was labelled; its video is read again.
      out: file to write, .mp4.
      frames: the stream's, once more.
      events: of the whole video.
      skeleton: whose limbs to draw; joints in the stream's order.
    """
    import av

    scale = min(1.0, LONGEST_SIDE / max(stream.frame_size))
    height, width = (max(2, round(side * scale / 2) * 2) for side in stream.frame_size)
    ratio = np.array([width, height]) / stream.frame_size[::-1]
    pen = _Pen(skeleton, ratio, max(1, height // 240))
    shown = _Shown(events)
    count = 0
    with replacing(out) as partial, av.open(str(partial), "w", format="mp4") as container:
        track = container.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        track.codec_context.time_base = _CLOCK
        pictures = decode(stream.video, every=stream.every, size=(height, width))
        for picture, poses in zip(pictures, frames, strict=False):
            image = Image.fromarray(picture.image)
            pen.draw(image, poses, shown.at(poses.time))
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = round(picture.time / _CLOCK), _CLOCK
            for packet in track.encode(frame):
                container.mux(packet)
            count += 1
        for packet in track.encode():
            container.mux(packet)
    return count


class _Shown:
    """The events at a time, for times that grow."""

    def __init__(self, events: Sequence[Event]):
        self._coming = sorted(events, key=lambda event: -event.start)
        self._now: list[Event] = []

    def at(self, time: float) -> dict[int | None, Event]:
        """By person."""
        while self._coming and self._coming[-1].start <= time + 1e-6:
            self._now.append(self._coming.pop())
        self._now = [event for event in self._now if event.end >= time - 1e-6]
        return {event.person: event for event in self._now}


class _Pen:
    """Draws a frame's persons and labels."""

    def __init__(self, skeleton: Skeleton, scale: np.ndarray, width: int):
        self._limbs, self._scale, self._width = skeleton.limbs, scale, width
        self._font = ImageFont.load_default(size=9 + 4 * width)

    def draw(self, image: Image.Image, poses: PoseFrame, labels: dict[int | None, Event]) -> None:
        canvas = ImageDraw.Draw(image)
        for keypoint, score, person in zip(poses.keypoint, poses.score, poses.ids, strict=True):
            color = COLORS[int(person) % len(COLORS)]
            points, seen = keypoint * self._scale, score > _SEEN
            self._skeleton(canvas, points, seen, color)
            event = labels.get(int(person))
            said = f" {event.class_name} {event.score:.2f}" if event else ""
            if seen.any():
                left, top = points[seen].min(axis=0)
                self._text(canvas, f"{int(person) + 1}{said}", left, top, color)
        if None in labels:
            event = labels[None]
            self._text(canvas, f"{event.class_name} {event.score:.2f}", 4, 24 + 8 * self._width)

    def _skeleton(self, canvas, points: np.ndarray, seen: np.ndarray, color: str) -> None:
        for a, b in self._limbs:
            if seen[a] and seen[b]:
                canvas.line([*points[a], *points[b]], fill=color, width=2 * self._width)
        r = self._width + 0.5
        for x, y in points[seen]:
            canvas.ellipse([x - r, y - r, x + r, y + r], fill=color)

    def _text(self, canvas, text: str, x: float, y: float, color: str = COLORS[-1]) -> None:
        """Text on a dark ground whose lower left corner is at (x, y), inside the picture."""
        left, top, right, bottom = canvas.textbbox((0, 0), text, font=self._font)
        width, height = canvas.im.size
        x = min(max(x, 0), max(width - right - 4, 0))
        y = min(max(y - bottom - 6, 0), max(height - bottom - 4, 0))
        canvas.rectangle([x, y, x + right + 4, y + bottom + 4], fill="#101010")
        canvas.text((x + 2, y + 1), text, fill=color, font=self._font)
