"""What `prepare` does with videos: looks at each clip's, and stores the frames that have poses."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posec3d_jax.video.checking import Fault, check_video
from posec3d_jax.video.clips import reduced, video_of
from posec3d_jax.video.decoding import Tally, decode
from posec3d_jax.video.frame_store import FOLDER, QUALITY, FrameWriter, writing
from posec3d_jax.video.info import VideoInfo
from posec3d_jax.video.opening import VideoError

SIDES = (16, 2160)  # pixels that the short side of stored frames may have


@dataclass(frozen=True)
class Videos:
    """The videos of a data set that is being prepared."""

    root: str
    pattern: str
    step: int
    side: int  # of stored frames, pixels; 0 where none are stored
    writer: FrameWriter | None

    def usable(self, sequences: Iterable[Any], add: Callable[..., None]) -> Iterator[Any]:
        """Passes sequences on whose video can be used, and stores its frames if wanted.

        `add` is `ValidationReport.add`: it is told what was found.
        """
        for sequence in sequences:
            path = video_of(self.root, self.pattern, sequence.name)
            length = sequence.keypoint.shape[1]
            faults, info = check_video(path, length, self.step, sequence.frame_size)
            if self.writer and info and not any(fault.error for fault in faults):
                faults += self._store(path, sequence.name, length, info)
            for fault in faults:
                severity = "error" if fault.error else "warning"
                add(fault.kind, sequence.name, fault.message, severity=severity)
            if not any(fault.error for fault in faults):
                yield sequence

    def _store(self, path: Path, name: str, length: int, info: VideoInfo) -> list[Fault]:
        tally = Tally()
        only = range(0, length * self.step, self.step)
        frames = decode(path, only=only, size=reduced(info.size, self.side), tally=tally)
        try:
            found = self.writer.add(name, (frame.image for frame in frames), length)
        except VideoError as error:
            return [Fault("unreadable_video", str(error), True)]
        if found < length:
            told = f"{path}: {tally.frames} frames can be decoded of {info.frames}"
            return [Fault("damaged_video", f"{told}; {length} poses need {only[-1] + 1}", True)]
        if tally.damaged:
            told = (
                f"{path}: {tally.damaged} packets cannot be decoded, frames after them come early"
            )
            return [Fault("damaged_video", told)]
        return []

    @property
    def note(self) -> str:
        """What a user should know of the stored frames, '' where there are none."""
        if not self.side:
            return ""
        return f"RGB frames stored as JPEGs of quality {QUALITY}, short side {self.side} pixels"


@contextmanager
def videos_of(config_data, folder: Path, side: int = 0) -> Iterator[Videos | None]:
    """The videos that `config.data` names, None where it names none.

    Args:
      config_data: `config.data`.
      folder: of the data set that is written.
      side: short side of the frames to store, pixels; 0 to store none.

    Raises:
      ValueError: frames are to be stored and there is no folder of videos, or a side that makes no
        sense.
    """
    if side and not config_data.video_root:
        raise ValueError("--frames needs config.data.video_root, the folder of the clips' videos")
    if side and not SIDES[0] <= side <= SIDES[1]:
        raise ValueError(f"--frames is {side}; expected a short side of {SIDES[0]} to {SIDES[1]}")
    if not config_data.video_root:
        yield None
        return
    with ExitStack() as stack:
        writer = stack.enter_context(writing(folder / FOLDER, side)) if side else None
        names = config_data.video_root, config_data.video_name, config_data.video_step
        yield Videos(*names, side, writer)
