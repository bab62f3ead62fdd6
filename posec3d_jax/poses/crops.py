"""Pieces of a picture, one around each person, for a network that looks at one at a time."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

SEEN = 0.2  # score from which a joint tells where somebody is
_TORSO, _BODY = 1.9, 1.2  # half a crop's side, in reaches of the torso and of the whole body
_BOX = 1.25  # a crop's side in those of the box, for somebody without a torso


@dataclass(frozen=True)
class Window:
    """Where a crop lies in its picture; it may reach beyond the borders."""

    left: int  # pixels
    top: int
    width: int
    height: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) pixels."""
        return self.left, self.top, self.left + self.width, self.top + self.height

    def to_picture(self, places: np.ndarray) -> np.ndarray:
        """Places [..., 2] as (y, x) in parts of the sides, in the picture's pixels as (x, y)."""
        corner = np.array([self.left, self.top], np.float32)
        return corner + places[..., ::-1] * np.array([self.width, self.height], np.float32)


def around(
    keypoint: np.ndarray, score: np.ndarray, box: np.ndarray, torso: tuple[int, ...]
) -> Window:
    """A square that keeps somebody in view until the next frame.

    MoveNet was trained on such: around the middle of the hips, and so large that it reaches almost
    twice as far as shoulders and hips, and some way beyond the farthest joint. Without a torso in
    view it is the box with some room.

    Args:
      keypoint: [V, 2] pixels (x, y).
      score: [V]; joints below `SEEN` are not looked at.
      box: [4] (left, top, right, bottom).
      torso: indices of both shoulders, then both hips.
    """
    seen = score > SEEN
    hips, shoulders = list(torso[2:]), list(torso[:2])
    if seen[hips].any() and seen[shoulders].any():
        centre = keypoint[hips][seen[hips]].mean(0)
        reach = np.abs(keypoint - centre).max(1)
        trunk = [joint for joint in torso if seen[joint]]
        half = max(_TORSO * reach[trunk].max(), _BODY * reach[seen].max())
    else:
        centre = (box[:2] + box[2:]) / 2
        half = _BOX * max(box[2:] - box[:2]) / 2
    return _window(centre, (2 * half, 2 * half))


def about_box(box: np.ndarray, height: int, width: int) -> Window:
    """A window of the shape height to width around a box [4], with some room."""
    sides = np.maximum(_BOX * (box[2:] - box[:2]), 2)
    grown = max(sides[0] / width, sides[1] / height)
    return _window((box[:2] + box[2:]) / 2, (grown * width, grown * height))


def _window(centre: np.ndarray, sides: tuple[float, float]) -> Window:
    width, height = (max(int(np.ceil(side)), 2) for side in sides)
    left, top = np.floor(centre - np.array([width, height]) / 2).astype(int)
    return Window(int(left), int(top), width, height)


def cut(image: np.ndarray, window: Window, height: int, width: int) -> np.ndarray:
    """That piece of uint8 [H, W, 3] brought to [height, width, 3], black beyond the borders."""
    left, top = max(window.left, 0), max(window.top, 0)
    right = min(window.left + window.width, image.shape[1])
    bottom = min(window.top + window.height, image.shape[0])
    if right <= left or bottom <= top:
        return np.zeros((height, width, 3), np.uint8)
    piece = image[top:bottom, left:right]
    if piece.shape[:2] != (window.height, window.width):
        whole = np.zeros((window.height, window.width, 3), np.uint8)
        whole[top - window.top :, left - window.left :][: bottom - top, : right - left] = piece
        piece = whole
    return shrunk(piece, height, width)


def shrunk(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 [H, W, 3] brought to another size: shrunk by weighted means, enlarged bilinearly."""
    if image.shape[:2] == (height, width):
        return image
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
