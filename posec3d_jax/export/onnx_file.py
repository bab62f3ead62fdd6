"""A program as an ONNX file, and what ONNX Runtime makes of it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import onnx
import onnxruntime
from onnx import helper

from posec3d_jax.engines.exported import INPUTS, OUTPUT
from posec3d_jax.export.onnx_graph import FREE, OPSET, Graph, tensor, value_info
from posec3d_jax.export.onnx_lowering import lower
from posec3d_jax.export.program import Program

IR_VERSION = 8  # what readers of opset 17 know


def write_onnx(program: Program, batch: int, metadata: Mapping[str, Any]) -> bytes:
    """The file's bytes.

    Args:
      program: of target 'portable'.
      batch: clips that it takes at once; 0 for any number.
      metadata: plain values, kept in the file as JSON under their names.

    Raises:
      Untranslated: the network uses an operation that has no translation; names it.
    """
    inputs = dict(zip(INPUTS, program.shapes(batch or FREE), strict=True))
    name = program.config.name
    return assemble(program.function, inputs, OUTPUT, name=name, metadata=metadata)


def assemble(
    function: Callable,
    inputs: Mapping[str, jax.ShapeDtypeStruct],
    output: str,
    *,
    name: str,
    metadata: Mapping[str, Any],
) -> bytes:
    """An ONNX file of any function of arrays that has one result, called `output`.

    Where an input's first size is `FREE` it takes any number of rows.
    """
    traced = jax.make_jaxpr(function)(*inputs.values())
    graph = Graph(batch_source=next(iter(inputs)))
    arguments = [tensor(key, s.shape, s.dtype) for key, s in inputs.items()]
    [result] = lower(graph, traced, arguments)
    graph.nodes.append(helper.make_node("Identity", [graph.whole(result)], [output]))
    description = helper.make_graph(
        graph.nodes,
        name,
        [value_info(value.data, value.shape, value.dtype) for value in arguments],
        [value_info(output, result.shape, result.dtype)],
        graph.initializers(),
    )
    model = helper.make_model(
        description,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="posec3d_jax",
    )
    kept = {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}
    helper.set_model_props(model, kept)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def read_onnx(
    file: bytes, inputs: tuple[str, ...] = INPUTS, output: str = OUTPUT
) -> Callable[..., np.ndarray]:
    """The file in ONNX Runtime: a function of the inputs that needs no JAX."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run(*arrays: np.ndarray) -> np.ndarray:
        return session.run([output], dict(zip(inputs, arrays, strict=True)))[0]

    return run
