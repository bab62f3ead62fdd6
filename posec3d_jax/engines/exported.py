"""An exported network in ONNX Runtime, without JAX: what the file says of itself, and its engine.

The names of inputs, output and facts are those that `posec3d export` writes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.config.stored import config_of
from posec3d_jax.data.feed.gathering import Batch
from posec3d_jax.files.arrays import brief
from posec3d_jax.files.kinds import kind_of
from posec3d_jax.files.places import expand
from posec3d_jax.machine.onnx_packages import onnx_package
from posec3d_jax.skeletons.needs import AllNeeds, Needs
from posec3d_jax.skeletons.planes import stored_layout
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.steps.protocol import Protocol

INPUTS = ("keypoint", "score", "frame_size")
OUTPUT = "probabilities"
FORMAT = "posec3d_jax model, version 1"
_LARGEST = 1 << 31  # bytes; what protocol buffers can hold
_AGAIN = "export the run again with this version of `posec3d export`"


class ExportedEngine:
    """See `Engine`. Ready at once: nothing is compiled."""

    draws = False

    def __init__(self, file: str | Path):
        """`file`: an ONNX file of `posec3d export`.

        Raises:
          FileNotFoundError: there is no such file.
          ValueError: it is none, or of a version that did not say how clips are prepared; or ONNX
            Runtime is not installed.
        """
        path = expand(file)
        self._session = _session(path)
        facts = _facts(self._session, path)
        try:
            self.config = config_of(facts["config"])
            self.class_names = tuple(map(str, facts["classes"]))
            self.protocol = Protocol(facts["views"]["clips"], facts["views"]["mirrored_too"])
            self.needs: AllNeeds = {"pose": Needs(**facts["needs"])}
            self.skeleton: Skeleton = stored_layout(self.config.data)
            self._persons = int(self.config.data.max_persons)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ValueError(f"{path} says of itself what makes no sense ({error})") from error
        ends = [*self._session.get_inputs(), *self._session.get_outputs()]
        self._sizes = {end.name: list(end.shape) for end in ends}
        self._check(path)

    def scores(self, batch: Batch) -> np.ndarray:
        count = len(batch["score"])
        size = self._sizes["score"][0]
        size = size if isinstance(size, int) else count  # a name stands for any number
        parts = []
        for start in range(0, count, size):  # a fixed size is filled up with the last clip
            rows = np.minimum(np.arange(start, start + size), count - 1)
            inputs = {name: np.asarray(batch[name][rows], np.float32) for name in INPUTS}
            parts.append(self._session.run([OUTPUT], inputs)[0])
        return np.concatenate(parts)[:count]

    def volume(self, batch: Batch) -> np.ndarray:
        raise ValueError("an exported network gives labels and no volumes")

    def _check(self, path: Path) -> None:
        """Raises ValueError where the network takes other arrays than its facts call for."""
        pose = self.needs["pose"]
        frames = pose.frames * (1 + pose.following) * self.protocol.clips
        wanted = [self._persons, frames, self.skeleton.num_joints]
        sizes = {"keypoint": [*wanted, 2], "score": wanted, "frame_size": [2]}
        sizes[OUTPUT] = [len(self.class_names)]
        for name, size in sizes.items():
            if self._sizes.get(name, [])[1:] != size:
                raise ValueError(
                    f"{path}: {name} is {brief(self._sizes.get(name))}, and by what it says of "
                    f"itself it would be [batch, {', '.join(map(str, size))}]: {_AGAIN}"
                )


def _session(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file; `posec3d export` writes one")
    runtime = onnx_package("onnxruntime", f"{path}: an exported network")
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path} has over {_LARGEST} bytes; it is no exported network")
    try:
        return runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has exceptions of its own, without a common base
        raise ValueError(
            f"{path} is {kind_of(path)}, no network that ONNX Runtime can read "
            f"({str(error)[:300]}); expected what `posec3d export` writes as .onnx"
        ) from error


def _facts(session: Any, path: Path) -> Mapping[str, Any]:
    """What the file says of itself, as `export.metadata.describe` wrote it."""
    written = session.get_modelmeta().custom_metadata_map
    if written.get("format") != FORMAT:
        raise ValueError(f"{path} is an ONNX file, but none of `posec3d export`")
    if "config" not in written:
        raise ValueError(f"{path} does not say how clips are prepared: {_AGAIN}")
    texts = ("classes", "config", "needs", "views")
    try:
        return {name: json.loads(written[name]) for name in texts}
    except (KeyError, RecursionError, ValueError) as error:
        raise ValueError(f"{path}: its description is damaged ({error}): {_AGAIN}") from error
