"""MoveNet as an estimator: MultiPose finds people, Thunder or Lightning look at each in a crop."""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.kernels.target import target_here
from posec3d_jax.poses.crops import around, cut, shrunk
from posec3d_jax.poses.estimator import Estimator, Heatmaps, People, make_people, nobody
from posec3d_jax.poses.movenet.engines import Maps, open_network
from posec3d_jax.poses.movenet.network import Layer
from posec3d_jax.poses.movenet.peaks import one_person, several_persons
from posec3d_jax.poses.movenet.weights import load
from posec3d_jax.skeletons.skeleton import SKELETONS

SIZES = {"lightning": 192, "thunder": 256}  # pixels of a crop's side, as trained
SEARCH = 384  # longest side, in pixels, of the picture that MultiPose searches
MOST = 20  # persons that one search reports; the published graph has 6
_STEP = 64  # its sides are multiples of this: few shapes, so few programs
_SOMEBODY = 0.1  # MultiPose's confidence from which there is a person
_LOST = 0.2  # mean score of the joints below which a crop shows nobody


class MoveNet:
    """Google's pose networks, on whatever device JAX runs on.

    Args:
      crops: "thunder" (exact), "lightning" (fast), or "" for what MultiPose says by itself.
      folder: where the weights are, `weights.default_folder()` if None.
      finder: finds the people to look at in crops; None for MultiPose, which finds `MOST` at once.
      heatmaps: keep each person's heatmaps, of the crop.
      target: what it is compiled for (`kernels.target.TARGETS`), '' for the devices that JAX runs
        on here.
      engine: what runs the networks, see engines.py.

    Raises:
      WeightsError: they are not installed.
      ValueError: there is no such network or engine, or MultiPose alone is asked for heatmaps or
        told where people are.
    """

    def __init__(
        self,
        crops: str = "thunder",
        folder: str | Path | None = None,
        *,
        finder: Estimator | None = None,
        heatmaps: bool = False,
        target: str = "",
        engine: str = "xla",
    ) -> None:
        if crops not in ("", *SIZES):
            raise ValueError(f"crops is {crops!r}; expected one of {('', *SIZES)}")
        if not crops and (heatmaps or finder is not None):
            raise ValueError(
                "MultiPose looks at the whole picture: it has no heatmaps person by person and "
                "takes no boxes; thunder and lightning do"
            )
        self._target = target or target_here()
        self.skeleton = SKELETONS["coco_17"]
        self._torso = tuple(
            self.skeleton.joints.index(f"{side}_{joint}")
            for joint in ("shoulder", "hip")
            for side in ("left", "right")
        )
        self._one_by_one = engine == "onnxruntime" or self._target == "cpu"
        opened = partial(open_network, engine=engine, target=self._target)
        self._find = self._search if finder is None else finder
        if finder is None:
            self._several = opened(load("multipose", folder), _several)
        self._size = SIZES.get(crops)
        if crops:
            self._single = opened(load(crops, folder), partial(_single, heatmaps=heatmaps))

    def __call__(self, image: np.ndarray, known: People | None = None) -> People:
        """See `Estimator`. MultiPose tells `MOST` persons at most; `known` may be more."""
        if self._size is None:
            return self._search(image)
        return self._look(image, self._find(image) if known is None else known)

    def _search(self, image: np.ndarray) -> People:
        """MultiPose's people in the whole picture."""
        height, width = image.shape[:2]
        scale = SEARCH / max(height, width)
        small = [max(round(side * scale), 1) for side in (height, width)]
        padded = [-(-side // _STEP) * _STEP for side in small]
        canvas = np.zeros((*padded, 3), np.uint8)
        canvas[: small[0], : small[1]] = shrunk(image, *small)
        joints, boxes, confidence = map(np.asarray, self._several(canvas[None]))
        factor = np.array(padded, np.float32) * (height / small[0], width / small[1])
        place = joints[..., 1::-1] * factor[::-1]
        box = (boxes * np.tile(factor, 2))[:, [1, 0, 3, 2]]
        there = confidence > _SOMEBODY
        return make_people(place, joints[..., 2], box, confidence)[there]

    def _look(self, image: np.ndarray, known: People) -> People:
        """Each of the known persons in a crop of its own, without those who are not there."""
        windows = [
            around(*person, self._torso)
            for person in zip(known.keypoint, known.score, known.box, strict=True)
        ]
        if not windows:
            return nobody(self.skeleton.num_joints)
        crops = np.stack([cut(image, window, self._size, self._size) for window in windows])
        joints, heat = self._answers(crops)
        places = [w.to_picture(j[:, :2]) for w, j in zip(windows, joints, strict=True)]
        boxes = np.array([window.box for window in windows], np.float32)
        heatmaps = Heatmaps(heat, boxes) if heat.size else None
        people = make_people(np.stack(places), joints[..., 2], heatmaps=heatmaps)
        return people[people.confidence > _LOST]

    def _answers(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of crops [N, S, S, 3] joints [N, V, 3] as (y, x, score), and heatmaps.

        A CPU, and so ONNX Runtime, gains nothing from batches. Elsewhere they are filled up to a
        power of two, so that few programs serve every number of persons.
        """
        if self._one_by_one:
            answers = [self._single(crop[None]) for crop in crops]
            joints, heat = (np.concatenate(part) for part in zip(*answers, strict=True))
            return joints, heat
        full = 1 << (len(crops) - 1).bit_length()
        padding = np.zeros((full - len(crops), *crops.shape[1:]), np.uint8)
        joints, heat = self._single(np.concatenate([crops, padding]))
        return np.asarray(joints)[: len(crops)], np.asarray(heat)[: len(crops)]


def _single(found: Maps, centre: Layer, heatmaps: bool) -> tuple[jax.Array, jax.Array]:
    """Joints [N, V, 3], and heatmaps uint8 [N, S / 4, S / 4, V], without any entry if not asked."""
    read = partial(one_person, centre_weight=centre["weight"])
    heat = jnp.round(255 * jax.nn.sigmoid(found["heatmap"])).astype(jnp.uint8)
    return jax.vmap(read)(found), heat if heatmaps else heat[..., :0]


def _several(found: Maps, centre: None) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Joints, boxes and confidences of `MOST` persons in one picture."""
    return several_persons({head: jnp.squeeze(m, 0) for head, m in found.items()}, MOST)
