"""RGB frames on their way into training: how long a step waits for them, and what stays in memory.

    python -m benchmarks.rgb_frames feed --dir=DATA --videos=VIDEOS
    python -m benchmarks.rgb_frames memory --dir=DATA --videos=VIDEOS

DATA is a data set that was prepared with `--frames`, VIDEOS the folder of its clips. `feed` trains
the network of RGB of the small preset of experiments/studies/interoperability.py for some steps,
once with the stored frames and once decoding the videos. `memory` trains a tiny one for thousands
of steps, decoding, and notes what the process holds.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from posec3d_jax.machine.host import tune_process

if __name__ == "__main__":
    tune_process()  # starts this program again, so nothing should have been done yet

import numpy as np

from benchmarks.long_run import footprint
from benchmarks.machine import machine
from experiments.studies.interoperability import config_for
from posec3d_jax.config import networks
from posec3d_jax.data.stored.info import read_info
from posec3d_jax.machine.host import use_compilation_cache
from posec3d_jax.runs.metric_writer import METRICS_FILE, read_metrics
from posec3d_jax.train import train_and_evaluate
from posec3d_jax.video.frame_store import FOLDER

WARM_UP = 2  # lines of metrics
EVERY = 10  # steps a line


def config_of(data: Path, videos: Path, steps: int, batch: int = 16) -> Any:
    """The small preset's training of RGB on that data set, for so many steps."""
    config = config_for("small", "utd_mhad_kinect", "RGB only", 0)
    clips = read_info(data).splits[config.data.train_split]
    config.data.dir, config.data.video_root = str(data), str(videos)
    config.train.batch_size, config.train.log_every = batch, EVERY
    config.data.repeat, config.train.epochs = -(-steps * batch // clips), 1
    return config


def without_frames(data: Path, folder: Path) -> Path:
    """The same data set in a folder that has no frames, so that they are decoded."""
    folder.mkdir()
    for path in data.iterdir():
        if path.name != FOLDER:
            (folder / path.name).symlink_to(path.resolve())
    return folder


def feed(data: Path, videos: Path, steps: int, folder: Path) -> dict[str, Any]:
    """Clips a second and the share of the time that steps wait, both ways; medians of the lines."""
    ways = {"stored": data, "decoded": without_frames(data, folder / "decoded")}
    record = {"network": "RGB only, small preset", "steps": steps}
    for name, place in ways.items():
        workdir = folder / f"run_{name}"
        config = config_of(place, videos, steps)
        config.data.video_size = (72, 96)  # as large as the stored ones
        train_and_evaluate(config, workdir)
        lines = [line for line in read_metrics(workdir / METRICS_FILE) if "train/loss" in line]
        shares = [line["train/waiting_for_input"] for line in lines[WARM_UP:]]
        rates = [line["train/clips_per_second"] for line in lines[WARM_UP:]]
        record[name] = {
            "waiting": round(statistics.median(shares), 4),
            "most_waiting": round(max(shares), 4),
            "clips_per_second": round(statistics.median(rates), 1),
        }
        print(name, record[name], flush=True)
    return record


def memory(
    data: Path, videos: Path, steps: int, folder: Path, first: int = 200, every: int = 50
) -> dict[str, Any]:
    """What the process holds from step `first` on, decoding videos; its growth is a line's."""
    config = config_of(without_frames(data, folder / "decoded"), videos, steps, batch=2)
    config.model = networks.slowonly_rgb(width=2, stage_blocks=(1, 1, 1, 1), dropout=0.0)
    config.rgb.num_frames, config.rgb.train_resize = 2, (20, 20)
    config.rgb.train_size = config.rgb.test_size = (16, 16)
    config.optimizer.learning_rate = 0.01
    seen: dict[int, dict[str, int]] = {}

    def after_step(plan, step: int) -> None:
        if step >= first and (step - first) % every == 0:
            seen[step] = footprint()

    train_and_evaluate(config, folder / "memory", after_step=after_step)
    sizes = [held["host_bytes"] for held in seen.values()]
    slope, start = np.polyfit([step - first for step in seen], sizes, 1)
    files = [held["open_files"] for held in seen.values()]
    record = {
        "steps": max(seen),
        "clips_decoded": 2 * max(seen),
        "growth": round(float(slope * (max(seen) - first) / start), 5),
        "least_megabytes": round(min(sizes) / 1e6, 1),
        "most_megabytes": round(max(sizes) / 1e6, 1),
        "open_files_first_last_most": [files[0], files[-1], max(files)],
        "threads_first_last": [h["threads"] for h in (seen[min(seen)], seen[max(seen)])],
    }
    print(record, flush=True)
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("figure", choices=("feed", "memory"))
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=0, help="0: 120 of feed, 2200 of memory")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/rgb_frames.json"))
    options = parser.parse_args()
    use_compilation_cache()
    before = machine()
    record = json.loads(options.out.read_text()) if options.out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        measure, steps = {"feed": (feed, 120), "memory": (memory, 2200)}[options.figure]
        found = measure(options.dir, options.videos, options.steps or steps, Path(folder))
    record[options.figure] = {"machine": before, **found}
    options.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
