"""JAX's operations in ONNX: each takes the graph, the traced operation and its inputs."""

from collections.abc import Callable
from functools import partial

import numpy as np

from posec3d_jax.export.onnx_graph import (
    Graph,
    Value,
    element_type,
    is_free,
    reheld,
    tensor,
)
from posec3d_jax.export.onnx_products import convolution, dot_general, max_pool

_STEPS_BACK = np.iinfo(np.int64).min


def _result(equation, number: int = 0):
    return equation.outvars[number].aval


def _elementwise(write: Callable[..., str], graph: Graph, equation, *inputs: Value) -> list[Value]:
    """Inputs as they are held: ONNX stretches them as far as they need to meet."""
    out = _result(equation)
    rank = max(len(value.held) for value in inputs)
    held = tuple(np.broadcast_shapes(*((1,) * (rank - len(v.held)) + v.held for v in inputs)))
    name = write(graph, equation, *map(graph.name, inputs))
    return [Value(name, held, out.shape, np.dtype(out.dtype))]


def _node(operation: str) -> Callable[..., str]:
    return lambda graph, equation, *names: graph.emit(operation, names)


def _negated(operation: str) -> Callable[..., str]:
    return lambda graph, equation, *names: graph.emit("Not", [graph.emit(operation, names)])


def _is_finite(graph: Graph, equation, x: str) -> str:
    odd = graph.emit("Or", [graph.emit("IsNaN", [x]), graph.emit("IsInf", [x])])
    return graph.emit("Not", [odd])


def _select(graph: Graph, equation, which: str, *cases: str) -> str:
    if len(cases) != 2:
        raise ValueError("a choice among more than two cases has no translation to ONNX")
    return graph.emit("Where", [which, cases[1], cases[0]])


def _cast(graph: Graph, equation, x: str) -> str:
    return graph.emit("Cast", [x], to=element_type(equation.params["new_dtype"]))


def _square(graph: Graph, equation, x: str) -> str:
    return graph.emit("Mul", [x, x])


def _rsqrt(graph: Graph, equation, x: str) -> str:
    return graph.emit("Reciprocal", [graph.emit("Sqrt", [x])])


def _integer_pow(graph: Graph, equation, x: str) -> str:
    dtype = equation.invars[0].aval.dtype
    return graph.emit("Pow", [x, graph.array(np.array(equation.params["y"], dtype))])


_WRITE = {
    "add": _node("Add"),
    "sub": _node("Sub"),
    "mul": _node("Mul"),
    "div": _node("Div"),
    "max": _node("Max"),
    "min": _node("Min"),
    "neg": _node("Neg"),
    "exp": _node("Exp"),
    "log": _node("Log"),
    "tanh": _node("Tanh"),
    "logistic": _node("Sigmoid"),
    "sqrt": _node("Sqrt"),
    "abs": _node("Abs"),
    "sign": _node("Sign"),
    "floor": _node("Floor"),
    "ceil": _node("Ceil"),
    "and": _node("And"),
    "or": _node("Or"),
    "not": _node("Not"),
    "eq": _node("Equal"),
    "ne": _negated("Equal"),
    "gt": _node("Greater"),
    "ge": _node("GreaterOrEqual"),
    "lt": _node("Less"),
    "le": _node("LessOrEqual"),
    "is_finite": _is_finite,
    "select_n": _select,
    "convert_element_type": _cast,
    "square": _square,
    "rsqrt": _rsqrt,
    "integer_pow": _integer_pow,
}
ELEMENTWISE = frozenset(_WRITE)


def _broadcast(graph: Graph, equation, x: Value, *_) -> list[Value]:
    """Only the rank changes; the sizes are left to whoever reads it."""
    shape, places = equation.params["shape"], equation.params["broadcast_dimensions"]
    held = [1] * len(shape)
    for place, size in zip(places, x.held, strict=True):
        held[place] = size
    if x.is_constant:
        return [reheld(x, x.data.reshape(held), held, shape)]
    data = x.data if tuple(held) == x.held else graph.reshape(x.data, held)
    return [reheld(x, data, held, shape)]


def _reshape(graph: Graph, equation, x: Value, *_) -> list[Value]:
    shape = tuple(_result(equation).shape)
    name = graph.whole(x) if x.shape == shape else graph.reshape(graph.whole(x), shape)
    return [tensor(name, shape, x.dtype)]


def _squeeze(graph: Graph, equation, x: Value) -> list[Value]:
    dropped = equation.params["dimensions"]
    held = tuple(n for i, n in enumerate(x.held) if i not in dropped)
    shape = tuple(_result(equation).shape)
    if x.is_constant:
        return [reheld(x, x.data.reshape(held), held, shape)]
    return [reheld(x, graph.reshape(x.data, held), held, shape)]


def _transpose(graph: Graph, equation, x: Value) -> list[Value]:
    order = equation.params["permutation"]
    held, shape = ([sizes[i] for i in order] for sizes in (x.held, x.shape))
    name = graph.emit("Transpose", [graph.name(x)], perm=list(order))
    return [reheld(x, name, held, shape)]


def _slice(graph: Graph, equation, x: Value) -> list[Value]:
    params = equation.params
    steps = params["strides"] or (1,) * len(x.shape)
    name = graph.slice(graph.whole(x), params["start_indices"], params["limit_indices"], steps)
    return [tensor(name, _result(equation).shape, x.dtype)]


