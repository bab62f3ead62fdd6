"""Turns 3-D skeletons into pixels, by one of two cameras.

Points are in camera space as the Kinect has it: x to the right, y up, z away from the camera, in
metres (only 'perspective' cares about the unit). Pixels have y down. A camera is the mapping
`config.data.camera`, with keys kind, image_size (height, width), focal (pixels), yaw and pitch
(degrees).

Which camera? 'orthographic' drops the depth and makes the whole clip's box fill the image, so all
the detail in x and y is kept, whatever the distance or the unit. The scale is one for the clip,
so movement across the room stays visible. 'perspective' is for placing 3-D skeletons on the video
they belong to, or among poses estimated from video.

A camera with a true `planes` (which `config.data.planes` adds) sees every clip from the front, from
the side and from above, in one scale: see skeletons/planes.py. One that is `normalized` as well
(`config.data.normalize`) sees skeletons that have a frame of their own: its pictures are 2 m high
and wide, with y up, whatever the clip.
"""

from collections.abc import Mapping

import numpy as np

KINDS = ("orthographic", "perspective")
MARGIN = 1 / 16  # border left free by the orthographic camera, as a share of the image's sides


def project(points: np.ndarray, camera: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of the points of one clip, and which of them can be seen.

    Args:
        points: [..., 3], real numbers. Exact zeros are missing points.
        camera: see above. yaw turns the skeletons about the vertical (positive: the front of
            somebody who faces the camera turns towards the right of the image), pitch tilts them
            (positive: seen from above), both about the middle of the clip's own box.

    Returns:
        Pixels (x, y), float32 [..., 2], and visible, bool [...]; with planes [..., 3 V, 2] and
        [..., 3 V] of points [..., V, 3]. Points that are missing, or behind
        the perspective camera, are zeros and not visible. A NaN or infinite point is NaN and not
        visible: bad input stays visible to the checks.

    Raises:
        ValueError: an unknown kind of camera, a bad image size, a perspective camera without a
            focal length, or one that is to see planes.
    """
    _check_camera(camera)
    if camera.get("planes"):
        return _project_on_planes(points, camera)
    points = np.asarray(points, np.float64)
    finite = np.isfinite(points).all(axis=-1)
    present = finite & points.any(axis=-1)
    pixels = np.zeros((*points.shape[:-1], 2), np.float64)
    visible = present.copy()
    if present.any():
        turned = turn(points[present], camera["yaw"], camera["pitch"])
        if camera["kind"] == "orthographic":
            pixels[present] = _fit(turned[:, :2], camera["image_size"])
        else:
            visible[present] = turned[:, 2] > 0
            pixels[visible] = _pinhole(turned[turned[:, 2] > 0], camera)
    pixels[~finite] = np.nan
    return pixels.astype(np.float32), visible


def _project_on_planes(points: np.ndarray, camera: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [..., 3 V, 2] and visible [..., 3 V]: x against y, z against y, and x against z."""
    points = np.asarray(points, np.float64)
    finite = np.isfinite(points).all(axis=-1)
    present = finite & points.any(axis=-1)
    pixels = np.zeros((*points.shape[:-1], 3), np.float64)  # x and z to the right, y down
    height, width = camera["image_size"]
    if camera.get("normalized"):
        pixels[present] = points[present] * (width / 2, height / 2, width / 2)
    elif present.any():
        turned = turn(points[present], camera["yaw"], camera["pitch"])
        low, high = turned.min(axis=0), turned.max(axis=0)
        room = min(camera["image_size"]) * (1 - 2 * MARGIN)
        extent = (high - low).max()
        scale = room / extent if extent > 0 else 1.0
        pixels[present] = (turned - (low + high) / 2) * (scale, -scale, scale)
    x, y, z = np.moveaxis(pixels, -1, 0)
    front, side, top = np.stack([x, y], -1), np.stack([z, y], -1), np.stack([x, z], -1)
    drawn = np.concatenate([front, side, top], axis=-2) + (width / 2, height / 2)
    there, known = (np.concatenate([mask] * 3, axis=-1) for mask in (present, finite))
    drawn[~there] = 0
    drawn[~known] = np.nan
    return drawn.astype(np.float32), there


def describe(camera: Mapping) -> str:
    """One line on how 3-D became 2-D, for the notes of a data set. ValueError as `project`."""
    _check_camera(camera)
    height, width = camera["image_size"]
    turned = f", yaw {camera['yaw']:g}, pitch {camera['pitch']:g}"
    how = f"{camera['kind']} camera, {height} x {width} pixels (height x width)"
    if camera["kind"] == "perspective":
        how += f", focal length {camera['focal']:g} pixels"
    how += turned if camera["yaw"] or camera["pitch"] else ""
    how += ", on three planes" if camera.get("planes") else ""
    how += ", each clip in its first person's frame" if camera.get("normalized") else ""
    return f"projected from 3-D: {how}"


def turn(points: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Points [N, 3] turned about the middle of their box: yaw first, then pitch, in degrees."""
    yaw, pitch = np.deg2rad(yaw), np.deg2rad(pitch)
    about_y = np.array(
        [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]], np.float64
    )
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]],
        np.float64,
    )
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return (points - middle) @ (about_x @ about_y).T + middle


def _fit(plane: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Points [N, 2] (x right, y up) to pixels: their box fills the image, centred, undistorted.

    The border keeps every pixel coordinate away from 0, which would mean a missing joint.
    """
    low, high = plane.min(axis=0), plane.max(axis=0)
    size = np.array(image_size[::-1], np.float64)  # (width, height)
    room = size * (1 - 2 * MARGIN)
    # A box without any extent (one point) has no scale of its own: it is put in the middle.
    scale = min((r / e for r, e in zip(room, high - low, strict=True) if e > 0), default=1.0)
    return (plane - (low + high) / 2) * (scale, -scale) + size / 2


def _pinhole(points: np.ndarray, camera: Mapping) -> np.ndarray:
    """Points [N, 3] in front of the camera to pixels; the principal point is the image's centre."""
    height, width = camera["image_size"]
    x, y, z = points.T
    focal = camera["focal"]
    return np.stack([width / 2 + focal * x / z, height / 2 - focal * y / z], axis=-1)


def _check_camera(camera: Mapping) -> None:
    if camera["kind"] not in KINDS:
        raise ValueError(f"config.data.camera.kind {camera['kind']!r} is not one of {KINDS}")
    size = tuple(camera["image_size"])
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"config.data.camera.image_size {size} is not (height, width) in pixels")
    if camera["kind"] == "perspective" and camera.get("planes"):
        raise ValueError(
            "config.data.planes needs config.data.camera.kind 'orthographic': depth is in one "
            "scale with x and y; got 'perspective'"
        )
    if camera.get("normalized") and not camera.get("planes"):
        raise ValueError("config.data.normalize is for skeletons in 3-D: set config.data.planes")
    if camera.get("normalized") and (camera["yaw"] or camera["pitch"]):
        raise ValueError(
            "config.data.normalize turns skeletons itself: set config.data.camera.yaw and pitch to "
            "0, and leave out the reader's extra_yaws"
        )
    if camera["kind"] == "perspective" and camera["focal"] <= 0:
        raise ValueError(
            f"config.data.camera.focal is {camera['focal']}; a perspective camera needs a focal "
            "length in pixels (Kinect v1 depth, 320 x 240: 285.63; Kinect v2 depth, 512 x 424: 366)"
        )
