"""RGB frames of a data set's clips, decoded from their videos as batches ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posec3d_jax.video.decoding import read_frames
from posec3d_jax.video.info import probe
from posec3d_jax.video.opening import VideoError

_SHOWN = 10  # faults in one message


@dataclass(frozen=True)
class ClipVideos:
    """A video for each clip of a source. Holds no file open; safe to call from several threads."""

    paths: tuple[Path, ...]
    size: tuple[int, int]  # height and width that frames are brought to, whatever the video's

    def __call__(self, index: np.ndarray, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Frames int [B, T] of the clips int [B], as the part of a batch that is RGB.

        Returns `rgb` uint8 [B, T, *size, 3] and `rgb_size` int32 [B, 2], the size of each.

        Raises:
          VideoError: a video that has become unreadable since it was checked.
        """
        rgb = [
            read_frames(self.paths[i], chosen, self.size)
            for i, chosen in zip(index, frames, strict=True)
        ]
        return {"rgb": np.stack(rgb), "rgb_size": np.tile(np.int32(self.size), (len(index), 1))}


def open_videos(
    root: str | Path, pattern: str, size: tuple[int, int], names: Sequence[str], lengths: np.ndarray
) -> ClipVideos:
    """The videos of clips, every one of them checked: there, decodable, with enough frames.

    Args:
      root: their folder.
      pattern: of a clip's file below it, such as '{name}.mp4'.
      size: (height, width) to bring frames to.
      names: of the clips.
      lengths: int [N], frames of each clip's poses.

    Raises:
      ValueError: names the clips whose video is missing, unreadable or shorter than its poses.
    """
    paths = tuple(Path(root) / pattern.format(name=name) for name in names)
    clips = zip(paths, names, lengths, strict=True)
    faults = [fault for clip in clips if (fault := _fault(*clip))]
    if faults:
        rest = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise ValueError(
            "\n  ".join([f"{len(faults)} of {len(paths)} videos:", *faults[:_SHOWN], *rest])
        )
    return ClipVideos(paths, tuple(size))


def pictures_of(config, source, needs) -> ClipVideos | None:
    """The videos of a source's clips, where an encoder needs RGB frames; else None.

    Raises ValueError where `config.data.video_root` is not set, or as `open_videos`.
    """
    if "rgb" not in needs:
        return None
    data = config.data
    if not data.video_root:
        raise ValueError(
            "this network needs RGB frames: set config.data.video_root to the folder of the videos"
        )
    size = tuple(data.video_size)
    return open_videos(data.video_root, data.video_name, size, source.names, source.lengths)


def _fault(path: Path, name: str, length: int) -> str:
    """What is wrong with a clip's video, '' for nothing."""
    try:
        found = probe(path).frames
    except FileNotFoundError:
        return f"clip {name!r}: {path} does not exist"
    except VideoError as error:
        return f"clip {name!r}: {error}"
    if found < length:
        return f"clip {name!r}: {path} has {found} frames, its poses have {length}"
    return ""
