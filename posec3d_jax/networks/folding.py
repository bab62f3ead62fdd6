"""For inference, a BatchNorm right after a convolution becomes part of it: its factors go into the
kernel, and a bias is left."""

from typing import Any

import flax.linen as nn
import jax
from flax.traverse_util import flatten_dict, unflatten_dict

from posec3d_jax.kernels import norm
from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.networks import layers
from posec3d_jax.networks.graph import layers as graph_layers

Tree = Any
CONV_NORMS = (layers.ConvNorm, graph_layers.ConvNorm)


def fold(model: nn.Module, variables: Tree, inputs: jax.Array | jax.ShapeDtypeStruct) -> Tree:
    """Variables with which `model` does the same, up to rounding, as long as it does not train.

    Every `ConvNorm` is folded. A BatchNorm that something else comes before stays as it is.

    Args:
      model: a network.
      variables: its {'params', 'batch_stats'}, not folded.
      inputs: anything that it takes; only shape and dtype are looked at.
    """
    params, statistics = (flatten_dict(variables[k]) for k in ("params", "batch_stats"))
    for path in _conv_norms(model, variables, inputs):
        conv, bn = (*path, "conv"), (*path, "bn")
        mean, var = (statistics.pop((*bn, key)) for key in ("mean", "var"))
        scale, bias = params.pop((*bn, "scale")), params[*bn, "bias"]
        factor, params[*bn, "bias"] = norm.factor_and_shift(scale, bias, mean, var)
        for key in ("kernel", "bias"):
            if (*conv, key) in params:
                params[*conv, key] *= per_channel(factor, params[*conv, key])
    return {"params": unflatten_dict(params), "batch_stats": unflatten_dict(statistics)}


def _conv_norms(model: nn.Module, variables: Tree, inputs) -> list[tuple[str, ...]]:
    """Where in the network the pairs are; names do not tell, but the types of its modules do."""
    paths = []

    def note(call, args, kwargs, context):
        if isinstance(context.module, CONV_NORMS):
            paths.append(context.module.path)
        return call(*args, **kwargs)

    with nn.intercept_methods(note):
        jax.eval_shape(lambda v, x: model.apply(v, x, train=False), variables, inputs)
    return paths
