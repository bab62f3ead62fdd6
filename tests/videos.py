"""Small videos made for tests: every frame is told by its grey level."""

import struct
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


def figure(height: int, width: int, left: float = 0.0) -> np.ndarray:
    """A crude person, as large as the shorter side, on grey: uint8 RGB [H, W, 3].

    `left` moves it from the middle, in shorter sides. Pose networks recognise it.
    """
    unit = min(height, width)
    y, x = np.mgrid[:height, :width] / unit
    image = np.full((height, width, 3), (150, 160, 170), np.float32) - 40 * y[..., None]
    middle = width / unit / 2 - left
    skin, shirt, trousers, black = (205, 160, 130), (180, 40, 40), (30, 40, 90), (20, 20, 20)

    def stroke(start, end, radius, colour):
        along = np.array(end) - start
        part = (x - middle - start[0]) * along[0] + (y - start[1]) * along[1]
        part = np.clip(part / max((along**2).sum(), 1e-9), 0, 1)
        across = x - middle - start[0] - part * along[0], y - start[1] - part * along[1]
        image[np.hypot(*across) < radius] = colour

    for side in (-1, 1):
        stroke((side * 0.05, 0.55), (side * 0.07, 0.73), 0.045, trousers)
        stroke((side * 0.07, 0.73), (side * 0.075, 0.92), 0.035, trousers)
        stroke((side * 0.06, 0.94), (side * 0.1, 0.95), 0.02, black)
        stroke((side * 0.1, 0.3), (side * 0.17, 0.42), 0.03, shirt)
        stroke((side * 0.17, 0.42), (side * 0.16, 0.54), 0.024, skin)
    stroke((-0.06, 0.31), (0.06, 0.31), 0.06, shirt)
    stroke((0, 0.31), (0, 0.53), 0.095, shirt)
    stroke((0, 0.2), (0, 0.26), 0.03, skin)
    stroke((0, 0.15), (0, 0.175), 0.055, skin)
    stroke((0, 0.115), (0, 0.12), 0.055, (60, 40, 20))
    for side in (-1, 1):
        stroke((side * 0.02, 0.15), (side * 0.02, 0.15), 0.008, black)
    return image.astype(np.uint8)


def turn(path: Path) -> Path:
    """Makes players turn the pictures of a .mov file by a quarter, clockwise."""
    contents = bytearray(path.read_bytes())
    matrix = contents.index(b"tkhd") + 44  # of version 0; nine numbers of 16.16 bits
    one = 1 << 16
    contents[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(contents)
    return path
