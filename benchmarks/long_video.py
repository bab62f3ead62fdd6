"""Recognition over an hour: is memory flat, how fast is it, and are the events those of the clip?

  python -m benchmarks.long_video RUN CLIP --hours=1 --record=benchmarks/results/long_video.json

CLIP is a video or another tool's pose file (then with --frame_size and --rate). It is shown again
and again, with a pause in which nobody is there, so that everybody who comes is new; every showing
must give the events of the clip alone. A video's poses are found anew in every showing with
--again, otherwise once, which leaves what is measured to recognition.
"""

import argparse
import json
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from posec3d_jax.commands.recognise import frame_size
from posec3d_jax.machine.host import tune_process, use_compilation_cache
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.poses.sources import is_pose_file, open_pose_file, open_video
from posec3d_jax.recognise import STEP, WINDOW, Recogniser
from posec3d_jax.runs.records import command
from posec3d_jax.video.events import Event
from posec3d_jax.video.windows import PoseFrame, PoseStream

PAUSE = WINDOW + 1.0  # seconds in which nobody is there
CLOSE = 1e-3  # seconds, and probability: times of day are sums of many frames


@dataclass
class Showings:
    """A clip shown over and over, and what memory was at each showing."""

    again: Callable[[], PoseStream]
    seconds: float
    frames: int = 0
    starts: list[float] = field(default_factory=list)
    resident: list[tuple[float, float]] = field(default_factory=list)  # (video second, MB)

    def __iter__(self) -> Iterator[PoseFrame]:
        start, persons = 0.0, 0
        while start < self.seconds:
            self.starts.append(start)
            self.resident.append((start, resident_mb()))
            last, step, new = 0.0, 0.1, 0
            for frame in self.again().frames:
                step = frame.time - last or step  # the pause has the video's rate
                last, self.frames = frame.time, self.frames + 1
                new = max(new, int(frame.ids.max(initial=-1)) + 1)
                yield replace(frame, time=start + frame.time, ids=frame.ids + persons)
            for i in range(1, round(PAUSE / step) + 1):
                yield nobody(start + last + i * step, frame)
            start, persons = start + last + PAUSE + step, persons + new


def nobody(when: float, like: PoseFrame) -> PoseFrame:
    """An empty frame."""
    return PoseFrame(when, like.keypoint[:0], like.score[:0], like.ids[:0])


def resident_mb() -> float:
    """What the process has in memory now."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1e3


def compare(alone: list[Event], events: list[Event], starts: list[float], hours: float) -> dict:
    """How many showings have exactly the clip's events; the last one may be cut off."""
    by_showing = defaultdict(list)
    for event in events:
        showing = int(np.searchsorted(starts, event.start + 1e-6)) - 1
        by_showing[showing].append(event)
    expected = [(e.label, e.start, e.end, e.score) for e in alone]
    same = 0
    for showing, start in enumerate(starts):
        found = sorted(by_showing[showing], key=lambda e: (e.person, e.start))
        found = [(e.label, e.start - start, e.end - start, e.score) for e in found]
        close = len(found) == len(expected) and np.allclose(found, expected, atol=CLOSE)
        same += bool(close or found == expected)
    return {"showings": len(starts), "showings_with_the_clips_events": same}


def measure(recogniser: Recogniser, again: Callable[[], PoseStream], hours: float) -> dict:
    """The clip alone, then the hours of it."""
    alone = sorted(recogniser(again()), key=lambda e: (e.person, e.start))
    showings, windows = Showings(again, 3600 * hours), []
    stream = replace(again(), frames=showings)
    began, cpu = time.perf_counter(), time.process_time()
    events = list(recogniser(stream, lambda labelled: windows.append(1)))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    seconds = showings.starts[-1]
    memory = {
        f"resident_mb_at_{share}_percent": round(
            next(mb for when, mb in showings.resident if when >= seconds * share / 100)
        )
        for share in (10, 50, 100)
    }
    return {
        "video_seconds": round(seconds),
        "frames": showings.frames,
        "windows": len(windows),
        "events": len(events),
        **compare(alone, events, showings.starts, hours),
        **memory,
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "times_real_time": round(seconds / wall, 1),
        "ms_a_window": round(1000 * wall / max(len(windows), 1), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("clip")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--frame_size", default="", help="HxW of a pose file's video")
    parser.add_argument("--rate", type=float, default=30.0, help="frames a second of a pose file")
    parser.add_argument("--layout", default="")
    parser.add_argument("--again", action="store_true", help="find poses anew in every showing")
    parser.add_argument("--every", type=int, default=1, help="of a video's frames, every n-th")
    parser.add_argument("--estimator", default="thunder", help="or lightning, multipose")
    parser.add_argument("--window", type=float, default=WINDOW, help="shorter than the clip")
    parser.add_argument("--step", type=float, default=STEP)
    parser.add_argument("--record", default="")
    args = parser.parse_args()
    tune_process()
    use_compilation_cache()
    facts: dict[str, Any] = machine()
    recogniser = Recogniser(args.run, window=args.window, step=args.step)
    result = measure(recogniser, _clip(args), args.hours)
    record = {"clip": Path(args.clip).name, "every": args.every, "poses_found_anew": args.again}
    record |= {"command": command()} | result
    record["machine"] = facts
    text = json.dumps(record, indent=1)
    print(text)
    if args.record:
        Path(args.record).write_text(text + "\n")


def _clip(args) -> Callable[[], PoseStream]:
    estimator = None if is_pose_file(Path(args.clip)) else open_estimator(args.estimator)

    def opened() -> PoseStream:
        if estimator is not None:
            return open_video(args.clip, estimator, every=args.every)
        size = frame_size(args.frame_size)
        return open_pose_file(args.clip, rate=args.rate, frame_size=size, layout=args.layout)

    if args.again:
        return opened
    once = opened()
    frames = tuple(once.frames)
    return lambda: replace(once, frames=frames)


if __name__ == "__main__":
    main()
