"""RGB frames of a data set's clips as batches ask for them: stored ones, or decoded from videos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.files.places import expand
from posec3d_jax.video.checking import check_video
from posec3d_jax.video.decoding import read_frames
from posec3d_jax.video.frame_store import FOLDER, StoredFrames, open_frames

_SHOWN = 10  # faults in one message


@dataclass(frozen=True)
class ClipVideos:
    """A video for each clip of a source. Holds no file open; safe to call from several threads."""

    paths: tuple[Path, ...]
    size: tuple[int, int]  # height and width that frames are brought to, whatever the video's
    step: int = 1  # frames of a video from one pose to the next
    side: int = 0  # what their short side was brought to; 0 where the size is given

    @property
    def origin(self) -> str:
        """Tells these frames from others."""
        return f"decoded to {self.size[0]} x {self.size[1]}, every {self.step}"

    def __call__(self, index: np.ndarray, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Frames int [B, T] of the clips int [B], as the part of a batch that is RGB.

        Returns `rgb` uint8 [B, T, *size, 3] and `rgb_size` int32 [B, 2], the size of each.

        Raises:
          VideoError: a video that has become unreadable since it was checked.
        """
        rgb = [
            read_frames(self.paths[i], chosen * self.step, self.size)
            for i, chosen in zip(index, frames, strict=True)
        ]
        return {"rgb": np.stack(rgb), "rgb_size": np.tile(np.int32(self.size), (len(index), 1))}


@dataclass(frozen=True, eq=False)
class GivenFrames:
    """The frames of a single clip that are there already, one a pose: uint8 [T, H, W, 3]."""

    images: np.ndarray

    def __call__(self, index: np.ndarray, frames: np.ndarray) -> dict[str, np.ndarray]:
        """As `ClipVideos`, of the one clip whatever `index` says."""
        size = np.int32(self.images.shape[1:3])
        return {"rgb": self.images[frames], "rgb_size": np.tile(size, (len(frames), 1))}


def open_videos(
    root: str | Path,
    pattern: str,
    size: tuple[int, int],
    names: Sequence[str],
    lengths: np.ndarray,
    step: int = 1,
) -> ClipVideos:
    """The videos of clips, every one of them checked: there, decodable, with enough frames.

    Args:
      root: their folder.
      pattern: of a clip's file below it, such as '{name}.mp4'.
      size: (height, width) to bring frames to.
      names: of the clips.
      lengths: int [N], frames of each clip's poses.
      step: frames of a video from one pose to the next.

    Raises:
      ValueError: names the clips whose video is missing, unreadable or shorter than its poses.
    """
    paths = tuple(video_of(root, pattern, name) for name in names)
    faults = [
        f"clip {name!r}: {fault.message}"
        for path, name, length in zip(paths, names, lengths, strict=True)
        for fault in check_video(path, int(length), step)[0]
        if fault.error
    ]
    if faults:
        rest = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise ValueError(
            "\n  ".join([f"{len(faults)} of {len(paths)} videos:", *faults[:_SHOWN], *rest])
        )
    return ClipVideos(paths, tuple(size), step)


def video_of(root: str | Path, pattern: str, name: str) -> Path:
    """Where the video of a clip is.

    Raises ValueError for a pattern that names no file for each clip.
    """
    try:
        if "{name" not in pattern:
            raise ValueError("it is the same for all clips")
        return expand(root) / pattern.format(name=name)
    except (AttributeError, LookupError, ValueError) as error:
        raise ValueError(
            f"config.data.video_name is {pattern!r} ({error}); expected something like "
            "'{name}.mp4', with {name} for the clip's name"
        ) from error


def video_among(given: str | Path, pattern: str, name: str) -> Path | None:
    """The video of a clip where a video or the folder of several is given; None for ''."""
    if not str(given):
        return None
    return video_of(given, pattern, name) if expand(given).is_dir() else expand(given)


def reduced(size: tuple[int, int], side: int) -> tuple[int, int]:
    """(height, width) with this short side and the same shape; never larger than it was."""
    scale = min(1.0, side / min(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def pictures_of(config, source, needs) -> ClipVideos | StoredFrames | None:
    """The frames of a source's clips, where an encoder needs RGB; else None.

    Those that were stored beside the skeletons, if any were; else they are decoded.

    Raises ValueError where there are none and `config.data.video_root` is not set, or as
    `open_videos` and `open_frames`.
    """
    if "rgb" not in needs:
        return None
    data, clips = config.data, (source.names, source.lengths)
    stored = expand(data.dir) / FOLDER
    if stored.is_dir():
        return open_frames(stored, *clips)
    if not data.video_root:
        raise ValueError(
            "this network needs RGB frames: store them with 'posec3d prepare --frames=...', or set "
            "config.data.video_root to the folder of the videos"
        )
    size = tuple(data.video_size)
    return open_videos(data.video_root, data.video_name, size, *clips, data.video_step)


def frames_of_clip(
    given: np.ndarray | str | Path | None,
    length: int,
    frame_size: tuple[float, float],
    step: int,
    size: tuple[int, int],
    side: int = 0,
) -> tuple[ClipVideos | GivenFrames, tuple[str, ...]]:
    """The frames of one clip, from an array or a video, and what is odd about the video.

    Args:
      given: uint8 [T, H, W, 3], one frame a pose, or a video file.
      length: T, frames of the poses.
      frame_size: (height, width) that they are annotated in.
      step: frames of a video from one pose to the next.
      size: (height, width) to bring a video's frames to,
      side: or their short side, where that is not 0.

    Raises:
      ValueError: nothing is given, or what is does not fit the poses; says how.
    """
    if given is None:
        raise ValueError(
            "this network needs RGB frames: give the clip's frames, one a pose, or its video"
        )
    if not isinstance(given, str | Path):
        images = np.asarray(given)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise ValueError(f"frames are {images.dtype} {images.shape}; expected uint8 [T,H,W,3]")
        if len(images) != length:
            raise ValueError(f"there are {len(images)} frames, and poses of {length}")
        return GivenFrames(images), ()
    path = expand(given)
    faults, info = check_video(path, length, step, frame_size)
    if errors := [fault.message for fault in faults if fault.error]:
        raise ValueError(errors[0])
    if side:
        size = reduced(info.size, side)
    return ClipVideos((path,), size, step, side), tuple(fault.message for fault in faults)


def described(pictures: ClipVideos | StoredFrames | None) -> dict[str, Any]:
    """What a run's record says of its RGB frames, {} of one without."""
    return {} if pictures is None else {"origin": pictures.origin, "side": pictures.side}
