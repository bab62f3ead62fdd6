"""The layers every network is made of: convolution, BatchNorm, their pair, pooling, the head."""

from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.models.convolution import convolve


class Conv(nn.Module):
    """3-D convolution, padding k // 2; [B, T, H, W, C] to [B, T', H', W', features]."""

    features: int
    kernel_size: Sequence[int]
    strides: Sequence[int] = (1, 1, 1)
    depthwise: bool = False
    use_bias: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        inputs = 1 if self.depthwise else x.shape[-1]
        shape = (*self.kernel_size, inputs, self.features)
        kernel = self.param("kernel", kaiming_normal, shape, jnp.float32)
        y = convolve(x, kernel.astype(x.dtype), self.strides)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
            y = y + bias.astype(x.dtype)
        return y


def kaiming_normal(key: jax.Array, shape: Sequence[int], dtype=jnp.float32) -> jax.Array:
    """He-normal over the fan out: std = sqrt(2 / (out * kernel volume)), also for depth-wise."""
    volume = shape[0] * shape[1] * shape[2]
    return jax.random.normal(key, shape, dtype) * (2.0 / (shape[-1] * volume)) ** 0.5


class BatchNorm(nn.Module):
    """BatchNorm over all but the channels, statistics in float32 whatever the compute dtype.

    `groups` splits the batch into that many parts, each normalised by its own statistics, as
    unsynchronised data-parallel training does; running statistics are the mean over groups.
    Epsilon 1e-5, running decay 0.9, running variance unbiased: PyTorch's conventions.
    Where `folding.fold` has left nothing but the bias, that is all it adds.
    """

    groups: int = 1
    zero_scale: bool = False
    first_scale: float = 1.0  # 1e-6 where a graph network's branch is to start almost silent

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        channels = x.shape[-1]
        if not self.is_initializing() and not self.has_variable("params", "scale"):
            return _affine(x, 1.0, self.get_variable("params", "bias"))
        initial = nn.initializers.constant(0.0 if self.zero_scale else self.first_scale)
        scale = self.param("scale", initial, (channels,), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (channels,), jnp.float32)
        mean = self.variable("batch_stats", "mean", jnp.zeros, (channels,), jnp.float32)
        var = self.variable("batch_stats", "var", jnp.ones, (channels,), jnp.float32)
        if not train:
            return _normalize(x, mean.value, var.value, scale, bias)
        grouped = x.reshape(self.groups, -1, *x.shape[1:])
        batch_mean, batch_var = _statistics(grouped)
        if not self.is_initializing():
            count = grouped.size / (self.groups * channels)
            unbiased = batch_var * (count / max(count - 1, 1))
            mean.value = 0.9 * mean.value + 0.1 * batch_mean.mean(0)
            var.value = 0.9 * var.value + 0.1 * unbiased.mean(0)
        expand = (slice(None), *([None] * (x.ndim - 1)))
        mean_b, var_b = (v[expand] for v in (batch_mean, batch_var))
        return _normalize(grouped, mean_b, var_b, scale, bias).reshape(x.shape)


def _statistics(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and biased variance [G, C] of [G, B / G, T, H, W, C], in one pass over memory."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    axes = tuple(range(1, x.ndim - 1))
    mean = wide.mean(axes)
    return mean, jnp.maximum(jnp.square(wide).mean(axes) - jnp.square(mean), 0.0)


def _normalize(x, mean, var, scale, bias) -> jax.Array:
    """Scale and shift put together first, so that the array is read and written once."""
    factor = norm_factor(scale, var)
    return _affine(x, factor, bias - mean * factor)


def norm_factor(scale: jax.Array, var: jax.Array) -> jax.Array:
    """What a BatchNorm multiplies its channels with."""
    return scale * jax.lax.rsqrt(var + 1e-5)


def _affine(x: jax.Array, factor, shift) -> jax.Array:
    """x * factor + shift, computed in at least float32."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return (wide * factor + shift).astype(x.dtype)


class ConvNorm(nn.Module):
    """Convolution, BatchNorm, activation: the reference's ConvModule."""

    features: int
    kernel_size: Sequence[int]
    strides: Sequence[int] = (1, 1, 1)
    depthwise: bool = False
    activation: Callable[[jax.Array], jax.Array] | None = nn.relu
    groups: int = 1
    zero_scale: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        x = Conv(self.features, self.kernel_size, self.strides, self.depthwise, name="conv")(x)
        x = BatchNorm(self.groups, self.zero_scale, name="bn")(x, train)
        return x if self.activation is None else self.activation(x)


def recomputed(module: type[nn.Module], remat: bool) -> type[nn.Module]:
    """With `remat`, the module's class keeps only its input for the backward pass, and computes
    the rest again there; for modules called as (x, train)."""
    return nn.remat(module, static_argnums=(2,)) if remat else module


def max_pool_frames(x: jax.Array) -> jax.Array:
    """Max over 3 x 3 neighbours of each frame, stride 1, edges padded; ties to the first.

    Two passes of pairwise maxima: XLA's own pooling gradient is an order slower on a CPU.
    """
    for axis in (2, 3):
        lowest = jnp.array(-jnp.inf, x.dtype)
        pads = [(0, 0, 0)] * x.ndim
        before = jax.lax.pad(x, lowest, [*pads[:axis], (1, -1, 0), *pads[axis + 1 :]])
        after = jax.lax.pad(x, lowest, [*pads[:axis], (-1, 1, 0), *pads[axis + 1 :]])
        x = jnp.where(before >= x, before, x)
        x = jnp.where(x >= after, x, after)
    return x


def avg_pool_frames(x: jax.Array) -> jax.Array:
    """Mean over 2 x 2 blocks of each frame; an odd last row or column is left out."""
    b, t, h, w, c = x.shape
    x = x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(b, t, h // 2, 2, w // 2, 2, c)
    return x.mean((3, 5))


class Head(nn.Module):
    """Global average, dropout, linear: [B, T, H, W, C] to float32 logits [B, K]."""

    num_classes: int
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        x = x.astype(jnp.promote_types(x.dtype, jnp.float32)).mean((1, 2, 3))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        normal = nn.initializers.normal(0.01)
        return nn.Dense(self.num_classes, kernel_init=normal, dtype=x.dtype, name="fc_cls")(x)
