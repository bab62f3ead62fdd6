"""Cameras: where they stand, and the perspective projection of a scene onto their frame."""

from dataclasses import dataclass

import numpy as np

FRAME_SIZES = (  # (height, width) of common video formats
    (480, 640),
    (720, 1280),
    (1080, 1920),
    (240, 320),
    (424, 512),
    (1280, 720),
)

_CUT_OFF = 0.08  # share of clips whose frame is too narrow for the movement

# Azimuth is the angle between where the performer faces and where the camera stands, from 0 (in
# front) to 180 degrees (behind), on either side: a mirrored clip keeps it. Each role has sectors
# of its own, so nobody is seen in the test from where the training cameras stand. Sector n goes
# from n to n + 1 times `SECTOR`; every one of a test lies between two of the training.
SECTOR = 20.0  # degrees
SECTORS = {"train": (0, 2, 4, 6, 8), "val": (3, 5), "test": (1, 7)}


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in the world; the focal length is chosen when the scene is framed."""

    position: np.ndarray  # [3] metres
    axes: np.ndarray  # [3, 3], rows: image right, image down, forward
    frame_size: tuple[int, int]  # (height, width) pixels


def draw_azimuth(role: str, rng: np.random.Generator) -> float:
    """A viewpoint in the sectors of `role`: degrees in (-180, 180)."""
    sector = SECTORS[role][rng.integers(len(SECTORS[role]))]
    side = 1 - 2 * rng.integers(2)
    return float(side * SECTOR * (sector + rng.random()))


def draw_camera(azimuth: float, subject: np.ndarray, rng: np.random.Generator) -> Camera:
    """A camera on that side of `subject` [T, V, 3], which faces +y at first, and out of its way.

    Height, distance and roll are drawn.
    """
    target = subject.mean(axis=(0, 1))
    reach = np.ptp(subject[..., :2], axis=(0, 1)).max() / 2
    around = np.radians(azimuth)
    above = np.radians(np.clip(rng.normal(8, 9), -12, 35))
    distance = reach + rng.uniform(2.0, 6.5)
    towards = np.array(
        [np.sin(around) * np.cos(above), np.cos(around) * np.cos(above), np.sin(above)]
    )
    forward = -towards
    right = np.array([forward[1], -forward[0], 0.0]) / np.cos(above)
    down = np.array(  # forward x right; `right` is level
        [
            -forward[2] * right[1],
            forward[2] * right[0],
            forward[0] * right[1] - forward[1] * right[0],
        ]
    )
    roll = np.radians(rng.normal(0, 1.5))
    cos, sin = np.cos(roll), np.sin(roll)
    axes = np.stack([cos * right + sin * down, cos * down - sin * right, forward])
    sizes = len(FRAME_SIZES)
    return Camera(target + distance * towards, axes, FRAME_SIZES[rng.integers(sizes)])


def rays(camera: Camera, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image directions [..., 2] (x right, y down, for focal length 1) and depth [...] in metres.

    Points nearer than 0.3 m, or behind the camera, are given that depth.
    """
    seen = (points - camera.position) @ camera.axes.T
    depth = np.maximum(seen[..., 2], 0.3)
    return seen[..., :2] / depth[..., None], depth


def frame(
    camera: Camera, subject: np.ndarray, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Zoom and aim at the rays [..., 2] of the subject: focal length and principal point, pixels.

    The subject's whole path fills from 0.4 of the frame to all of it; now and then it is cut off.
    """
    flat = subject.reshape(-1, 2)
    low, high = flat.min(0), flat.max(0)
    size = np.array(camera.frame_size[::-1], np.float64)
    fill = rng.uniform(1.0, 1.2) if rng.random() < _CUT_OFF else rng.uniform(0.4, 0.98)
    extent = np.maximum(high - low, 0.05)
    focal = fill * (size / extent).min()
    slack = np.abs(size - focal * extent)
    centre = size / 2 + rng.uniform(-0.4, 0.4, size=2) * slack
    return float(focal), centre - focal * (low + high) / 2
