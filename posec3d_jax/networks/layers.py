"""The layers every network is made of: convolution, BatchNorm, their pair, the head."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.kernels import norm
from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.kernels.convolution import convolve, pointwise_operands
from posec3d_jax.networks.mode import Mode


class Conv(nn.Module):
    """3-D convolution, padding k // 2; [B, T, H, W, C] to [B, T', H', W', features]."""

    features: int
    kernel_size: Sequence[int]
    strides: Sequence[int] = (1, 1, 1)
    depthwise: bool = False
    use_bias: bool = False
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, apply: Callable | None = None) -> Any:
        """`apply` is what to do with x, kernel and strides, if not to convolve."""
        inputs = 1 if self.depthwise else x.shape[-1]
        shape = (*self.kernel_size, inputs, self.features)
        kernel = self.param("kernel", kaiming_normal, shape, jnp.float32)
        if apply is None:
            apply = partial(convolve, target=self.mode.target)
        y = apply(x, kernel, self.strides)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
            y = y + per_channel(bias.astype(x.dtype), y)
        return y


def kaiming_normal(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
    """He-normal over the fan out: std = sqrt(2 / (out * kernel volume)), also for depth-wise."""
    volume = shape[0] * shape[1] * shape[2]
    return jax.random.normal(key, shape, dtype) * (2.0 / (shape[-1] * volume)) ** 0.5


class BatchNorm(nn.Module):
    """BatchNorm over all but the channels, statistics in float32 whatever the compute dtype.

    `mode.groups` splits the batch into parts, each normalised by its own statistics, as
    unsynchronised data-parallel training does; running statistics are the mean over groups.
    Epsilon 1e-5, running decay 0.9, running variance unbiased: PyTorch's conventions.
    Where `folding.fold` has left nothing but the bias, that is all it adds.
    """

    mode: Mode = Mode()
    zero_scale: bool = False
    first_scale: float = 1.0  # 1e-6 where a graph network's branch is to start almost silent

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        train: bool,
        residual: jax.Array | None = None,
        relu: bool = False,
        kernel: jax.Array | None = None,
    ) -> jax.Array:
        """x [B, ..., C] normalised, then `residual` added, then a ReLU if asked for.

        With `kernel` [I, C], in training only, it is x [B, ..., I] @ kernel that is normalised.
        """
        channels = x.shape[-1] if kernel is None else kernel.shape[-1]
        if not self.is_initializing() and not self.has_variable("params", "scale"):
            bias = self.get_variable("params", "bias").astype(x.dtype)
            x = x + per_channel(bias, x)
            return norm.add_residual_and_relu(x, residual, relu, self.mode.target)
        initial = nn.initializers.constant(0.0 if self.zero_scale else self.first_scale)
        scale = self.param("scale", initial, (channels,), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (channels,), jnp.float32)
        mean = self.variable("batch_stats", "mean", jnp.zeros, (channels,), jnp.float32)
        var = self.variable("batch_stats", "var", jnp.ones, (channels,), jnp.float32)
        if not train:
            factor, shift = norm.factor_and_shift(scale, bias, mean.value, var.value)
            factor, shift = per_channel(factor, x), per_channel(shift, x)
            y = (norm.widen(x) * factor + shift).astype(x.dtype)
            return norm.add_residual_and_relu(y, residual, relu, self.mode.target)
        y, means, variances = self._with_own_statistics(x, kernel, scale, bias, residual, relu)
        if not self.is_initializing():
            count = y.size / (self.mode.groups * channels)
            unbiased = variances * (count / max(count - 1, 1))
            mean.value = 0.9 * mean.value + 0.1 * means.mean(0)
            var.value = 0.9 * var.value + 0.1 * unbiased.mean(0)
        return y

    def _with_own_statistics(self, x, kernel, scale, bias, residual, relu: bool):
        """The output [B, ..., C], and each group's mean and variance [G, C]."""
        groups, target = self.mode.groups, self.mode.target

        def of_group(x, residual):
            if kernel is None:
                return norm.normalized(x, scale, bias, residual, relu, target)
            return norm.product_normalized(x, kernel, scale, bias, residual, relu, target)

        split = (-1,) if groups == 1 else (groups, -1)
        rows = [a if a is None else a.reshape(*split, a.shape[-1]) for a in (x, residual)]
        if groups == 1:  # not as a group of one: its dimension has XLA copy every residual
            y, statistics = of_group(*rows)
            statistics = [value[None] for value in statistics]
        else:
            y, statistics = jax.vmap(of_group)(*rows)
        return y.reshape(*x.shape[:-1], y.shape[-1]), *statistics


class ConvNorm(nn.Module):
    """Convolution, BatchNorm, residual if there is one, activation: the reference's ConvModule."""

    features: int
    kernel_size: Sequence[int]
    strides: Sequence[int] = (1, 1, 1)
    depthwise: bool = False
    activation: Callable[[jax.Array], jax.Array] | None = nn.relu
    mode: Mode = Mode()
    zero_scale: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, residual: jax.Array | None = None) -> jax.Array:
        relu, kernel = self.activation is nn.relu, None
        options = {"depthwise": self.depthwise, "mode": self.mode, "name": "conv"}
        conv = Conv(self.features, self.kernel_size, self.strides, **options)
        if train and self._is_widening(x) and not self.is_initializing():
            x, kernel = conv(x, apply=pointwise_operands)
        else:
            x = conv(x)
        x = BatchNorm(self.mode, self.zero_scale, name="bn")(x, train, residual, relu, kernel)
        return x if relu or self.activation is None else self.activation(x)

    def _is_widening(self, x: jax.Array) -> bool:
        """A product to more channels than it reads: these need not be written to be normalised."""
        return tuple(self.kernel_size) == (1, 1, 1) and self.features >= x.shape[-1]


def recomputed(module: type[nn.Module], remat: bool) -> type[nn.Module]:
    """With `remat`, the module's class keeps only its input for the backward pass, and computes
    the rest again there; for modules called as (x, train)."""
    return nn.remat(module, static_argnums=(2,)) if remat else module


def pooled(x: jax.Array) -> jax.Array:
    """The mean over time and space, in at least float32: [B, T, H, W, C] to [B, C]."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32)).mean((1, 2, 3))


class Head(nn.Module):
    """Global average, dropout, linear: [B, T, H, W, C] to float32 logits [B, K]."""

    num_classes: int
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        x = nn.Dropout(self.dropout, deterministic=not train)(pooled(x))
        normal = nn.initializers.normal(0.01)
        return nn.Dense(self.num_classes, kernel_init=normal, dtype=x.dtype, name="fc_cls")(x)
