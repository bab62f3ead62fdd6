"""MoveNet in JAX against the published graphs: how equal on real frames, and how fast.

    python -m benchmarks.movenet parity VIDEO ... --package=FOLDER --node=FOLDER [--out=FILE.json]
    python -m benchmarks.movenet speed [--rounds=15] [--out=FILE.json]

`parity` runs TensorFlow.js in Node on the same pictures: `--package` is the npm package of the
weights unpacked, `--node` a folder with @tensorflow/tfjs and its wasm backend installed. `speed`
takes turns with ONNX Runtime (`--estimator=thunder:onnxruntime` and the like), round by round, so
that the ratio holds on a busy machine, too; milliseconds hold on a quiet one only.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.machine import machine
from posec3d_jax.kernels.target import target_here
from posec3d_jax.machine.host import compiler_options
from posec3d_jax.poses.movenet import peaks, weights
from posec3d_jax.poses.movenet.engines import OnnxNetwork
from posec3d_jax.poses.movenet.network import maps
from posec3d_jax.video.decoding import read_frames
from posec3d_jax.video.info import probe

SIZES = {"lightning": (192, 192), "thunder": (256, 256), "multipose": (256, 256)}
FRAMES = 8  # of each video
TIMED = SIZES | {"multipose": (384, 384)}


def answer(variant: str, layers: weights.Layers, image: jax.Array) -> jax.Array:
    """What the published graph answers, flattened."""
    heads = {head: m[0] for head, m in maps(layers, image[None], target_here()).items()}
    if variant != "multipose":
        return peaks.one_person(heads, layers["centre_weight"]["weight"]).ravel()
    joints, boxes, confidence = peaks.several_persons(heads)
    parts = (joints.reshape(len(joints), -1), boxes, confidence[:, None])
    return jnp.concatenate(parts, axis=1).ravel()


def parity(videos: list[Path], package: Path, node: Path) -> dict:
    """Largest difference of the answers (places in parts of the sides, scores) per variant."""
    record = {}
    for variant, size in SIZES.items():
        chosen = [np.linspace(0, probe(video).frames - 1, FRAMES).astype(int) for video in videos]
        pictures = np.concatenate(
            [read_frames(v, c, size) for v, c in zip(videos, chosen, strict=True)]
        )
        published = _tfjs(pictures, package / f"models/movenet-{variant}.json", node)
        ours = jax.jit(partial(answer, variant, weights.load(variant)))
        differences = [np.abs(ours(p) - q).max() for p, q in zip(pictures, published, strict=True)]
        record[variant] = {
            "pictures": len(pictures),
            "largest_difference": float(max(differences)),
            "median_of_largest": float(np.median(differences)),
        }
        print(variant, record[variant], flush=True)
    return record


def _tfjs(pictures: np.ndarray, model: Path, node: Path) -> list[np.ndarray]:
    script = Path(__file__).with_name("movenet_tfjs.mjs").resolve()
    with tempfile.TemporaryDirectory() as scratch:
        raw, out = Path(scratch) / "pictures.bin", Path(scratch) / "out.json"
        pictures.tofile(raw)
        height, width = map(str, pictures.shape[1:3])
        command = ["node", script, model.resolve(), raw, height, width, out, "wasm"]
        subprocess.run(command, cwd=node, check=True, stdout=subprocess.DEVNULL)
        return [np.array(result["Identity"]["data"]) for result in json.loads(out.read_text())]


def speed(rounds: int) -> dict:
    """Milliseconds of one picture through the network, in turns with ONNX Runtime."""
    record = {}
    for variant, (height, width) in TIMED.items():
        layers = weights.load(variant)
        picture = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
        runs = {
            "jax": _jax(layers, picture),
            "onnxruntime": partial(OnnxNetwork(layers), picture),
        }
        times = {name: [] for name in runs}
        cpu = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                wall, processor = _timed(run)
                times[name].append(wall)
                cpu[name].append(processor)
        record[f"{variant}_{height}x{width}"] = _summary(times, cpu)
        print(variant, record[f"{variant}_{height}x{width}"], flush=True)
    return record


def _jax(layers: weights.Layers, picture: np.ndarray) -> Callable[[], object]:
    run = jax.jit(partial(maps, target=target_here()), compiler_options=compiler_options())
    layers = jax.device_put(layers)
    return lambda: jax.block_until_ready(run(layers, picture))


def _timed(run: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """(wall, processor) milliseconds of one call, the mean of a few."""
    run()
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(times):
        run()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return wall / times * 1e3, processor / times * 1e3


def _summary(times: dict[str, list[float]], cpu: dict[str, list[float]]) -> dict:
    ratio = np.array(times["jax"]) / np.array(times["onnxruntime"])
    processor = np.array(cpu["jax"]) / np.array(cpu["onnxruntime"])
    return {
        **{f"{name}_ms": round(float(np.median(t)), 1) for name, t in times.items()},
        **{f"{name}_fastest_ms": round(float(np.min(t)), 1) for name, t in times.items()},
        **{f"{name}_cpu_ms": round(float(np.median(t)), 1) for name, t in cpu.items()},
        "ratio": round(float(np.median(ratio)), 2),
        "cpu_ratio": round(float(np.median(processor)), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["parity", "speed"])
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--node", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "parity":
        record = parity(arguments.videos, arguments.package, arguments.node)
    else:
        record = speed(arguments.rounds)
    if arguments.out:
        record = {"machine": machine(), "threads": len(os.sched_getaffinity(0)), **record}
        arguments.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
