"""`posec3d summary`: parameters and multiply-adds of a config's network, layer by layer.

Counted as fvcore's FlopCountAnalysis counts, whose figures the papers print: a multiply-add is one;
convolutions and linear layers have their products, a BatchNorm (at test time) two for each value, a
product with a graph one for each joint that it adds up. Activations, pooling and sums have none.
Papers leave the graphs out of a graph network's figure, so that both are given there. The shapes
come from tracing; nothing is computed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.encoders import blank
from posec3d_jax.files.tables import align, shape_text
from posec3d_jax.networks.graph.layers import Product
from posec3d_jax.networks.layers import BatchNorm
from posec3d_jax.networks.rgbpose import TransposedConv
from posec3d_jax.skeletons.needs import MODALITIES
from posec3d_jax.steps.recognizer import Recognizer, make_recognizer


@dataclass(frozen=True)
class Layer:
    """What a module with weights or products of its own does to one clip."""

    name: str  # a convolution, its BatchNorm and its graph share one
    kind: str  # 'convolution' (or linear), 'norm', 'graph', or 'weights' that multiply nothing
    output: tuple[int, ...]  # [T, H, W, C], [N, T, V, C], or [K]
    kernel: tuple[int, ...]  # [T, H, W]; () of the others
    parameters: int
    multiply_adds: int


def trace_layers(recognizer: Recognizer, shape: Sequence[int]) -> list[Layer]:
    """The layers that a clip of that shape, as the encoder makes it, runs through, in order."""
    return layers_of(recognizer.model, shape)


def layers_of(model: nn.Module, shape: Sequence[int] | Mapping[str, Sequence[int]]) -> list[Layer]:
    """The layers of a network whose input, for one clip, has that shape, or these by name."""
    clip = blank(shape, jnp.float32)
    found: list[Layer] = []

    def record(run, args, kwargs, context):
        output = run(*args, **kwargs)
        if context.method_name == "__call__":
            found.extend(_layer(context.module, args, output))
        return output

    with nn.intercept_methods(record):
        jax.eval_shape(model.init, jax.random.key(0), clip)
    return found


def _layer(module: nn.Module, inputs: Sequence[jax.Array], output) -> list[Layer]:
    """The module's own share, if it has one."""
    leaves = module.variables.get("params", {})
    shapes = {name: leaf.shape for name, leaf in leaves.items() if hasattr(leaf, "shape")}
    if not shapes and not isinstance(module, Product):
        return []
    kernel = shapes.get("kernel", ())
    kind, multiply_adds = "weights", 0
    if isinstance(module, Product):
        kind, multiply_adds = "graph", module.multiply_adds(*inputs)
    elif isinstance(module, BatchNorm):
        kind, multiply_adds = "norm", 2 * math.prod(output.shape)
    elif isinstance(module, TransposedConv):
        kind, multiply_adds = "convolution", module.multiply_adds(*inputs)
    elif kernel:  # every output value takes a product with each weight of its channel
        kind, multiply_adds = "convolution", math.prod(output.shape) * math.prod(kernel[:-1])
    path = module.path[:-1] if kind == "graph" else module.path
    return [
        Layer(
            name="/".join(part for part in path if part not in ("conv", "bn")),
            kind=kind,
            output=tuple(output.shape[1:] if output.shape[0] == 1 else output.shape),
            kernel=tuple(kernel[:-2]),
            parameters=sum(map(math.prod, shapes.values())),
            multiply_adds=multiply_adds,
        )
    ]


def totals(layers: Sequence[Layer]) -> tuple[int, int]:
    """(parameters, multiply-adds) of all layers."""
    return sum(a.parameters for a in layers), sum(a.multiply_adds for a in layers)


def summarize(config) -> str:
    """The table to print: every layer at the training size, the totals at both sizes."""
    recognizer = make_recognizer(config)
    encoder = recognizer.encoder
    layers = trace_layers(recognizer, encoder.train_shape)
    names = dict.fromkeys(layer.name for layer in layers)
    rows = [_row([a for a in layers if a.name == name]) for name in names]
    header = ["layer", "kernel", "output", "parameters", "multiply-adds"]
    blocks = [align([header, *rows], right=frozenset({3, 4}))]
    sizes = {"training": encoder.train_shape, "test": encoder.test_shape}
    if encoder.train_shape == encoder.test_shape:
        sizes = {"training and test": encoder.train_shape}
    for use, shape in sizes.items():
        layers = trace_layers(recognizer, shape)
        parameters, operations = totals(layers)
        parts = shape.values() if isinstance(shape, Mapping) else [shape]
        clip = " + ".join(shape_text([part[-1], *part[:-1]]) for part in parts)
        blocks.append(
            f"{config.model.name} at the {use} size {clip}: {parameters / 1e6:.3f} M parameters, "
            f"{operations / 1e9:.3f} G multiply-adds a view (fvcore's count)"
            + _shares(layers)
            + _pathways(layers)
        )
    return "\n\n".join([blocks[0], "\n".join(blocks[1:])])


def _shares(layers: Sequence[Layer]) -> str:
    """How a graph network's multiply-adds divide; nothing for others."""
    dense, graph = (
        totals([a for a in layers if a.kind == kind])[1] / 1e9 for kind in ("convolution", "graph")
    )
    if not graph:
        return ""
    return (
        f";\nof these {dense:.3f} G in convolutions and linear layers, which is what papers print, "
        f"and {graph:.3f} G in products with graphs"
    )


def _pathways(layers: Sequence[Layer]) -> str:
    """How the parameters and multiply-adds divide between two pathways; nothing for one.

    A lateral counts for the pathway that it leads into, a head for its own.
    """
    lines = []
    for name in MODALITIES:
        own = [a for a in layers if a.name.startswith(f"{name}_path/") or a.name == _head(name)]
        joining = [a for a in own if "_lateral" in a.name]
        if own:
            parameters, operations = totals(own)
            lines.append(
                f";\nof these {parameters / 1e6:.3f} M and {operations / 1e9:.3f} G in the pathway "
                f"of {name}, {totals(joining)[0] / 1e6:.3f} M and {totals(joining)[1] / 1e9:.3f} G "
                "of them in laterals to it"
            )
    return "".join(lines)


def _head(modality: str) -> str:
    return f"head/fc_{modality}"


def _row(parts: Sequence[Layer]) -> list[str]:
    """A line of the table, from the layers that share a name."""
    first, (parameters, operations) = parts[0], totals(parts)
    kernel = shape_text(first.kernel) if first.kernel else ""
    return [first.name, kernel, shape_text(first.output), f"{parameters:,}", f"{operations:,}"]
