"""Opens a video file, and says clearly why one cannot be opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.stream import VideoStream

MOST_PIXELS = 1 << 27  # of one frame, 16384 x 8192: a header may claim any size

# A playlist, or a pattern of names, is a "video" too, and would make the demuxer open other files.
_DEMUXERS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,gif,flv,asf,ogg,ivf,rawvideo"
_DEMUXERS += ",mxf,rm,dv,obu,av1,apng,webp_pipe,yuv4mpegpipe,nut,wtv,swf,vivo,mjpeg"
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS + ",mp3,wav,flac,aac"}


class VideoError(ValueError):
    """A video cannot be used; the message names the file, says why and what to do."""


@contextmanager
def opened(path: str | Path) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """The container and its first stream of moving pictures.

    Raises:
      FileNotFoundError: there is no such file.
      VideoError: it is a folder, empty, no video or cut off, or has no moving pictures; or PyAV is
        not installed.
    """
    path = Path(path)
    _check_file(path)
    try:
        import av
    except ModuleNotFoundError as error:
        raise VideoError(
            f"{path}: reading videos needs PyAV, which is not installed: install posec3d-jax[video]"
        ) from error
    try:
        container = av.open(str(path), options=_OPTIONS)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path} is no video that can be read ({_reason(error)}): it is of another kind, or "
            "was cut off while it was copied or recorded. Copy it again, or convert it with ffmpeg"
        ) from error
    with container:
        yield container, _pictures(container, path)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such video")
    if path.is_dir():
        raise VideoError(f"{path} is a folder; expected a video file")
    if not path.is_file():
        raise VideoError(f"{path} is no regular file; expected a video file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes): copy or record it again")


def _pictures(container: "InputContainer", path: Path) -> "VideoStream":
    from av.stream import Disposition

    streams = container.streams
    moving = [s for s in streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        others = sorted({stream.type for stream in streams}) or ["nothing"]
        raise VideoError(f"{path} has no video stream, only {' and '.join(others)}")
    stream = moving[0]
    if stream.codec_context is None:
        raise VideoError(f"{path}: there is no decoder for its video; convert it with ffmpeg")
    check_size(path, stream.codec_context.height, stream.codec_context.width)
    return stream


def packets_of(container: "InputContainer", stream: "VideoStream") -> Iterator["Packet"]:
    """The packets up to the end, or to where the file breaks off."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        yield packet


def check_size(path: str | Path, height: int, width: int) -> None:
    """VideoError for frames larger than any camera's."""
    if height * width > MOST_PIXELS:
        raise VideoError(
            f"{path} has frames of {width} x {height} pixels; at most {MOST_PIXELS / 1e6:.0f} "
            "million pixels can be read. Scale it down with ffmpeg"
        )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
