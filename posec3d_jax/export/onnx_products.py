"""Convolutions, maxima over windows and matrix products in ONNX."""

import string

import numpy as np

from posec3d_jax.export.onnx_graph import Graph, Value, tensor


def convolution(graph: Graph, equation, x: Value, kernel: Value) -> list[Value]:
    """JAX keeps channels last, ONNX has them first: turned before and after.

    Runtimes push such turns through what lies between two convolutions.
    """
    params, out = equation.params, equation.outvars[0].aval
    numbers = params["dimension_numbers"]
    if any(n != 1 for n in params["lhs_dilation"]) or params["batch_group_count"] != 1:
        raise ValueError("such a convolution has no translation to ONNX")
    name = graph.emit("Transpose", [graph.whole(x)], perm=list(numbers.lhs_spec))
    weights = graph.emit("Transpose", [graph.whole(kernel)], perm=list(numbers.rhs_spec))
    if kernel.is_constant:
        graph.nodes.pop()
        array = np.broadcast_to(kernel.data, kernel.shape)
        weights = graph.array(array.transpose(numbers.rhs_spec))
    name = graph.emit(
        "Conv",
        [name, weights],
        strides=list(params["window_strides"]),
        dilations=list(params["rhs_dilation"]),
        pads=[low for low, _ in params["padding"]] + [high for _, high in params["padding"]],
        group=params["feature_group_count"],
    )
    name = graph.emit("Transpose", [name], perm=np.argsort(numbers.out_spec).tolist())
    return [tensor(name, out.shape, out.dtype)]


def max_pool(graph: Graph, equation, x: Value) -> list[Value]:
    """The largest in windows over all axes but the first and the last."""
    params, out = equation.params, equation.outvars[0].aval
    window, rank = params["window_dimensions"], len(x.shape)
    dilated = any(n != 1 for n in (*params["base_dilation"], *params["window_dilation"]))
    if dilated or window[0] != 1 or window[-1] != 1:
        raise ValueError("such a maximum over windows has no translation to ONNX")
    inner, pads = slice(1, rank - 1), params["padding"][1 : rank - 1]
    first = graph.emit("Transpose", [graph.whole(x)], perm=[0, rank - 1, *range(1, rank - 1)])
    pooled = graph.emit(
        "MaxPool",
        [first],
        kernel_shape=list(window[inner]),
        strides=list(params["window_strides"][inner]),
        pads=[low for low, _ in pads] + [high for _, high in pads],
    )
    last = graph.emit("Transpose", [pooled], perm=[0, *range(2, rank), 1])
    return [tensor(last, out.shape, out.dtype)]


def dot_general(graph: Graph, equation, a: Value, b: Value) -> list[Value]:
    """[..., I] x [I, O] is a product; everything else a sum over letters."""
    out = equation.outvars[0].aval
    (contract_a, contract_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    names = [graph.whole(a), graph.whole(b)]
    last_first = contract_a == (len(a.shape) - 1,) and contract_b == (0,)
    if last_first and not batch_a and len(b.shape) == 2:
        return [tensor(graph.emit("MatMul", names), out.shape, out.dtype)]
    letters = iter(string.ascii_lowercase)
    of_a = [next(letters) for _ in a.shape]
    of_b = [next(letters) for _ in b.shape]
    for i, j in zip((*batch_a, *contract_a), (*batch_b, *contract_b), strict=True):
        of_b[j] = of_a[i]
    free_a = [of_a[i] for i in range(len(of_a)) if i not in (*batch_a, *contract_a)]
    free_b = [of_b[j] for j in range(len(of_b)) if j not in (*batch_b, *contract_b)]
    of_out = [of_a[i] for i in batch_a] + free_a + free_b
    formula = f"{''.join(of_a)},{''.join(of_b)}->{''.join(of_out)}"
    return [tensor(graph.emit("Einsum", names, equation=formula), out.shape, out.dtype)]
