"""What the graph networks share: convolution along time, products with graphs, blocks, stages.

Inside a network every person is a row of its own: x [N, T, V, C] with N = B * M. Every convolution
has a bias, as in the reference, also in front of a BatchNorm.
"""

from collections.abc import Callable, Sequence
from math import prod

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.kernels.products import affine, with_graph
from posec3d_jax.networks.layers import BatchNorm, Head, recomputed
from posec3d_jax.networks.mode import Mode

Initializer = Callable[..., jax.Array]
he_normal = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
fan_in_uniform = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
DATA_BN = ("VC", "MVC", "none")
BLOCKS = 10


class Conv(nn.Module):
    """Convolution along time, kernel (size, 1), zero-padded; T' = ceil(T / stride).

    Without `kernel_init` it starts as PyTorch's do: kernel and bias uniform within the inverse
    root of the fan-in. With one, the bias starts at zero.
    """

    features: int
    size: int = 1
    stride: int = 1
    dilation: int = 1
    kernel_init: Initializer | None = None
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        shape = (self.size, 1, x.shape[-1], self.features)
        kernel = self.param("kernel", self.kernel_init or fan_in_uniform, shape, jnp.float32)
        start = nn.initializers.zeros if self.kernel_init else uniform(prod(shape[:-1]) ** -0.5)
        bias = self.param("bias", start, (self.features,), jnp.float32)
        kernel, bias = kernel.astype(x.dtype), bias.astype(x.dtype)
        if self.size == 1:
            return affine(x[:, :: self.stride], kernel[0, 0], bias, self.mode.target)
        return convolve_time(x, kernel, self.stride, self.dilation) + per_channel(bias, x)


def uniform(bound: float) -> Initializer:
    """Uniform between -bound and bound."""
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(
        key, shape, dtype, -bound, bound
    )


def convolve_time(x: jax.Array, kernel: jax.Array, stride: int = 1, dilation: int = 1) -> jax.Array:
    """[N, T, V, C] with a kernel [k, 1, C, O], k odd, to [N, ceil(T / stride), V, O]."""
    padding = dilation * (kernel.shape[0] - 1) // 2
    return lax.conv_general_dilated(
        x,
        kernel,
        (stride, 1),
        [(padding, padding), (0, 0)],
        rhs_dilation=(dilation, 1),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


class ConvNorm(nn.Module):
    """Convolution, BatchNorm, activation if there is one: the reference's unit_tcn."""

    features: int
    size: int = 1
    stride: int = 1
    dilation: int = 1
    activation: Callable[[jax.Array], jax.Array] | None = None
    kernel_init: Initializer | None = None
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        options = (self.features, self.size, self.stride, self.dilation, self.kernel_init)
        x = Conv(*options, self.mode, name="conv")(x)
        x = BatchNorm(self.mode, name="bn")(x, train)
        return x if self.activation is None else self.activation(x)


class Product(nn.Module):
    """An einsum of features and graphs; a module so that `summary` can count its products."""

    equation: str
    mode: Mode

    def __call__(self, x: jax.Array, graph: jax.Array) -> jax.Array:
        return with_graph(self.equation, x, graph, self.mode.target)

    def multiply_adds(self, x: jax.Array, graph: jax.Array) -> int:
        """One for every combination of the equation's indices."""
        inputs = self.equation.split("->")[0].split(",")
        sizes = dict(zip("".join(inputs), (*x.shape, *graph.shape), strict=True))
        return prod(sizes.values())


def graph_parameter(module: nn.Module, graph, name: str = "A") -> jax.Array:
    """A parameter that starts as `graph` (an array)."""
    return module.param(name, lambda key: jnp.array(graph))


def graph_buffer(module: nn.Module, graph, name: str = "A") -> jax.Array:
    """An array that is stored with the weights and not trained, as the reference's buffers are.

    It lives beside the running statistics, so that an imported file's own graph is the one used.
    """
    return module.variable("batch_stats", name, lambda: jnp.array(graph)).value


def normalize_input(x: jax.Array, kind: str, mode: Mode, train: bool) -> jax.Array:
    """[B, M, T, V, C] to [N, T, V, C], every joint and channel normalised over clips and frames.

    'VC' shares the statistics between the persons, 'MVC' has each person's own (their number is
    then part of the weights), 'none' does nothing.
    """
    b, m, t, v, c = x.shape
    if kind not in DATA_BN:
        raise ValueError(f"config.model.data_bn is {kind!r}; expected one of {DATA_BN}")
    if kind == "MVC":
        x = x.transpose(0, 2, 1, 3, 4).reshape(b, t, m * v * c)
        x = BatchNorm(mode, name="data_bn")(x, train)
        return x.reshape(b, t, m, v, c).transpose(0, 2, 1, 3, 4).reshape(b * m, t, v, c)
    x = x.reshape(b * m, t, v * c)
    x = BatchNorm(mode, name="data_bn")(x, train) if kind == "VC" else x
    return x.reshape(b * m, t, v, c)


def classify(
    x: jax.Array, persons: int, num_classes: int, dropout: float, train: bool
) -> dict[str, jax.Array]:
    """Features [N, T, V, C] to logits {'pose': [B, K]}, the features averaged over persons.

    All persons have as many frames and joints, so that one mean over everything is the mean over
    persons. Those that only pad the batch count too, as in the reference.
    """
    n, t, v, c = x.shape
    x = x.reshape(n // persons, persons * t, v, 1, c)
    return {"pose": Head(num_classes, dropout, name="head")(x, train)}


def ten_blocks(
    x: jax.Array,
    train: bool,
    width: int,
    name: str,
    spatial: Callable[..., nn.Module],
    temporal: Callable[..., nn.Module],
    mode: Mode,
    **options,
) -> jax.Array:
    """The blocks of all networks but MS-G3D; the fifth and the eighth double width and stride."""
    make = recomputed(Block, mode.remat)
    options |= {"mode": mode}
    for i in range(BLOCKS):
        features = width * 2 ** ((i >= 4) + (i >= 7))
        stride = 2 if i in (4, 7) else 1
        block = make(features, stride, i == 0, spatial, temporal, name=f"{name}_{i}", **options)
        x = block(x, train)
    return x


class Block(nn.Module):
    """relu(temporal(spatial(x)) + residual(x)); `spatial` and `temporal` make the two modules."""

    features: int
    stride: int
    first: bool  # the first block has neither a residual nor dropout
    spatial: Callable[..., nn.Module]
    temporal: Callable[..., nn.Module]
    names: Sequence[str] = ("gcn", "tcn")
    dropout: float = 0.0
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        y = self.spatial(self.features, name=self.names[0])(x, train)
        y = self.temporal(self.features, stride=self.stride, name=self.names[1])(y, train)
        y = nn.Dropout(0.0 if self.first else self.dropout, deterministic=not train)(y)
        if self.first:
            return nn.relu(y)
        if x.shape[-1] != self.features or self.stride != 1:
            residual = ConvNorm(self.features, stride=self.stride, mode=self.mode, name="residual")
            x = residual(x, train)
        return nn.relu(y + x)
