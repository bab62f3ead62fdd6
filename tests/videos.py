"""Small videos made for tests: every frame is told by its grey level."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

LEVEL = 7  # grey levels from one frame to the next


def write_video(
    path: Path,
    frames: int = 12,
    size: tuple[int, int] = (48, 64),
    times: Sequence[int] | None = None,
    images: np.ndarray | None = None,
) -> Path:
    """Frame n is grey of level `LEVEL` n + 16, or `images` [T, H, W, 3]; 25 fps unless `times` ms.

    Every frame is a key frame of its own, so that a damaged packet costs one frame.
    """
    import av

    if images is None:
        levels = np.arange(frames, dtype=np.uint8) * LEVEL + 16
        images = np.broadcast_to(levels[:, None, None, None], (frames, *size, 3))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(25))
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for n, image in enumerate(images):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            picture.time_base = Fraction(1, 1000)
            picture.pts = times[n] if times is not None else 40 * n
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path
