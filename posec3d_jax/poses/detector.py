"""A person detector in an ONNX file of one's own: finds any number of people, for crowds."""

from pathlib import Path

import numpy as np

from posec3d_jax.poses.crops import shrunk
from posec3d_jax.poses.estimator import People, make_people
from posec3d_jax.poses.onnx import open_session
from posec3d_jax.skeletons.skeleton import SKELETONS

LEAST = 0.3  # confidence from which a box counts
_OVERLAP = 0.65  # of two boxes from which both are one person
_PERSON = 0  # COCO's class
_STRIDES = (8, 16, 32)  # of YOLOX's grids
_GREY = 114  # beside the picture, where its shape is another than the network's
# Of BGR values, as RTMDet takes them; YOLOX takes them as they are.
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_STD = np.array([57.375, 57.12, 58.395], np.float32)


class OnnxDetector:
    """Boxes of people, as an estimator without joints: the others look at each of them.

    The model takes one input, float [1, 3, H, W], BGR, with the picture in its upper left corner.
    Its answer is either boxes that are final, [1, N, 5] (left, top, right, bottom, score), with
    labels [1, N] where it knows several classes (MMDeploy's exports of RTMDet and YOLOX), or
    YOLOX's own, [1, A, 5 + K], on three grids.

    Args:
      file: the model.
      normalised: whether it takes normalised values, as RTMDet does; None: where 'rtmdet' is part
        of the file's name.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: ONNX Runtime is not installed, or cannot read the file, or it is no such model.
    """

    def __init__(self, file: str | Path, normalised: bool | None = None) -> None:
        self._session, self._size = open_session(Path(file))
        by_name = "rtmdet" in Path(file).name.lower()
        self._normalised = by_name if normalised is None else normalised
        self.skeleton = SKELETONS["coco_17"]
        read_boxes(self._answer(np.zeros((*self._size, 3), np.uint8)), self._size)

    def __call__(self, image: np.ndarray, known: People | None = None) -> People:
        """See `Estimator`; everybody is searched for every time, and no joint is found."""
        height, width = image.shape[:2]
        scale = min(self._size[0] / height, self._size[1] / width)
        small = [max(round(side * scale), 1) for side in (height, width)]
        canvas = np.full((*self._size, 3), _GREY, np.uint8)
        canvas[: small[0], : small[1]] = shrunk(image, *small)
        box, confidence = read_boxes(self._answer(canvas), self._size)
        back = np.tile([width / small[1], height / small[0]], 2)
        box = np.clip(box * back, 0, np.tile([width, height], 2))
        chosen = _apart(box, confidence)
        blank = np.zeros((len(chosen), self.skeleton.num_joints, 2))
        return make_people(blank, blank[..., 0], box[chosen], confidence[chosen])

    def _answer(self, canvas: np.ndarray) -> list[np.ndarray]:
        values = canvas[..., ::-1].astype(np.float32)
        values = (values - _MEAN) / _STD if self._normalised else values
        name = self._session.get_inputs()[0].name
        return self._session.run(None, {name: values.transpose(2, 0, 1)[None]})


def read_boxes(outputs: list[np.ndarray], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Persons' boxes float32 [N, 4] in pixels of a picture of this (height, width), and their
    confidences [N]; the same person may be there several times.

    Raises ValueError for outputs of another form.
    """
    grids = [(size[0] // stride, size[1] // stride) for stride in _STRIDES]
    cells = sum(height * width for height, width in grids)
    first = outputs[0][0] if outputs and outputs[0].ndim == 3 else np.zeros((0, 0))
    if len(outputs) == 1 and first.shape[0] == cells and first.shape[1] > 5:
        box, confidence = _from_grids(first, grids)
    elif len(outputs) <= 2 and first.shape[1] == 5:
        box, confidence = first[:, :4], first[:, 4]
        if len(outputs) == 2:
            confidence = np.where(outputs[1].reshape(-1) == _PERSON, confidence, 0)
    else:
        shapes = [output.shape for output in outputs]
        raise ValueError(
            f"outputs of shape {shapes}; expected boxes [1, N, 5], with labels [1, N] or without, "
            f"or YOLOX's [1, {cells}, 6 or more]"
        )
    there = (confidence >= LEAST) & (box[:, 2:] > box[:, :2]).all(1)
    return box[there].astype(np.float32), confidence[there].astype(np.float32)


def _from_grids(rows: np.ndarray, grids: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """YOLOX: centre from the cell and logarithm of the sides, in strides; then that something is
    there, and the classes."""
    cells = [np.mgrid[:height, :width].reshape(2, -1)[::-1].T for height, width in grids]
    stride = np.repeat(_STRIDES, [len(cell) for cell in cells])[:, None]
    centre = (rows[:, :2] + np.concatenate(cells)) * stride
    half = np.exp(np.minimum(rows[:, 2:4], 20)) * stride / 2
    return np.concatenate([centre - half, centre + half], 1), rows[:, 4] * rows[:, 5 + _PERSON]


def _apart(box: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Indices of the boxes that are nobody found twice, the surest first."""
    area = (box[:, 2:] - box[:, :2]).prod(1)
    left, kept = np.argsort(-confidence, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        low, high = (
            np.maximum(box[best, :2], box[left, :2]),
            np.minimum(box[best, 2:], box[left, 2:]),
        )
        both = np.maximum(high - low, 0).prod(1)
        left = left[both < _OVERLAP * (area[best] + area[left] - both).clip(1e-6)]
    return np.array(kept, int)
