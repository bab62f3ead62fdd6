"""`posec3d summary`: parameters and multiply-adds of a config's network, layer by layer.

Counted as fvcore's FlopCountAnalysis counts, whose figures the papers print: a multiply-add is one;
convolutions and linear layers have their products, a BatchNorm (at test time) two for each value.
Activations, pooling and sums have none. The shapes come from tracing; nothing is computed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.encoder import num_channels
from posec3d_jax.models.layers import BatchNorm, Conv
from posec3d_jax.recognizer import Recognizer, make_recognizer
from posec3d_jax.tables import align, shape_text

_COUNTED = (Conv, BatchNorm, nn.Dense)


@dataclass(frozen=True)
class Layer:
    """A convolution, BatchNorm or linear layer, run on one clip."""

    name: str  # a convolution and its BatchNorm share one
    output: tuple[int, ...]  # [T, H, W, C], or [K]
    kernel: tuple[int, ...]  # [T, H, W]; () of the others
    parameters: int
    multiply_adds: int


def trace_layers(recognizer: Recognizer, size: Sequence[int]) -> list[Layer]:
    """The layers that a clip of `size` (H, W) runs through, in order."""
    channels = num_channels(recognizer.skeleton, recognizer.volume)
    clip = jnp.broadcast_to(jnp.float32(0), (1, recognizer.num_frames, *size, channels))
    found: list[Layer] = []

    def record(run, args, kwargs, context):
        output = run(*args, **kwargs)
        if context.method_name == "__call__" and isinstance(context.module, _COUNTED):
            found.append(_layer(context.module, output.shape))
        return output

    with nn.intercept_methods(record):
        jax.eval_shape(recognizer.model.init, jax.random.key(0), clip)
    return found


def _layer(module: nn.Module, output: Sequence[int]) -> Layer:
    shapes = {name: array.shape for name, array in module.variables["params"].items()}
    values, kernel = math.prod(output), shapes.get("kernel", ())
    return Layer(
        name="/".join(part for part in module.path if part not in ("conv", "bn")),
        output=tuple(output[1:]),
        kernel=tuple(kernel[:-2]),
        parameters=sum(map(math.prod, shapes.values())),
        # Every output value takes a product with each weight of its channel.
        multiply_adds=values * (math.prod(kernel[:-1]) if kernel else 2),
    )


def totals(layers: Sequence[Layer]) -> tuple[int, int]:
    """(parameters, multiply-adds) of all layers."""
    return sum(a.parameters for a in layers), sum(a.multiply_adds for a in layers)


def summarize(config) -> str:
    """The table to print: every layer at the training size, the totals at both sizes."""
    recognizer, volume = make_recognizer(config), config.volume
    layers = trace_layers(recognizer, volume.train_size)
    names = dict.fromkeys(layer.name for layer in layers)
    rows = [_row([a for a in layers if a.name == name]) for name in names]
    header = ["layer", "kernel", "output", "parameters", "multiply-adds"]
    blocks = [align([header, *rows], right=frozenset({3, 4}))]
    channels = num_channels(recognizer.skeleton, volume)
    for use, size in (("training", volume.train_size), ("test", volume.test_size)):
        parameters, operations = totals(trace_layers(recognizer, size))
        clip = shape_text([channels, config.sampling.num_frames, *size])
        blocks.append(
            f"{config.model.name} at the {use} size {clip}: {parameters / 1e6:.3f} M parameters, "
            f"{operations / 1e9:.3f} G multiply-adds a view (fvcore's count)"
        )
    return "\n\n".join([blocks[0], "\n".join(blocks[1:])])


def _row(parts: Sequence[Layer]) -> list[str]:
    """A line of the table, from the layers that share a name."""
    first, (parameters, operations) = parts[0], totals(parts)
    kernel = shape_text(first.kernel) if first.kernel else ""
    return [first.name, kernel, shape_text(first.output), f"{parameters:,}", f"{operations:,}"]
