"""3-D clips as readers see them: projected with their scores, and from several sides for training.

`extra_yaws`, an option of the 3-D readers, adds to the training clips the same clips turned about
the vertical by these angles (degrees), as other cameras would have seen them. It is for protocols
whose test views are new, as NW-UCLA's. It makes use of the depth in training, which a result should
say; the test clips stay as they are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from posec3d_jax.data.normalizing import normalize
from posec3d_jax.data.projection import describe, project
from posec3d_jax.files.arrays import BadSample

Item = tuple[object, float]  # what the reader reads a clip from, and the yaw it is turned by


def project_scored(
    points: np.ndarray, score: np.ndarray | None, camera: Mapping, score_key: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of 3-D joints [..., 3], and scores: 1 where none are given, 0 where not visible.

    Of a `normalized` camera also without the frames and persons that `normalize` leaves out.
    """
    if score is not None and score.shape != points.shape[:-1]:
        message = f"shape {score.shape} does not fit keypoint {points.shape}"
        raise BadSample("wrong_shape", message, score_key)
    if camera.get("normalized"):
        points, score = normalize(points, score)
    keypoint, visible = project(points, camera)
    if score is not None and camera.get("planes"):
        score = np.concatenate([score] * 3, axis=-1)
    return keypoint, np.where(visible, 1 if score is None else score, 0).astype(np.float32)


def with_views(
    clips: Iterable, extra_yaws: Sequence[float], split_of: Callable[..., str]
) -> list[Item]:
    """(clip, yaw) for every clip as it is, and for those of split 'train' every extra yaw."""
    return [
        (clip, yaw)
        for clip in clips
        for yaw in (0.0, *(extra_yaws if split_of(clip) == "train" else ()))
    ]


def view_name(name: str, yaw: float) -> str:
    """The clip's name, with the yaw in it where it is turned."""
    return f"{name}@yaw{yaw:+g}" if yaw else name


def camera_of(config_data) -> dict:
    """How a config's 3-D skeletons become pixels: its `camera`, and whether on three planes."""
    camera = {key: config_data.camera[key] for key in config_data.camera}
    return camera | {"planes": config_data.planes, "normalized": bool(config_data.normalize)}


def turned_camera(camera: Mapping, yaw: float) -> dict:
    """The camera that sees the skeletons turned by `yaw` degrees more."""
    return {**camera, "yaw": camera["yaw"] + yaw}


def view_notes(camera: Mapping, extra_yaws: Sequence[float]) -> tuple[str, ...]:
    """How the clips were projected, and from where else."""
    if not extra_yaws:
        return (describe(camera),)
    degrees = ", ".join(f"{yaw:+g}" for yaw in extra_yaws)
    return describe(camera), f"training clips also turned about the vertical by {degrees} degrees"
