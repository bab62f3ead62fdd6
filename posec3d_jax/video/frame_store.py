"""A data set's RGB frames as JPEGs beside its skeletons, clip after clip in one file.

The folder `frames` of a prepared data set, whatever its skeletons are stored as, has
    frames.bin   the JPEGs of all clips end to end: the frames of a clip are one piece of it
    index.npz    the clips' names and sizes, and how many frames and bytes each has
Only frames that have a pose are stored, so that a pose's number is its frame's.
"""

import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from posec3d_jax.files.arrays import NPZ_ERRORS, load_npz
from posec3d_jax.video.opening import VideoError, check_size

FOLDER, FRAMES_FILE, INDEX_FILE = "frames", "frames.bin", "index.npz"
QUALITY = 90  # of the JPEGs; twice the bytes of 75, and edges without rings
_AGAIN = "make the data set again with 'posec3d prepare --overwrite --frames=...'"


class FrameWriter:
    """Stores clips one after the other; made by `writing`."""

    def __init__(self, file):
        self._file = file
        self.names: list[str] = []
        self.counts, self.lengths, self.sizes = array("I"), array("I"), array("I")

    def add(self, name: str, images: Iterable[np.ndarray], count: int) -> int:
        """Stores the first `count` frames uint8 [H, W, 3] of a clip, all of one size.

        Returns how many there were; where they are fewer, or fail, nothing is stored.
        """
        start, stored, size = self._file.tell(), len(self.lengths), (0, 0)
        found = 0
        try:
            for image in images:
                data, size = _encoded(image), image.shape[:2]
                self._file.write(data)
                self.lengths.append(len(data))
                found += 1
        finally:
            if found < count:
                self._file.seek(start)
                self._file.truncate()
                del self.lengths[stored:]
        if found >= count:
            self.names.append(name)
            self.counts.append(found)
            self.sizes.extend(size)
        return found


@contextmanager
def writing(folder: Path, side: int = 0) -> Iterator[FrameWriter]:
    """A writer into a new folder; the index is written at the end, unless something failed.

    `side` is the short side that frames were brought to, for who decodes others like them.
    """
    folder.mkdir(parents=True)
    with (folder / FRAMES_FILE).open("wb") as file:
        writer = FrameWriter(file)
        yield writer
    np.savez(
        folder / INDEX_FILE,
        names=np.array([name.encode() for name in writer.names], np.bytes_),
        counts=np.array(writer.counts, np.uint32),
        lengths=np.array(writer.lengths, np.uint32),
        sizes=np.array(writer.sizes, np.uint32).reshape(-1, 2),
        side=np.uint32(side),
    )


@dataclass(frozen=True, eq=False)
class StoredFrames:
    """The stored frames of a source's clips; memory-mapped, safe to call from several threads."""

    data: np.ndarray  # uint8, all JPEGs end to end
    starts: np.ndarray  # int64 [F + 1], where each frame begins
    first: np.ndarray  # int64 [N], number of each clip's first frame
    counts: np.ndarray  # int64 [N], its frames
    sizes: np.ndarray  # int32 [N, 2], (height, width)
    room: tuple[int, int]  # of a batch's arrays: the largest height and width of all stored clips
    side: int  # what their short side was brought to
    origin: str  # tells these frames from others

    def __call__(self, index: np.ndarray, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Frames int [B, T] of the clips int [B]; see `clips.ClipVideos`, which decodes them.

        Returns `rgb` uint8 [B, T, *room, 3], each clip in its top left corner, and `rgb_size` int32
        [B, 2], its own height and width.

        Raises:
          IndexError: a frame outside its clip.
          VideoError: a damaged frame.
        """
        rgb = np.zeros((*frames.shape, *self.room, 3), np.uint8)
        for row, (clip, chosen) in enumerate(zip(index, frames, strict=True)):
            if chosen.min() < 0 or chosen.max() >= self.counts[clip]:
                raise IndexError(f"frames {chosen} asked of a clip with {self.counts[clip]}")
            height, width = self.sizes[clip]
            for place, frame in enumerate(chosen):
                if place and frame == chosen[place - 1]:
                    rgb[row, place] = rgb[row, place - 1]
                    continue
                rgb[row, place, :height, :width] = self._image(int(clip), int(frame))
        return {"rgb": rgb, "rgb_size": self.sizes[index]}

    def _image(self, clip: int, frame: int) -> np.ndarray:
        number = self.first[clip] + frame
        data = self.data[self.starts[number] : self.starts[number + 1]].tobytes()
        return _decoded(data, tuple(self.sizes[clip]), f"frame {frame} of stored clip {clip}")


def open_frames(folder: Path, names: Sequence[str], lengths: np.ndarray) -> StoredFrames:
    """The stored frames of the clips of these names.

    Args:
      folder: where `writing` wrote.
      names: of the clips.
      lengths: int [N], frames of each clip's poses.

    Raises:
      VideoError: a damaged store, or one that lacks a clip or some of its frames.
    """
    try:
        index = load_npz(folder / INDEX_FILE)
        known = [name.decode() for name in index["names"].tolist()]
        counts, bytes_of = (index[key].astype(np.int64) for key in ("counts", "lengths"))
        sizes, side = index["sizes"].astype(np.int32), int(index["side"])
        if counts.shape != (len(known),) or sizes.shape != (len(known), 2):
            raise ValueError("it has not one entry a clip")
        if counts.sum() != len(bytes_of) or not len(known) or sizes.min() < 1:
            raise ValueError("it counts other frames than it lists")
        check_size(folder, *(int(n) for n in sizes.max(0)))
        data = np.memmap(folder / FRAMES_FILE, np.uint8, "r").view(np.ndarray)
    except NPZ_ERRORS as error:
        raise VideoError(f"{folder} cannot be read ({error}); {_AGAIN}") from error
    starts = np.concatenate([[0], np.cumsum(bytes_of)])
    if len(data) != starts[-1]:
        raise VideoError(
            f"{folder / FRAMES_FILE} has {len(data)} bytes, {starts[-1]} were written: an "
            f"incomplete copy? Copy it again, or {_AGAIN}"
        )
    place = {name: number for number, name in enumerate(known)}
    if absent := [name for name in names if name not in place]:
        raise VideoError(f"{folder} has no frames of clip {absent[0]!r}; {_AGAIN}")
    rows = np.array([place[name] for name in names])
    if len(fewer := np.flatnonzero(counts[rows] < lengths)):
        name = names[fewer[0]]
        raise VideoError(f"{folder} has fewer frames of clip {name!r} than its poses; {_AGAIN}")
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    digest = sha256(b"".join(index[key].tobytes() for key in ("names", "lengths", "sizes")))
    origin = f"stored, {digest.hexdigest()[:16]}"
    room = tuple(int(n) for n in sizes.max(0))
    return StoredFrames(data, starts, first[rows], counts[rows], sizes[rows], room, side, origin)


def _encoded(image: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _decoded(data: bytes, size: tuple[int, int], what: str) -> np.ndarray:
    """The JPEG's pixels uint8 [*size, 3]; its header is looked at before anything is decoded."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if image.size != size[::-1] or image.mode != "RGB":
                raise ValueError(f"it is {image.size[::-1]}, {image.mode}; expected {size}, RGB")
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise VideoError(f"{what} is damaged ({error}); {_AGAIN}") from error
