"""The pose estimators of the package rtmlib, which downloads its models itself."""

import numpy as np

from posec3d_jax.poses.estimator import People, make_people
from posec3d_jax.skeletons.skeleton import SKELETONS


class Rtmlib:
    """An object of rtmlib for bodies of COCO's 17 joints: called with a picture, it gives joints.

    Args:
      model: such as `rtmlib.Body()`; called with uint8 BGR [H, W, 3] it returns keypoints
        [M, 17, 2] and scores [M, 17].
    """

    def __init__(self, model) -> None:
        self._model = model
        self.skeleton = SKELETONS["coco_17"]

    def __call__(self, image: np.ndarray, known: People | None = None) -> People:
        """See `Estimator`. The whole picture is searched every time."""
        keypoint, score = self._model(np.ascontiguousarray(image[..., ::-1]))
        joints = self.skeleton.num_joints
        keypoint = np.asarray(keypoint, np.float32).reshape(-1, joints, 2)
        return make_people(keypoint, np.clip(score, 0, 1).reshape(-1, joints))


def open_rtmlib() -> Rtmlib:
    """rtmlib's balanced body estimator. Raises ValueError where rtmlib is not installed."""
    try:
        from rtmlib import Body
    except ModuleNotFoundError as error:
        raise ValueError(
            "the estimator 'rtmlib' needs the package rtmlib, which is not installed: "
            "pip install rtmlib"
        ) from error
    return Rtmlib(Body(mode="balanced", backend="onnxruntime"))
