"""How many clips a second the input pipeline delivers, alone, and what a batch weighs.

    python -m benchmarks.input_pipeline                            # on generated clips
    python -m benchmarks.input_pipeline --dir=<prepared data set>

Each way of storing clips is read with each loader: 'pack' (memory-mapped arrays), 'tfds in memory'
(read once from ArrayRecord files), 'tfds streamed' (every clip read from disk when it is used).
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from benchmarks.machine import machine
from posec3d_jax.config import base
from posec3d_jax.data.feed.pipeline import LOADERS, train_batches
from posec3d_jax.data.readers import READERS
from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence
from posec3d_jax.data.stored.info import read_info
from posec3d_jax.data.stored.sources import Source, open_source
from posec3d_jax.prepare import prepare

WARM_UP = 3  # batches
REPEATS = 3  # timings, of which the median is reported
VOLUME = (56, 56)  # H, W of the heatmap volume that the keypoints become on the device


def generated_clips(count: int) -> Iterator[SkeletonSequence]:
    """COCO-17 clips of NTU60's size: two persons, 30 to 250 frames of 1080 x 1920 pixels."""
    rng = np.random.default_rng(0)
    for i in range(count):
        shape = (2, int(rng.integers(30, 251)), 17)
        keypoint = rng.uniform(0, 1080, (*shape, 2)).astype(np.float32)
        score = rng.uniform(0.3, 1, shape).astype(np.float32)
        yield SkeletonSequence(f"clip{i}", keypoint, score, (1080, 1920), i % 60)


STORAGES = ("pack", "tfds")


def prepare_generated(folder: Path, count: int, storages: Sequence[str] = STORAGES) -> list[Path]:
    """The generated clips as data sets, one of each storage."""

    def read(path, *, skeleton, camera, report) -> SkeletonDataset:
        splits = {"train": tuple(f"clip{i}" for i in range(count))}
        return SkeletonDataset("generated", skeleton, (), splits, generated_clips(count), count)

    READERS["generated"] = read
    config = base.get_config().data
    config.format, config.source = "generated", str(folder)
    config.val_split = config.test_split = ""
    for config.storage in storages:
        config.dir = str(folder / config.storage)
        prepare(config, progress=lambda line: None)
    return [folder / storage for storage in storages]


def open_each_way(folder: Path) -> Iterator[tuple[str, Source]]:
    """The largest split of a prepared data set, in every way its storage can be read."""
    info = read_info(folder)
    split = max(info.splits, key=info.splits.get)
    config = SimpleNamespace(
        dir=str(folder),
        skeleton=info.skeleton.to_dict(),
        remap_to="",
        planes=False,
        classes=(),
        num_classes=info.num_classes,
        class_names=(),
        max_persons=info.max_persons,
    )
    ways = {"pack": [("pack", False)], "tfds": [("tfds in memory", True), ("tfds streamed", False)]}
    for name, config.in_memory in ways[info.storage]:
        yield name, open_source(config, split)


def clips_per_second(source: Source, loader: str, batch_size: int, seconds: float) -> list[float]:
    """Several timings of the training batches of `source`."""
    sampling = base.get_config().sampling
    batches = train_batches(source, sampling=sampling, seed=0, batch_size=batch_size, loader=loader)
    for _ in itertools.islice(batches, WARM_UP):
        pass
    rates = []
    for _ in range(REPEATS):
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            count += len(next(batches)["label"])
        rates.append(count / (time.perf_counter() - started))
    batches.close()
    return rates


def weigh(source: Source, batch_size: int) -> dict:
    """Bytes of a batch on its way to the device, and of the volumes drawn from it there."""
    sampling = base.get_config().sampling
    batch = next(train_batches(source, sampling=sampling, seed=0, batch_size=batch_size))
    size = sum(value.nbytes for value in batch.values())
    joints = source.info.skeleton.num_joints
    volume = int(np.prod(VOLUME)) * 48 * joints * 4
    return {
        "batch_size": batch_size,
        "bytes_per_batch": size,
        "bytes_per_clip": size // batch_size,
        "shapes": {key: list(value.shape) for key, value in batch.items()},
        "volume_bytes_per_clip": volume,
        "volume": f"48 x {VOLUME[0]} x {VOLUME[1]} x {joints}, float32",
    }


def measure(folders: list[Path], batch_size: int, seconds: float) -> dict:
    """All timings, printed as they come; returns the record."""
    record = {"machine": machine(), "timings": []}
    print(f"{record['machine']['cpu']}, {record['machine']['cores']} cores")
    print(f"{'source':16} {'loader':8} {'clips/s':>9} {'lowest':>9} {'highest':>9}")
    for folder in folders:
        for name, source in open_each_way(folder):
            record.setdefault("batch", weigh(source, batch_size))
            info = source.info
            for loader in LOADERS:
                rates = sorted(clips_per_second(source, loader, batch_size, seconds))
                row = {
                    "source": name,
                    "loader": loader,
                    "clips_per_second": round(statistics.median(rates)),
                    "lowest": round(rates[0]),
                    "highest": round(rates[-1]),
                    "data_set": info.name,
                    "clips": len(source),
                    "stored_bytes_per_clip": info.num_bytes // info.num_clips,
                }
                record["timings"].append(row)
                print(
                    f"{name:16} {loader:8} {row['clips_per_second']:9,} {row['lowest']:9,} "
                    f"{row['highest']:9,}"
                )
    batch = record["batch"]
    print(
        f"a batch of {batch_size} weighs {batch['bytes_per_batch'] / 1e6:.1f} MB "
        f"({batch['bytes_per_clip']:,} bytes a clip); its volumes "
        f"{batch['volume_bytes_per_clip'] * batch_size / 1e6:,.0f} MB"
    )
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dir", type=Path, help="a prepared data set; else clips are generated")
    parser.add_argument("--clips", type=int, default=4000, help="how many to generate")
    parser.add_argument("--batch_size", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each of three timings")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/input_pipeline.json"))
    options = parser.parse_args()
    if options.dir:
        record = measure([options.dir], options.batch_size, options.seconds)
    else:
        with tempfile.TemporaryDirectory() as folder:
            folders = prepare_generated(Path(folder), options.clips)
            record = measure(folders, options.batch_size, options.seconds)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
