"""What every pose estimator offers: a picture in, the people in it out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from posec3d_jax.skeletons.skeleton import Skeleton


@dataclass(frozen=True)
class Heatmaps:
    """What a network saw of each joint of M persons, before one place was chosen."""

    values: np.ndarray  # uint8 [M, H, W, V]; 255 is a confidence of 1
    window: np.ndarray  # float32 [M, 4], (left, top, right, bottom) pixels that the maps cover

    def __getitem__(self, chosen: np.ndarray | slice) -> "Heatmaps":
        """Of the persons at these indices (or where a mask is true), in that order."""
        return Heatmaps(self.values[chosen], self.window[chosen])


@dataclass(frozen=True)
class People:
    """M persons in one picture; M may be 0."""

    keypoint: np.ndarray  # float32 [M, V, 2], (x, y) pixels; a joint that was not found is (0, 0)
    score: np.ndarray  # float32 [M, V], confidence 0 to 1; 0 where a joint was not found
    box: np.ndarray  # float32 [M, 4], (left, top, right, bottom) pixels, around the whole person
    confidence: np.ndarray  # float32 [M], 0 to 1, that there is somebody
    heatmaps: Heatmaps | None = None  # where the estimator was asked to keep them

    def __len__(self) -> int:
        return len(self.keypoint)

    def __getitem__(self, chosen: np.ndarray | slice) -> "People":
        """The persons at these indices (or where a mask is true), in that order."""
        fields = (self.keypoint, self.score, self.box, self.confidence)
        heatmaps = None if self.heatmaps is None else self.heatmaps[chosen]
        return People(*(field[chosen] for field in fields), heatmaps)


class Estimator(Protocol):
    """Finds people in pictures.

    Called as `estimator(image, known)`: `image` is uint8 RGB [H, W, 3], upright. `known` are the
    persons to look at again, from a frame or a few before, for an estimator that can save itself
    the search: it may return these only, each near its place, in the same order, without those it
    cannot see any more. Without `known` the whole picture is searched.
    """

    skeleton: Skeleton

    def __call__(self, image: np.ndarray, known: People | None = None) -> People: ...


def nobody(num_joints: int) -> People:
    """An empty picture's people."""
    return make_people(np.zeros((0, num_joints, 2)), np.zeros((0, num_joints)))


def make_people(
    keypoint: np.ndarray,
    score: np.ndarray,
    box: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
    heatmaps: Heatmaps | None = None,
) -> People:
    """People of keypoints [M, V, 2] and scores [M, V] alone: boxes around the found joints, the
    mean score as confidence."""
    keypoint, score = np.asarray(keypoint, np.float32), np.asarray(score, np.float32)
    box = box_around(keypoint, score) if box is None else np.asarray(box, np.float32)
    confidence = score.mean(1) if confidence is None else np.asarray(confidence, np.float32)
    return People(keypoint, score, box, confidence, heatmaps)


def box_around(keypoint: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The boxes [M, 4] around the joints with a score above 0; zeros where there is none."""
    found = score[..., None] > 0
    low = np.where(found, keypoint, np.inf).min(1, initial=np.inf)
    high = np.where(found, keypoint, -np.inf).max(1, initial=-np.inf)
    box = np.concatenate([low, high], axis=1)
    return np.where(np.isfinite(box), box, 0).astype(np.float32)
