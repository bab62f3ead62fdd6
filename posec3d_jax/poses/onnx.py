"""Any top-down pose network in an ONNX file: RTMPose, HRNet, ViTPose and the like."""

from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.machine.onnx_packages import onnx_package
from posec3d_jax.poses.crops import about_box, cut
from posec3d_jax.poses.estimator import Estimator, Heatmaps, People, make_people, nobody
from posec3d_jax.skeletons.skeleton import SKELETONS, Skeleton, get_skeleton

# Of RGB values 0 to 255, as ImageNet's networks and MMPose's take them.
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_STD = np.array([58.395, 57.12, 57.375], np.float32)
_LOST = 0.2  # mean score below which a crop shows nobody
_LAYOUTS = {17: "coco_17", 26: "halpe_26", 133: "coco_wholebody_133"}


class OnnxTopDown:
    """A network that looks at one person at a time, for people whom another estimator finds.

    The model takes one input, float [N, 3, H, W], normalised as ImageNet's. Its answer is either
    SimCC, two outputs [N, V, X] and [N, V, Y] with X and Y whole multiples of W and H, or one
    output of heatmaps [N, V, h, w].

    Args:
      file: the model.
      finder: finds the people; None for MoveNet's MultiPose.
      layout: name of the joint layout; '' to tell it from the number of joints (17, 26 or 133).
      heatmaps: keep each person's heatmaps, of the crop.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: ONNX Runtime is not installed, or cannot read the file; or the model is no such
        network, or of an unknown layout; or it has no heatmaps and they are to be kept.
    """

    def __init__(
        self,
        file: str | Path,
        finder: Estimator | None = None,
        layout: str = "",
        heatmaps: bool = False,
    ) -> None:
        self._session, self._size = open_session(Path(file))
        (self._input,) = self._session.get_inputs()
        answer = self._answer(np.zeros((1, *self._size, 3), np.uint8))
        if heatmaps and len(answer) != 1:
            raise ValueError(f"{file} is SimCC: it has no heatmaps to keep")
        self._keep = heatmaps
        self.skeleton = _layout(file, layout, answer[0].shape[1])
        self._finder = _movenet() if finder is None else finder

    def __call__(self, image: np.ndarray, known: People | None = None) -> People:
        """See `Estimator`."""
        known = self._finder(image) if known is None else known
        if not len(known):
            return nobody(self.skeleton.num_joints)
        windows = [about_box(box, *self._size) for box in known.box]
        crops = np.stack([cut(image, window, *self._size) for window in windows])
        answer = self._answer(crops)
        places, scores = read_answer(answer, self._size)
        keypoint = np.stack([w.to_picture(p) for w, p in zip(windows, places, strict=True)])
        heatmaps = None
        if self._keep:
            values = np.rint(255 * np.clip(answer[0].transpose(0, 2, 3, 1), 0, 1)).astype(np.uint8)
            heatmaps = Heatmaps(values, np.array([w.box for w in windows], np.float32))
        people = make_people(keypoint, scores, heatmaps=heatmaps)
        return people[people.confidence > _LOST]

    def _answer(self, crops: np.ndarray) -> list[np.ndarray]:
        """The model's outputs for crops uint8 [N, H, W, 3], one by one where it takes one only."""
        values = ((crops - _MEAN) / _STD).transpose(0, 3, 1, 2)
        if isinstance(self._input.shape[0], int):
            parts = [self._session.run(None, {self._input.name: value[None]}) for value in values]
            return [np.concatenate(part) for part in zip(*parts, strict=True)]
        return self._session.run(None, {self._input.name: values})


def read_answer(outputs: list[np.ndarray], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Joints of crops of this (height, width): places [N, V, 2] as (y, x) in parts of the sides,
    and scores [N, V] in 0 to 1.

    Raises ValueError for outputs of another form.
    """
    shapes = [output.shape for output in outputs]
    if len(outputs) == 2 and all(len(shape) == 3 for shape in shapes):
        if not any(n % s for n, s in zip((shapes[1][2], shapes[0][2]), size, strict=True)):
            return _from_simcc(*outputs)
    if len(outputs) == 1 and len(shapes[0]) == 4:
        return _from_heatmaps(outputs[0])
    raise ValueError(
        f"outputs of shape {shapes}; expected SimCC, [N, V, X] and [N, V, Y], or heatmaps "
        "[N, V, h, w]"
    )


def _from_simcc(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest bin on each axis; the lower of their two values is the score."""
    place = np.stack([y.argmax(-1) / y.shape[-1], x.argmax(-1) / x.shape[-1]], axis=-1)
    return place, np.clip(np.minimum(x.max(-1), y.max(-1)), 0, 1)


def _from_heatmaps(heat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest pixel's centre, a quarter pixel towards its higher neighbour on each axis."""
    height, width = heat.shape[2:]
    flat = heat.reshape(*heat.shape[:2], -1)
    y, x = np.divmod(flat.argmax(-1), width)
    padded = np.pad(heat, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    n, v = np.ogrid[: heat.shape[0], : heat.shape[1]]
    down = padded[n, v, y + 2, x + 1] - padded[n, v, y, x + 1]
    right = padded[n, v, y + 1, x + 2] - padded[n, v, y + 1, x]
    place = np.stack([y + 0.25 * np.sign(down), x + 0.25 * np.sign(right)], axis=-1)
    return (place + 0.5) / (height, width), np.clip(flat.max(-1), 0, 1)


def open_session(file: Path) -> tuple[Any, tuple[int, int]]:
    """ONNX Runtime's session of a model of pictures, and their (height, width).

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: ONNX Runtime is not installed or cannot read it, or it takes something else.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such model")
    runtime = onnx_package("onnxruntime", f"{file}: an ONNX model")
    try:
        session = runtime.InferenceSession(str(file), providers=runtime.get_available_providers())
    except Exception as error:  # ONNX Runtime has exceptions of its own, without a common base
        raise ValueError(f"{file} is no model that ONNX Runtime can read: {error}") from error
    if len(session.get_inputs()) != 1:
        raise ValueError(f"{file} has {len(session.get_inputs())} inputs; expected one, pictures")
    shape = session.get_inputs()[0].shape
    if len(shape) != 4 or shape[1] != 3 or not all(isinstance(n, int) for n in shape[2:]):
        raise ValueError(f"{file}: its input is {shape}; expected [N, 3, height, width]")
    return session, (shape[2], shape[3])


def _layout(file: str | Path, name: str, joints: int) -> Skeleton:
    if not name and joints not in _LAYOUTS:
        raise ValueError(f"{file} gives {joints} joints; say which layout, one of {set(SKELETONS)}")
    skeleton = get_skeleton(name or _LAYOUTS[joints])
    if skeleton.num_joints != joints:
        raise ValueError(
            f"{file} gives {joints} joints, and {skeleton.name} has {skeleton.num_joints}"
        )
    return skeleton


def _movenet() -> Estimator:
    from posec3d_jax.poses.movenet.estimator import MoveNet

    return MoveNet("")
