"""Whether a clip's video goes with its poses: there, decodable, long enough, of their shape."""

from dataclasses import dataclass
from pathlib import Path

from posec3d_jax.video.info import VideoInfo, probe
from posec3d_jax.video.opening import VideoError

_SHAPE = 0.02  # by which the ratios of height and width may differ: sizes are whole numbers


@dataclass(frozen=True)
class Fault:
    """One thing to say of a clip's video; without `error` the video can be used as it is."""

    kind: str  # machine-readable: 'missing_video'
    message: str
    error: bool = False


def check_video(
    path: Path, length: int, step: int = 1, frame_size: tuple[float, float] | None = None
) -> tuple[list[Fault], VideoInfo | None]:
    """What is to be said of a clip's video, and what it is where it can be read at all.

    Args:
      path: the video.
      length: frames of the clip's poses.
      step: frames of the video from one pose to the next.
      frame_size: (height, width) that the poses are annotated in; None leaves the shape unchecked.
    """
    try:
        info = probe(path)
    except FileNotFoundError:
        return [Fault("missing_video", f"{path} does not exist", True)], None
    except VideoError as error:
        return [Fault("unreadable_video", str(error), True)], None
    faults = [*_length(path, info, length, step), *_pictures(path, info, frame_size)]
    return faults, info


def _length(path: Path, info: VideoInfo, length: int, step: int) -> list[Fault]:
    poses = f"its poses have {length}" + f", {step} frames apart" * (step > 1)
    told = f"{path} has {info.frames} frames, {poses}"
    if info.frames < (length - 1) * step + 1:
        return [Fault("short_video", told, True)]
    if info.frames > length * step:
        return [Fault("long_video", f"{told}: the frames after those are never shown")]
    return []


def _pictures(path: Path, info: VideoInfo, frame_size) -> list[Fault]:
    faults = []
    if info.rotation:
        faults.append(
            Fault(
                "rotated_video",
                f"{path} is stored turned by {info.rotation} degrees and shown upright, "
                f"{_size(info.size)}: its poses have to be those of the upright pictures",
            )
        )
    if info.variable_rate:
        faults.append(
            Fault(
                "variable_rate",
                f"{path} has frames at uneven times: they are counted in the order of showing, as "
                "its poses have to be",
            )
        )
    if frame_size is not None and min(frame_size) > 0:
        ratio = info.size[0] / info.size[1] * frame_size[1] / frame_size[0]
        if abs(ratio - 1) > _SHAPE:
            faults.append(
                Fault(
                    "video_shape",
                    f"{path} has frames of {_size(info.size)}, its poses are annotated at "
                    f"{_size(frame_size)} (height x width), of another shape: they are stretched",
                )
            )
    return faults


def _size(size) -> str:
    return f"{size[0]:g} x {size[1]:g}"
