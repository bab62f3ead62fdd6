"""Square pieces of a picture, one around each person, for a network that looks at one at a time."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

SEEN = 0.2  # score from which a joint tells where somebody is
_TORSO, _BODY = 1.9, 1.2  # half a crop's side, in reaches of the torso and of the whole body
_BOX = 1.25  # a crop's side in those of the box, for somebody without a torso


@dataclass(frozen=True)
class Square:
    """Where a crop lies in its picture; it may reach beyond the borders."""

    left: int  # pixels
    top: int
    side: int

    def to_picture(self, places: np.ndarray) -> np.ndarray:
        """Places [..., 2] as (y, x) in parts of the side, in the picture's pixels as (x, y)."""
        corner = np.array([self.left, self.top], np.float32)
        return corner + places[..., ::-1] * np.float32(self.side)


def around(
    keypoint: np.ndarray, score: np.ndarray, box: np.ndarray, torso: tuple[int, ...]
) -> Square:
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
    side = max(int(np.ceil(2 * half)), 2)
    left, top = np.floor(centre - side / 2).astype(int)
    return Square(int(left), int(top), side)


def cut(image: np.ndarray, square: Square, size: int) -> np.ndarray:
    """That piece of uint8 [H, W, 3] as [size, size, 3], black beyond the borders.

    Shrunk by area-weighted averages, enlarged bilinearly.
    """
    height, width = image.shape[:2]
    left, top = max(square.left, 0), max(square.top, 0)
    right = min(square.left + square.side, width)
    bottom = min(square.top + square.side, height)
    if right <= left or bottom <= top:
        return np.zeros((size, size, 3), np.uint8)
    piece = image[top:bottom, left:right]
    if piece.shape[:2] != (square.side, square.side):
        whole = np.zeros((square.side, square.side, 3), np.uint8)
        whole[top - square.top :, left - square.left :][: bottom - top, : right - left] = piece
        piece = whole
    return shrunk(piece, size, size)


def shrunk(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 [H, W, 3] brought to another size."""
    if image.shape[:2] == (height, width):
        return image
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
