"""Live labels: how often, how late, and how many pictures are dropped.

  python -m benchmarks.live VIDEO --network=x3d_shallow --record=benchmarks/results/live.json

A file is played at its own speed, as a camera would; MoveNet finds people (Lightning's crops) and
the network names the last two seconds of each ten times a second. Its weights are not trained: what
it says does not matter here, and costs the same.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.machine import machine
from posec3d_jax.config import base, networks
from posec3d_jax.engines.xla import XlaEngine
from posec3d_jax.machine.host import tune_process, use_compilation_cache
from posec3d_jax.poses.live import RATE, LiveLabel
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.predict import Predictor
from posec3d_jax.recognise import Recogniser
from posec3d_jax.runs.records import command
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.video.live import LiveCount

WARM_UP = 3.0  # seconds of video before which nothing counts: programs are compiled, files read


def predictor(network: str, num_classes: int = 12) -> Predictor:
    """An untrained network at the published size of its input."""
    config = base.get_config()
    config.model = getattr(networks, network)()
    config.data.num_classes = num_classes
    variables = make_recognizer(config).init(jax.random.key(0))
    return Predictor(config, XlaEngine(config, variables))


def measure(recogniser: Recogniser, video: str, rate: float) -> dict[str, Any]:
    """One showing of the video, after one that compiles everything."""
    list(recogniser.live(video, LiveCount(), rate=rate))
    count, cpu = LiveCount(), time.process_time()
    labels = [x for x in recogniser.live(video, count, rate=rate) if x.time > WARM_UP]
    cpu, looked_at = time.process_time() - cpu, count.arrived - count.dropped
    return {
        "arrived": count.arrived,
        "dropped": count.dropped,
        "cpu_ms_a_picture_looked_at": round(1000 * cpu / max(looked_at, 1)),  # labels included
        **summary(labels),
    }


def summary(labels: list[LiveLabel]) -> dict[str, Any]:
    """Labels a second, persons at a time, and latencies in ms."""
    if not labels:
        return {"labels": 0}
    at_once = Counter(label.time for label in labels)
    times = np.array(sorted(at_once))
    late = 1000 * np.array([label.latency for label in labels])
    last = 1000 * np.array([max(x.latency for x in labels if x.time == time) for time in times])
    return {
        "labels": len(labels),
        "rounds_a_second": round((len(times) - 1) / max(times[-1] - times[0], 1e-9), 2),
        "persons_at_once": round(float(np.mean(list(at_once.values()))), 2),
        "latency_ms_median": round(float(np.median(late))),
        "latency_ms_95_percent": round(float(np.quantile(late, 0.95))),
        "latency_ms_of_the_last_person_median": round(float(np.median(last))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("--network", default="x3d_shallow")
    parser.add_argument("--estimator", default="lightning", help="or thunder, multipose")
    parser.add_argument("--rate", type=float, default=RATE, help="rounds of labels a second")
    parser.add_argument("--search_every", type=int, default=10)
    parser.add_argument("--record", default="")
    args = parser.parse_args()
    tune_process()
    use_compilation_cache()
    facts = machine()
    recogniser = Recogniser(predictor(args.network), open_estimator(args.estimator))
    record = {"video": Path(args.video).name, "network": args.network, "estimator": args.estimator}
    record |= {"command": command(), **measure(recogniser, args.video, args.rate)}
    text = json.dumps(record | {"machine": facts}, indent=1)
    print(text)
    if args.record:
        Path(args.record).write_text(text + "\n")


if __name__ == "__main__":
    main()
