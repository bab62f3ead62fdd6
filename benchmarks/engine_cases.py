"""What is timed of the engines; each case returns a call to time, and facts to report.

A process that times ONNX Runtime never loads JAX.
"""

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.clips import FRAME_SIZE, SKELETON, make_clips
from posec3d_jax.predict import Predictor, load_exported
from posec3d_jax.recognise import Labelled, Recogniser
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.video.windows import PoseFrame, PoseStream

Case = tuple[Callable[[], Any], dict[str, Any]]
FRAMES = 100  # of a recording
RATE, WINDOW = 30, 2.0  # frames a second of the stream, seconds that a label is made of


def export(network: str, file: str) -> Case:
    """Writes the network of `jax_cases.untrained` as `posec3d export` writes a run."""
    from posec3d_jax.export.metadata import describe
    from posec3d_jax.export.onnx_file import write_onnx
    from posec3d_jax.export.program import Program
    from posec3d_jax.runs.records import names_of_classes
    from posec3d_jax.steps.protocol import ONE_CLIP
    from posec3d_jax.steps.recognizer import make_recognizer

    config, variables = _untrained(network)
    recognizer, names = make_recognizer(config, "portable"), names_of_classes(config.data)
    folded = recognizer.fold(variables)
    program = Program(config, recognizer, folded, ONE_CLIP, names, "untrained")
    content = write_onnx(program, 0, describe(program, 0))
    Path(file).write_bytes(content)
    return (lambda: None), {"megabytes": round(len(content) / 1e6, 2)}


def scores(engine: str, network: str, file: str, batch: int) -> Case:
    """Prepared clips of one person to their probabilities."""
    predictor = _predictor(engine, network, file)
    clips = make_clips(batch, 1, FRAMES)
    prepared = [
        predictor.prepare(clips["keypoint"][i], clips["score"][i], FRAME_SIZE)[0]
        for i in range(batch)
    ]
    whole = {name: np.concatenate([one[name] for one in prepared]) for name in prepared[0]}
    found = predictor.scores(whole)
    return (lambda: predictor.scores(whole)), {"scores": found.tolist()}


def stream(
    engine: str, network: str, file: str, persons: int, label_rate: float, seconds: float
) -> Case:
    """Poses that arrive at `RATE`, each person labelled `label_rate` times a second; no timed call.

    The facts say how much of a core that takes while labels come, and how late the last one is.
    """
    predictor, watch = _predictor(engine, network, file), _Watch()
    clip = make_clips(1, persons, FRAMES)
    predictor(clip["keypoint"][0], clip["score"][0], FRAME_SIZE)  # compiles
    joints = get_skeleton(SKELETON).joints
    poses = PoseStream(joints, FRAME_SIZE, _paced(persons, WINDOW + seconds, watch))
    recogniser = Recogniser(predictor, window=WINDOW, step=1 / label_rate)
    for _ in recogniser(poses, watch.labelled):
        pass
    return (lambda: None), watch.facts()


def _paced(persons: int, seconds: float, watch: "_Watch") -> Iterator[PoseFrame]:
    """Poses of persons who sway, each frame when its time has come."""
    count = round(RATE * seconds)
    clip, began = make_clips(1, persons, count), time.perf_counter()
    for i in range(count):
        time.sleep(max(0.0, began + i / RATE - time.perf_counter()))
        watch.due = began + i / RATE
        ids = np.arange(persons)
        yield PoseFrame(i / RATE, clip["keypoint"][0, :, i], clip["score"][0, :, i], ids)
    watch.stop()


class _Watch:
    """CPU and wall seconds from the first label to the last frame."""

    def __init__(self) -> None:
        self.due, self._late, self._start, self._end = 0.0, [], None, None

    def labelled(self, _: Labelled) -> None:
        if self._start is None:
            self._start = time.process_time(), time.perf_counter()
        elif self._end is None:
            self._late.append(time.perf_counter() - self.due)

    def stop(self) -> None:
        self._end = time.process_time(), time.perf_counter()

    def facts(self) -> dict[str, float]:
        cpu, wall = (b - a for a, b in zip(self._start, self._end, strict=True))
        return {
            "share_of_a_core": round(cpu / wall, 3),
            "labels_a_second": round(len(self._late) / wall, 2),
            "latency_ms_median": round(1e3 * float(np.median(self._late)), 1),
            "latency_ms_95_percent": round(1e3 * float(np.quantile(self._late, 0.95)), 1),
        }


def _predictor(engine: str, network: str, file: str) -> Predictor:
    if engine == "onnxruntime":
        return load_exported(file)
    from posec3d_jax.engines.xla import XlaEngine

    config, variables = _untrained(network)
    return Predictor(config, XlaEngine(config, variables))


@lru_cache(maxsize=1)  # of the network that is worked on: several cases share it
def _untrained(network: str) -> tuple[Any, Any]:
    from benchmarks.jax_cases import untrained

    return untrained(network)


CASES = MappingProxyType({case.__name__: case for case in (export, scores, stream)})
