"""What runs MoveNet's network: XLA on any device, or ONNX Runtime, which is faster on a CPU."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from posec3d_jax.machine.host import compiler_options
from posec3d_jax.machine.onnx_packages import onnx_package
from posec3d_jax.poses.movenet.network import Layer, Weights, maps

ENGINES = ("xla", "onnxruntime")

Maps = dict[str, jax.Array]  # what each head says, [N, H / 4, W / 4, C]
Read = Callable[[Maps, Layer | None], Any]  # what the maps mean, by the weight of the centre


def open_network(
    weights: Weights, read: Read, engine: str, target: str
) -> Callable[[np.ndarray], Any]:
    """The network and what is read from its maps, as a function of pictures uint8 [N, H, W, 3].

    Args:
      weights: of one variant, see weights.py.
      read: traced by JAX under either engine.
      engine: one of `ENGINES`.
      target: what XLA compiles for (`kernels.target.TARGETS`).

    Raises:
      ValueError: there is no such engine, or its packages are not installed.
    """
    if engine not in ENGINES:
        raise ValueError(f"the engine is {engine!r:.80}; expected one of {ENGINES}")
    compiled = partial(jax.jit, compiler_options=compiler_options())
    centre = weights.get("centre_weight")
    if engine == "onnxruntime":
        network, finish = OnnxNetwork(weights), compiled(read)
        return lambda pictures: finish(network(pictures), centre)

    def whole(layers: Weights, pictures: jax.Array) -> Any:
        return read(maps(layers, pictures, target), layers.get("centre_weight"))

    return partial(compiled(whole), jax.device_put(weights))


class OnnxNetwork:
    """`network.maps` in ONNX Runtime, one picture at a time; a session for each size of them.

    Raises ValueError: its packages are not installed.
    """

    def __init__(self, weights: Weights) -> None:
        for name in ("onnx", "onnxruntime"):
            runtime = onnx_package(name, "the engine onnxruntime")
        self._options = runtime.SessionOptions()
        # Those that this process may use: a worker has its share, and the last bits depend on it.
        cores = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
        self._options.intra_op_num_threads = len(cores)
        self._options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._open = partial(runtime.InferenceSession, providers=["CPUExecutionProvider"])
        self._weights, self._sessions = weights, {}

    def __call__(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        height, width = size = pictures.shape[1:3]
        if size not in self._sessions:
            from posec3d_jax.poses.movenet.onnx_graph import movenet_model

            model = movenet_model(self._weights, height, width)
            self._sessions[size] = self._open(model, self._options)
        session = self._sessions[size]
        heads = [output.name for output in session.get_outputs()]
        found = [session.run(heads, {"image": picture[None]}) for picture in pictures]
        return {h: np.concatenate(m) for h, m in zip(heads, zip(*found, strict=True), strict=True)}
