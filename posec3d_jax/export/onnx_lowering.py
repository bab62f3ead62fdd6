"""A traced function (a jaxpr) becomes an ONNX graph: what is known is computed, the rest written.

Everything that depends on constants alone (kernels in ONNX's layout, windows, permutations) is
worked out here by JAX itself, and enters the graph as a constant.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from jax.extend import core

from posec3d_jax.export.onnx_graph import Graph, Value, constant, is_free
from posec3d_jax.export.onnx_operations import ELEMENTWISE, OPERATIONS

_INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_TRANSPARENT = ("stop_gradient", "copy", "copy_p", "optimization_barrier")
_MOST_FOLDED = 1 << 16  # numbers of a constant that are kept although they are but repeated


class Untranslated(ValueError):
    """The function uses something that has no translation."""


def lower(graph: Graph, jaxpr: core.ClosedJaxpr, arguments: Sequence[Value]) -> list[Value]:
    """Writes a function's operations into the graph.

    Args:
      graph: gets the nodes.
      jaxpr: of the function, traced.
      arguments: one value for each of its arguments; may be constants.

    Returns:
      Its results.

    Raises:
      Untranslated: an operation that is none of `onnx_operations`; names it.
    """
    inner = jaxpr.jaxpr
    known: dict[core.Var, Value] = dict(zip(inner.invars, arguments, strict=True))
    known |= zip(inner.constvars, map(constant, jaxpr.consts), strict=True)

    def read(atom: Any) -> Value:
        if isinstance(atom, core.Literal):
            return constant(np.asarray(atom.val, atom.aval.dtype))
        return known[atom]

    for equation in _needed(inner):
        values = _apply(graph, equation, [read(atom) for atom in equation.invars])
        known |= zip(equation.outvars, values, strict=True)
    return [read(atom) for atom in inner.outvars]


def _needed(jaxpr: core.Jaxpr) -> list[core.JaxprEqn]:
    """The operations that a result depends on."""
    wanted = {atom for atom in jaxpr.outvars if not isinstance(atom, core.Literal)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if wanted.intersection(equation.outvars):
            kept.append(equation)
            wanted.update(a for a in equation.invars if not isinstance(a, core.Literal))
    return kept[::-1]


def _apply(graph: Graph, equation: core.JaxprEqn, inputs: list[Value]) -> list[Value]:
    name = equation.primitive.name
    if name in _TRANSPARENT:
        return inputs
    for key in _INNER:
        if key in equation.params:
            inner = equation.params[key]
            closed = inner if hasattr(inner, "consts") else core.ClosedJaxpr(inner, ())
            return lower(graph, closed, inputs)
    if all(value.is_constant for value in inputs) and _folds(equation, inputs):
        return _folded(equation, inputs)
    if name not in OPERATIONS:
        raise Untranslated(
            f"the network uses {name!r}, which has no translation to ONNX; --format=stablehlo "
            "takes every operation"
        )
    return OPERATIONS[name](graph, equation, *inputs)


def _folds(equation: core.JaxprEqn, inputs: list[Value]) -> bool:
    """Whether the results are worth keeping as constants."""
    if equation.primitive.name == "broadcast_in_dim":
        return False  # stays as it is held
    if equation.primitive.name in ELEMENTWISE:
        return True
    shapes = [out.aval.shape for out in equation.outvars]
    if any(map(is_free, (*shapes, *(value.shape for value in inputs)))):
        return False
    largest = max(map(prod, shapes))
    return largest <= max(_MOST_FOLDED, 2 * sum(prod(value.held) for value in inputs))


def _folded(equation: core.JaxprEqn, inputs: list[Value]) -> list[Value]:
    """The results, computed by JAX."""
    if equation.primitive.name in ELEMENTWISE:
        arrays = np.broadcast_arrays(*(value.data for value in inputs))
        shape = equation.outvars[0].aval.shape
        result = np.asarray(equation.primitive.bind(*arrays, **equation.params))
        return [Value(result, result.shape, shape, result.dtype)]
    arrays = [np.broadcast_to(value.data, value.shape) for value in inputs]
    results = equation.primitive.bind(*arrays, **equation.params)
    many = results if equation.primitive.multiple_results else [results]
    return [constant(np.asarray(result)) for result in many]
