"""Products with weights and with graphs, in the formulation that is fastest on a target.

Accelerators get plain products. XLA's CPU backend would turn their operands until channels come
first, which costs more than the products; here channels stay last, and joints are turned instead.
`tests/test_graph_products.py` holds all of them to the plain form in float64.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from posec3d_jax.kernels.channels import per_channel


def affine(x: jax.Array, kernel: jax.Array, bias: jax.Array, target: str = "portable") -> jax.Array:
    """[..., C] times [C, O], plus [O]."""
    if target == "cpu":
        return _affine(x, kernel, bias)
    return x @ kernel + per_channel(bias, x)


@jax.custom_vjp
def _affine(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    flat = x.reshape(-1, x.shape[-1])
    return (flat @ kernel + bias[None]).reshape(*x.shape[:-1], -1)


def _affine_backward(saved, gradient: jax.Array):
    """The bias's gradient as a product too: XLA's reduction is slow for few channels."""
    x, kernel, bias = saved
    wide = jnp.promote_types(x.dtype, jnp.float32)
    flat, g = x.reshape(-1, x.shape[-1]), gradient.reshape(-1, gradient.shape[-1])
    ones = jnp.ones((1, len(g)), g.dtype)
    by_kernel = jnp.dot(flat.T, g, preferred_element_type=wide).astype(kernel.dtype)
    by_bias = jnp.dot(ones, g, preferred_element_type=wide)[0].astype(bias.dtype)
    return (g @ kernel.T).reshape(x.shape), by_kernel, by_bias


_affine.defvjp(lambda *inputs: (_affine(*inputs), inputs), _affine_backward)


def with_graph(
    equation: str, x: jax.Array, graph: jax.Array, target: str = "portable"
) -> jax.Array:
    """The einsum of features [N, T, V, ...] and a graph, or of two features."""
    graph = graph.astype(x.dtype)
    if target == "cpu" and equation in CHANNELS_LAST:
        return CHANNELS_LAST[equation](x, graph)
    return jnp.einsum(equation, x, graph)


def _shared(x: jax.Array, graph: jax.Array) -> jax.Array:
    """ntvkc,kvw->ntwc: joints and subsets lead, so that all else is one row."""
    n, t, v, k, c = x.shape
    rows = x.reshape(n * t, v * k, c).swapaxes(0, 1).reshape(v * k, -1)
    y = graph.transpose(2, 1, 0).reshape(-1, v * k) @ rows
    return y.reshape(-1, n * t, c).swapaxes(0, 1).reshape(n, t, -1, c)


def _scales(x: jax.Array, graph: jax.Array) -> jax.Array:
    """ntvc,svw->ntwsc: the same with several graphs."""
    n, t, v, c = x.shape
    rows = x.reshape(n * t, v, c).swapaxes(0, 1).reshape(v, -1)
    y = graph.transpose(2, 0, 1).reshape(-1, v) @ rows
    return y.reshape(-1, n * t, c).swapaxes(0, 1).reshape(n, t, -1, len(graph), c)


def _own(x: jax.Array, graph: jax.Array) -> jax.Array:
    """ntvc,nvw->ntwc: every clip has its graph."""
    n, t, v, c = x.shape
    y = jnp.einsum("nvw,nvf->nwf", graph, x.swapaxes(1, 2).reshape(n, v, -1))
    return y.reshape(n, -1, t, c).swapaxes(1, 2)


def _channel_wise(x: jax.Array, graph: jax.Array) -> jax.Array:
    """ntuc,nuvc->ntvc: every channel has its graph; a sum over joints of products."""
    return sum(x[:, :, u, None] * graph[:, None, u] for u in range(x.shape[2]))


CHANNELS_LAST: Mapping[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "ntvkc,kvw->ntwc": _shared,
    "ntvc,svw->ntwsc": _scales,
    "ntvc,nvw->ntwc": _own,
    "ntuc,nuvc->ntvc": _channel_wise,
}
