"""`posec3d recognise`."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posec3d_jax.commands.request import Request

if TYPE_CHECKING:
    from posec3d_jax.recognise import Recogniser
    from posec3d_jax.video.windows import PoseStream


def run(request: Request) -> None:
    """Labels a video, a camera or a pose file over time, prints the events and writes them."""
    from posec3d_jax.commands.loading import open_predictor
    from posec3d_jax.poses.sources import is_pose_file
    from posec3d_jax.recognise import Recogniser
    from posec3d_jax.video.live import is_live

    options = request.options
    if len(request.arguments) != 1:
        raise ValueError("expected one source: posec3d recognise VIDEO|CAMERA|POSES --workdir=RUN")
    (source,) = request.arguments
    live = options.stream or is_live(source)
    poses = not live and is_pose_file(Path(source))
    if not live and not Path(source).exists():
        raise FileNotFoundError(f"{source}: no such file or folder; expected a video or poses")
    window, step = seconds(options.window, "window"), seconds(options.step, "step")
    recogniser = Recogniser(
        open_predictor(request),
        options.estimator,
        window=window,
        step=min(step, window) if live else step,
        whole=options.whole,
        least_score=options.least_score,
    )
    if live:
        _live(source, recogniser, options)
    else:
        _file(recogniser, _open(source, poses, recogniser, options), options)


def seconds(text: str, flag: str) -> float:
    """2.0 of '2s', '2' and '2000ms'; ValueError for anything else."""
    number, scale = text.strip(), 1.0
    for ending, worth in (("ms", 1e-3), ("s", 1.0)):
        if number.endswith(ending):
            number, scale = number.removesuffix(ending), worth
            break
    try:
        return float(number) * scale
    except ValueError:
        raise ValueError(f"--{flag}={text!r:.80} is no time; expected such as 2s") from None


def frame_size(text: str) -> tuple[int, int] | None:
    """(1080, 1920) of '1080x1920', None of ''; ValueError for anything else."""
    height, _, width = text.lower().partition("x")
    if not text:
        return None
    if not (height.isdecimal() and width.isdecimal()) or len(text) > 20:
        raise ValueError(f"--frame_size={text!r:.80}; expected height x width, such as 1080x1920")
    return int(height), int(width)


def _open(source: str, poses: bool, recogniser: "Recogniser", options: Any) -> "PoseStream":
    from posec3d_jax.poses.sources import open_pose_file

    if not poses:
        return recogniser.open(source, every=options.every)
    return open_pose_file(
        source,
        rate=options.rate,
        frame_size=frame_size(options.frame_size),
        tool=options.tool,
        layout=options.layout,
    )


def _file(recogniser: "Recogniser", stream: "PoseStream", options: Any) -> None:
    from posec3d_jax.recognise import recognise

    if lacking := recogniser.lacking(stream.joints):
        joints = ", ".join(lacking[:8]) + ", ..." * (len(lacking) > 8)
        print(f"warning: the poses lack joints that the run has: {joints}", file=sys.stderr)
    found = recognise(recogniser, stream, options.out, overlay=options.overlay, progress=_tell)
    print(found.table())
    if options.out:
        print(f"written to {options.out}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _live(source: str, recogniser: "Recogniser", options: Any) -> None:
    """Prints labels where they change, writes all of them, and tells what was dropped."""
    from posec3d_jax.files.locks import holding
    from posec3d_jax.poses.live import latency_text
    from posec3d_jax.recognise import LOCK
    from posec3d_jax.runs import records
    from posec3d_jax.video.live import LiveCount

    count, said, delays = LiveCount(), {}, []
    out = Path(options.out) if options.out else None
    held = holding(out / LOCK, out, records.command()) if out else nullcontext()
    with held, open(out / "labels.jsonl", "w") if out else nullcontext() as file:
        try:
            for label in recogniser.live(source, count, rate=options.label_rate):
                delays.append(label.latency)
                if file:
                    file.write(json.dumps(label.to_dict()) + "\n")
                if said.get(label.person) != label.label:
                    print(label, flush=True)
                said[label.person] = label.label
        except KeyboardInterrupt:  # how one ends watching a camera
            pass
    print(latency_text(delays, count))