def _reverse(graph: Graph, equation, x: Value) -> list[Value]:
    axes = list(equation.params["dimensions"])
    lists = ([-1] * len(axes), [_STEPS_BACK] * len(axes), axes, [-1] * len(axes))
    name = graph.emit("Slice", [graph.whole(x), *map(graph.numbers, lists)])
    return [tensor(name, x.shape, x.dtype)]


def _concatenate(graph: Graph, equation, *parts: Value) -> list[Value]:
    out = _result(equation)
    names = [graph.whole(part) for part in parts]
    name = graph.emit("Concat", names, axis=equation.params["dimension"])
    return [tensor(name, out.shape, out.dtype)]


def _stack(graph: Graph, equation, *parts: Value) -> list[Value]:
    out, axis = _result(equation), equation.params["axis"]
    shape = (*out.shape[:axis], 1, *out.shape[axis + 1 :])
    names = [graph.reshape(graph.whole(part), shape) for part in parts]
    return [tensor(graph.emit("Concat", names, axis=axis), out.shape, out.dtype)]


def _split(graph: Graph, equation, x: Value) -> list[Value]:
    sizes, axis = equation.params["sizes"], equation.params["axis"]
    inputs = [graph.whole(x), graph.numbers(sizes)]
    names = graph.emit_many("Split", inputs, len(sizes), axis=axis)
    return [tensor(n, v.aval.shape, x.dtype) for n, v in zip(names, equation.outvars, strict=True)]


def _pad(graph: Graph, equation, x: Value, filler: Value) -> list[Value]:
    """Edges may be negative, which cuts."""
    out = _result(equation)
    edges = equation.params["padding_config"]
    if any(inner for *_, inner in edges):
        raise ValueError("padding between elements has no translation to ONNX")
    name = graph.whole(x)
    if any(low < 0 or high < 0 for low, high, _ in edges):
        starts = [max(-low, 0) for low, *_ in edges]
        stops = [size + min(high, 0) for size, (_, high, _) in zip(x.shape, edges, strict=True)]
        name = graph.slice(name, starts, stops, (1,) * len(starts))
    widths = [max(low, 0) for low, *_ in edges] + [max(high, 0) for _, high, _ in edges]
    if any(widths):
        name = graph.emit("Pad", [name, graph.numbers(widths), graph.name(filler)])
    return [tensor(name, out.shape, out.dtype)]


def _gather(graph: Graph, equation, x: Value, indices: Value) -> list[Value]:
    """Of all that gather can do, what indexing one axis with constants makes of it."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    out = _result(equation)
    plain = len(numbers.collapsed_slice_dims) == 1 and not numbers.operand_batching_dims
    axis = numbers.start_index_map[0]
    rest = tuple(i for i in range(len(out.shape)) if i != axis)
    whole = all(i == axis or n == x.shape[i] for i, n in enumerate(sizes))
    if not plain or not whole or not indices.is_constant or numbers.offset_dims != rest:
        raise ValueError(f"such indexing has no translation to ONNX: {equation}")
    chosen = np.broadcast_to(indices.data, indices.shape)[..., 0].astype(np.int64)
    name = graph.emit("Gather", [graph.whole(x), graph.array(chosen)], axis=axis)
    return [tensor(name, out.shape, out.dtype)]


def _reduce(operation: str, graph: Graph, equation, x: Value) -> list[Value]:
    out, axes = _result(equation), list(equation.params["axes"])
    name = graph.whole(x)
    if operation == "ReduceSum":
        name = graph.emit(operation, [name, graph.numbers(axes)], keepdims=0)
    else:
        name = graph.emit(operation, [name], axes=axes, keepdims=0)
    return [tensor(name, out.shape, out.dtype)]


def _reduce_bool(operation: str, graph: Graph, equation, x: Value) -> list[Value]:
    as_numbers = tensor(
        graph.emit("Cast", [graph.whole(x)], to=element_type(np.int32)), x.shape, np.int32
    )
    [reduced] = _reduce(operation, graph, equation, as_numbers)
    name = graph.emit("Cast", [graph.name(reduced)], to=element_type(bool))
    return [tensor(name, reduced.shape, bool)]


def _iota(graph: Graph, equation) -> list[Value]:
    """0, 1, 2, ... along one dimension, held as that alone."""
    shape, dimension = equation.params["shape"], equation.params["dimension"]
    if is_free(shape[dimension : dimension + 1]):
        raise ValueError("counting the clips of a batch has no translation to ONNX")
    held = [n if i == dimension else 1 for i, n in enumerate(shape)]
    numbers = np.arange(shape[dimension], dtype=equation.params["dtype"]).reshape(held)
    return [Value(numbers, tuple(held), tuple(shape), numbers.dtype)]


OPERATIONS = {name: partial(_elementwise, write) for name, write in _WRITE.items()} | {
    "broadcast_in_dim": _broadcast,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "slice": _slice,
    "rev": _reverse,
    "concatenate": _concatenate,
    "stack": _stack,
    "split": _split,
    "pad": _pad,
    "gather": _gather,
    "reduce_sum": partial(_reduce, "ReduceSum"),
    "reduce_max": partial(_reduce, "ReduceMax"),
    "reduce_min": partial(_reduce, "ReduceMin"),
    "reduce_and": partial(_reduce_bool, "ReduceMin"),
    "reduce_or": partial(_reduce_bool, "ReduceMax"),
    "iota": _iota,
    "conv_general_dilated": convolution,
    "dot_general": dot_general,
    "reduce_window_max": max_pool,
}
