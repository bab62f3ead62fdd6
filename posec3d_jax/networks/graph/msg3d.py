"""MS-G3D: neighbours of up to twelve steps at once, and graphs that span several frames."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.networks.graph.adjacency import binary, disentangled, space_time
from posec3d_jax.networks.graph.layers import (
    ConvNorm,
    Product,
    classify,
    fan_in_uniform,
    graph_buffer,
    normalize_input,
    uniform,
)
from posec3d_jax.networks.graph.temporal import MultiScale
from posec3d_jax.networks.layers import BatchNorm, recomputed
from posec3d_jax.networks.mode import Mode
from posec3d_jax.skeletons.skeleton import Skeleton


class MultiScaleGraphConv(nn.Module):
    """Gathers along every scale's graph (window of 1: joints; more: joints of some frames), 1x1."""

    features: int
    skeleton: Skeleton
    scales: int
    window: int = 1
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        adjacency = binary(self.skeleton)
        if self.window > 1:
            adjacency = space_time(adjacency, self.window)
        graph = graph_buffer(self, disentangled(adjacency, self.scales))
        graph = graph + self.param("PA", uniform(1e-6), graph.shape, jnp.float32)
        y = Product("ntvc,svw->ntwsc", self.mode, name="aggregate")(x, graph)
        mlp = ConvNorm(self.features, activation=nn.relu, mode=self.mode, name="mlp")
        return mlp(y.reshape(*x.shape[:3], -1), train)


class Window(nn.Module):
    """Joins the joints of `window` frames by space-time graphs, then collapses the frames."""

    features: int
    skeleton: Skeleton
    window: int
    scales: int
    stride: int
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        joints, channels = x.shape[2:]
        # The first stage widens at once, the others only when the frames are collapsed.
        inner = self.features if channels == 3 else channels
        y = windows(x, self.window, self.stride)
        convolution = MultiScaleGraphConv(
            inner, self.skeleton, self.scales, self.window, self.mode, name="gcn3d_1"
        )
        y = convolution(y, train)
        y = y.reshape(*y.shape[:2], self.window, joints, inner)
        y = Collapse(self.features, name="out_conv")(y)
        return BatchNorm(self.mode, name="out_bn")(y, train)


def windows(x: jax.Array, window: int, stride: int) -> jax.Array:
    """[N, T, V, C] to [N, T', w V, C]: w frames around every `stride`-th, zeros beyond the ends.

    Nodes go frame by frame, the earliest first.
    """
    frames = -(-x.shape[1] // stride)
    padded = jnp.pad(x, ((0, 0), ((window - 1) // 2,) * 2, (0, 0), (0, 0)))
    parts = [padded[:, i : i + (frames - 1) * stride + 1 : stride] for i in range(window)]
    return jnp.concatenate(parts, 2)


class Collapse(nn.Module):
    """A (1, w, 1) convolution of [N, T, w, V, C] that leaves [N, T, V, features]."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        window, channels = x.shape[2], x.shape[4]
        shape = (1, window, 1, channels, self.features)
        kernel = self.param("kernel", fan_in_uniform, shape, jnp.float32)
        bound = uniform((window * channels) ** -0.5)
        bias = self.param("bias", bound, (self.features,), jnp.float32)
        y = jnp.einsum("ntfvc,fco->ntvo", x, kernel[0, :, 0].astype(x.dtype))
        return y + per_channel(bias.astype(x.dtype), y)


class WindowSum(nn.Module):
    """The sum of one `Window` of each size."""

    features: int
    skeleton: Skeleton
    scales: int
    stride: int
    windows: tuple[int, ...] = (3, 5)
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        options = {"scales": self.scales, "stride": self.stride, "mode": self.mode}
        parts = [
            Window(self.features, self.skeleton, window, name=f"gcn3d_{i}", **options)(x, train)
            for i, window in enumerate(self.windows)
        ]
        return sum(parts)


class MSG3D(nn.Module):
    """[B, M, T, V, C] joints to logits {'pose': [B, K]}; stages of 1, 2, 4 x `width` channels."""

    num_classes: int
    skeleton: Skeleton
    width: int = 96
    scales: int = 13
    window_scales: int = 6
    data_bn: str = "MVC"
    tcn_dropout: float = 0.0
    dropout: float = 0.0
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        graph_buffer(self, binary(self.skeleton))  # in the reference's files, and read by nothing
        persons = x.shape[1]
        x = normalize_input(x, self.data_bn, self.mode, train)
        for stage in (1, 2, 3):
            x = self._stage(x, stage, train)
        return classify(x, persons, self.num_classes, self.dropout, train)

    def _stage(self, x: jax.Array, stage: int, train: bool) -> jax.Array:
        """One factorised and one space-time pathway, then a temporal module over their sum."""
        features, stride = self.width * 2 ** (stage - 1), 1 if stage == 1 else 2
        entering = self.width if stage == 1 else x.shape[-1]
        options = {"mode": self.mode}
        kinds = (MultiScaleGraphConv, WindowSum, MultiScale)
        graph_conv, window_sum, scales = (recomputed(kind, self.mode.remat) for kind in kinds)
        temporal = partial(scales, **options)
        name = f"sgcn{stage}"
        y = graph_conv(entering, self.skeleton, self.scales, name=f"{name}_0", **options)(x, train)
        y = temporal(features, stride=stride, name=f"{name}_1")(y, train)
        y = temporal(features, activation=_identity, name=f"{name}_2")(y, train)
        spanning = window_sum(
            features, self.skeleton, self.window_scales, stride, name=f"gcn3d{stage}", **options
        )
        y = nn.relu(y + spanning(x, train))
        y = temporal(features, name=f"tcn{stage}")(y, train)
        return nn.Dropout(self.tcn_dropout, deterministic=not train)(y)


def _identity(x: jax.Array) -> jax.Array:
    return x
