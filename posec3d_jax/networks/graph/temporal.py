"""Temporal modules of several branches: dilated convolutions, a maximum, and a plain projection.

Two kinds that look alike and are not: ST-GCN++'s, and the one of MS-G3D and CTR-GCN.
"""

from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.networks.graph.layers import Conv, ConvNorm, Initializer
from posec3d_jax.networks.layers import BatchNorm
from posec3d_jax.networks.mode import Mode


class MultiBranch(nn.Module):
    """ST-GCN++'s (the reference's mstcn): the branches, then BatchNorm, ReLU, 1x1, BatchNorm.

    The dilated branches and the projection end without BatchNorm. The first branch takes the
    channels that are left when the branches share them evenly.
    """

    features: int
    stride: int = 1
    dilations: Sequence[int] = (1, 2, 3, 4)
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        count = len(self.dilations) + 2
        narrow = self.features // count
        options = {"stride": self.stride, "mode": self.mode, "normalized": False}
        parts = []
        for i, dilation in enumerate(self.dilations):
            width = self.features - (count - 1) * narrow if i == 0 else narrow
            branch = Dilated(width, 3, dilation=dilation, name=f"branches_{i}", **options)
            parts.append(branch(x, train))
        parts.append(Pooled(narrow, name=f"branches_{count - 2}", **options)(x, train))
        parts.append(
            Conv(narrow, stride=self.stride, mode=self.mode, name=f"branches_{count - 1}")(x)
        )
        x = Transform(self.features, self.mode, name="transform")(jnp.concatenate(parts, -1), train)
        return BatchNorm(self.mode, name="bn")(x, train)


class MultiScale(nn.Module):
    """MS-G3D's and CTR-GCN's (the reference's MSTCN): every branch ends in a BatchNorm.

    The last branch, the projection, takes the channels that are left. The sum with the residual, if
    there is one, is what `activation` sees.
    """

    features: int
    size: int = 3
    stride: int = 1
    dilations: Sequence[int] = (1, 2, 3, 4)
    residual: bool = True
    activation: Callable[[jax.Array], jax.Array] = nn.relu
    kernel_init: Initializer | None = None
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        count = len(self.dilations) + 2
        narrow = self.features // count
        options = {
            "stride": self.stride,
            "kernel_init": self.kernel_init,
            "mode": self.mode,
        }
        parts = []
        for i, dilation in enumerate(self.dilations):
            branch = Dilated(narrow, self.size, dilation=dilation, name=f"branches_{i}", **options)
            parts.append(branch(x, train))
        parts.append(Pooled(narrow, name=f"branches_{count - 2}", **options)(x, train))
        rest = self.features - (count - 1) * narrow
        parts.append(ConvNorm(rest, name=f"branches_{count - 1}", **options)(x, train))
        y = jnp.concatenate(parts, -1)
        if not self.residual:
            return self.activation(y)
        if x.shape[-1] != self.features or self.stride != 1:
            x = ConvNorm(self.features, name="residual", **options)(x, train)
        return self.activation(y + x)


class Dilated(nn.Module):
    """1x1, BatchNorm, ReLU, then a dilated convolution carrying the stride."""

    features: int
    size: int
    stride: int
    dilation: int
    normalized: bool = True
    kernel_init: Initializer | None = None
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        x = _enter(self)(x, train)
        options = (self.features, self.size, self.stride, self.dilation)
        if self.normalized:
            last = ConvNorm(*options, kernel_init=self.kernel_init, mode=self.mode, name="temporal")
            return last(x, train)
        return Conv(*options, self.kernel_init, self.mode, name="temporal_conv")(x)


class Pooled(nn.Module):
    """1x1, BatchNorm, ReLU, then the maximum of three frames carrying the stride."""

    features: int
    stride: int
    normalized: bool = True
    kernel_init: Initializer | None = None
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        x = max_pool_time(_enter(self)(x, train), self.stride)
        return BatchNorm(self.mode, name="pool_bn")(x, train) if self.normalized else x


def _enter(branch: Dilated | Pooled) -> Callable[[jax.Array, bool], jax.Array]:
    return ConvNorm(
        branch.features,
        activation=nn.relu,
        kernel_init=branch.kernel_init,
        mode=branch.mode,
        name="enter",
    )


class Transform(nn.Module):
    """BatchNorm, ReLU, 1x1."""

    features: int
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        x = nn.relu(BatchNorm(self.mode, name="bn")(x, train))
        return Conv(self.features, mode=self.mode, name="conv")(x)


def max_pool_time(x: jax.Array, stride: int) -> jax.Array:
    """Maximum over three frames of [N, T, V, C], edges padded; a tie's gradient goes to the first.

    Pairwise maxima, as in `max_pool_frames`: XLA's own pooling gradient is slow.
    """
    frames = -(-x.shape[1] // stride)
    low = jnp.array(-jnp.inf, x.dtype)
    padded = jax.lax.pad(x, low, [(0, 0, 0), (1, 1, 0), (0, 0, 0), (0, 0, 0)])
    shifted = [padded[:, i : i + (frames - 1) * stride + 1 : stride] for i in range(3)]
    first = jnp.where(shifted[0] >= shifted[1], shifted[0], shifted[1])
    return jnp.where(first >= shifted[2], first, shifted[2])
