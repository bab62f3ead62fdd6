"""AAGCN (2s-AGCN with attention): trained graphs, each clip's own added, then three gates."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.networks.graph.adjacency import spatial
from posec3d_jax.networks.graph.layers import (
    Conv,
    ConvNorm,
    Product,
    classify,
    convolve_time,
    graph_buffer,
    graph_parameter,
    he_normal,
    normalize_input,
    ten_blocks,
)
from posec3d_jax.networks.layers import BatchNorm
from posec3d_jax.networks.mode import Mode
from posec3d_jax.skeletons.skeleton import Skeleton


class AdaptiveGraphConv(nn.Module):
    """Three graphs, each a trained one plus `alpha` x the joints' likeness in this clip."""

    features: int
    skeleton: Skeleton
    adaptive: bool
    attention: bool
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        start = spatial(self.skeleton)
        make = graph_parameter if self.adaptive else graph_buffer
        graph = make(self, start)
        if self.adaptive:
            alpha = self.param("alpha", nn.initializers.zeros, (1,), jnp.float32)
        std = (2 / (self.features * x.shape[-1] * len(start))) ** 0.5
        parts, conv = [], partial(Conv, mode=self.mode)
        for k in range(len(start)):
            own = jnp.broadcast_to(graph[k], (len(x), *graph[k].shape))
            if self.adaptive:
                own = own + alpha[:, None, None] * self._likeness(x, k)
            y = Product("ntvc,nvw->ntwc", self.mode, name=f"aggregate_{k}")(x, own)
            init = nn.initializers.normal(std)
            parts.append(conv(self.features, kernel_init=init, name=f"conv_d_{k}")(y))
        y = BatchNorm(self.mode, first_scale=1e-6, name="bn")(sum(parts), train)
        if x.shape[-1] != self.features:
            down = ConvNorm(self.features, kernel_init=he_normal, mode=self.mode, name="down")
            x = down(x, train)
        y = nn.relu(y + x)
        return Attention(name="attention")(y) if self.attention else y

    def _likeness(self, x: jax.Array, k: int) -> jax.Array:
        """[N, V, V], -1 to 1, of the k-th graph."""
        narrow = self.features // 4
        conv = partial(Conv, narrow, kernel_init=he_normal, mode=self.mode)
        a, b = conv(name=f"conv_a_{k}")(x), conv(name=f"conv_b_{k}")(x)
        products = Product("ntvc,ntwc->nvw", self.mode, name=f"likeness_{k}")(a, b)
        wide = products.astype(jnp.promote_types(x.dtype, jnp.float32))
        return jnp.tanh(wide / (narrow * x.shape[1]))


class Attention(nn.Module):
    """Gates for joints, frames and channels in series, each seen from what the last one left."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        joints, channels = x.shape[2:]
        odd = joints if joints % 2 else joints - 1
        xavier = nn.initializers.xavier_normal()
        x = x + x * Gate(odd, xavier, name="conv_sa")(x.mean(1))[:, None]
        x = x + x * Gate(9, nn.initializers.zeros, name="conv_ta")(x.mean(2))[:, :, None]
        gate, dense = x.mean(2).mean(1), partial(nn.Dense, dtype=x.dtype)
        normal = nn.initializers.normal((2 / channels) ** 0.5)
        gate = nn.relu(dense(channels // 2, kernel_init=normal, name="fc1c")(gate))
        gate = dense(channels, kernel_init=nn.initializers.zeros, name="fc2c")(gate)
        return x + x * nn.sigmoid(gate)[:, None, None]


class Gate(nn.Module):
    """1-D convolution of [N, length, C] to a gate [N, length, 1]."""

    size: int
    kernel_init: nn.initializers.Initializer

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", self.kernel_init, (self.size, x.shape[-1], 1), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (1,), jnp.float32)
        y = convolve_time(x[:, :, None], kernel[:, None].astype(x.dtype))[:, :, 0]
        return nn.sigmoid(y + per_channel(bias.astype(x.dtype), y))


class AAGCN(nn.Module):
    """[B, M, T, V, C] joints to logits {'pose': [B, K]}; widths 1, 2, 4 x `width`."""

    num_classes: int
    skeleton: Skeleton
    width: int = 64
    adaptive: bool = True
    attention: bool = True
    data_bn: str = "MVC"
    tcn_dropout: float = 0.0
    dropout: float = 0.0
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        graph_buffer(self, spatial(self.skeleton))  # in the reference's files, and read by nothing
        persons = x.shape[1]
        x = normalize_input(x, self.data_bn, self.mode, train)
        convolution = partial(
            AdaptiveGraphConv,
            skeleton=self.skeleton,
            adaptive=self.adaptive,
            attention=self.attention,
            mode=self.mode,
        )
        temporal = partial(ConvNorm, size=9, kernel_init=he_normal, mode=self.mode)
        x = ten_blocks(
            x,
            train,
            self.width,
            "gcn",
            convolution,
            temporal,
            dropout=self.tcn_dropout,
            mode=self.mode,
        )
        return classify(x, persons, self.num_classes, self.dropout, train)
