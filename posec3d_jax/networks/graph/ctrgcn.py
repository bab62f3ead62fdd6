"""CTR-GCN: a trained graph shared by all channels, refined for each channel from the clip."""

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
    graph_buffer,
    graph_parameter,
    he_normal,
    normalize_input,
    ten_blocks,
)
from posec3d_jax.networks.graph.temporal import MultiScale
from posec3d_jax.networks.layers import BatchNorm
from posec3d_jax.networks.mode import Mode
from posec3d_jax.skeletons.skeleton import Skeleton


class RefinedGraphConv(nn.Module):
    """Three graphs, each with a graph of its own for every channel and person."""

    features: int
    skeleton: Skeleton
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        graph = graph_parameter(self, spatial(self.skeleton))
        alpha = self.param("alpha", nn.initializers.zeros, (1,), jnp.float32)
        refine = [
            Refinement(self.features, self.mode, name=f"convs_{k}") for k in range(len(graph))
        ]
        y = sum(part(x, shared, alpha) for part, shared in zip(refine, graph, strict=True))
        y = BatchNorm(self.mode, first_scale=1e-6, name="bn")(y, train)
        if x.shape[-1] != self.features:
            down = ConvNorm(self.features, kernel_init=he_normal, mode=self.mode, name="down")
            x = down(x, train)
        return nn.relu(y + x)


class Refinement(nn.Module):
    """Channel-wise graphs from the joints' differences, and what they gather: [N, T, V, features].

    The mean over frames comes after the 1x1 convolutions, as in the reference: the same function
    as before them, but neither its rounding nor its count.
    """

    features: int
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, graph: jax.Array, alpha: jax.Array) -> jax.Array:
        conv, channels = partial(Conv, kernel_init=he_normal, mode=self.mode), x.shape[-1]
        narrow = 8 if channels <= 16 else channels // 8
        p, q = (conv(narrow, name=name)(x).mean(1) for name in ("conv1", "conv2"))
        difference = jnp.tanh(p[:, :, None] - q[:, None])
        difference = conv(self.features, name="conv4")(difference)
        own = graph[None, :, :, None] + per_channel(alpha, difference) * difference
        values = conv(self.features, name="conv3")(x)
        return Product("ntuc,nuvc->ntvc", self.mode, name="aggregate")(values, own)


class CTRGCN(nn.Module):
    """[B, M, T, V, C] joints to logits {'pose': [B, K]}; widths 1, 2, 4 x `width`.

    The temporal module's own ReLU comes before the block's residual, as in PYSKL; the authors'
    code has none there.
    """

    num_classes: int
    skeleton: Skeleton
    width: int = 64
    data_bn: str = "MVC"
    tcn_dropout: float = 0.0
    dropout: float = 0.0
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        graph_buffer(self, spatial(self.skeleton))  # in the reference's files, and read by nothing
        persons = x.shape[1]
        x = normalize_input(x, self.data_bn, self.mode, train)
        convolution = partial(RefinedGraphConv, skeleton=self.skeleton, mode=self.mode)
        temporal = partial(
            MultiScale,
            size=5,
            dilations=(1, 2),
            residual=False,
            kernel_init=he_normal,
            mode=self.mode,
        )
        x = ten_blocks(
            x,
            train,
            self.width,
            "net",
            convolution,
            temporal,
            names=("gcn1", "tcn1"),
            dropout=self.tcn_dropout,
            mode=self.mode,
        )
        return classify(x, persons, self.num_classes, self.dropout, train)
