"""How fast a video becomes tracks: decoding, finding, following; the live and the offline setting.

    python -m benchmarks.pose_speed VIDEO ... [--frames=90] [--estimators lightning thunder]
        [--out=FILE.json]

Frames a second of the whole way from the file, after one pass to compile. Wall time holds on a
quiet machine only; processor time a frame holds on a busy one, too: divided by the cores that are
at work it is the least time a frame can take.
"""

import argparse
import json
import time
from itertools import islice
from pathlib import Path

from benchmarks.machine import machine
from posec3d_jax.machine.host import tune_process, use_compilation_cache
from posec3d_jax.poses.estimator import Estimator
from posec3d_jax.poses.following import Follower
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.video.decoding import decode
from posec3d_jax.video.info import probe


def measure(video: Path, estimator: Estimator, frames: int) -> dict[str, float]:
    """Rates over the first frames of a video."""
    follower, people, count = Follower(estimator), 0, 0
    wall, processor = time.perf_counter(), time.process_time()
    for frame in islice(decode(video), frames):
        found, _ = follower(frame.image, frame.time)
        people, count = people + len(found), count + 1
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {
        "frames": count,
        "persons_a_frame": round(people / count, 2),
        "frames_a_second": round(count / wall, 1),
        "processor_ms_a_frame": round(processor / count * 1e3, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--estimators", nargs="+", default=["lightning", "thunder"])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    tune_process()
    use_compilation_cache()
    record: dict = {"machine": machine()}
    for name in arguments.estimators:
        estimator = open_estimator(name)
        for video in arguments.videos:
            measure(video, estimator, 2)  # compiles
            size = "{0[1]}x{0[0]}".format(probe(video).size)
            record[f"{name}, {video.name} {size}"] = measure(video, estimator, arguments.frames)
    print(json.dumps(record, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
