"""ST-GCN and ST-GCN++: fixed or learned joint graphs, then a convolution along time, ten times."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from posec3d_jax.networks.graph.adjacency import SUBSETS
from posec3d_jax.networks.graph.layers import (
    Conv,
    ConvNorm,
    Product,
    classify,
    graph_buffer,
    graph_parameter,
    normalize_input,
    ten_blocks,
    uniform,
)
from posec3d_jax.networks.graph.temporal import MultiBranch
from posec3d_jax.networks.layers import BatchNorm
from posec3d_jax.networks.mode import Mode
from posec3d_jax.skeletons.skeleton import Skeleton

ADAPTIVE = ("importance", "init", "offset", "fixed")
TEMPORAL = {"plain": partial(ConvNorm, size=9), "multi_branch": MultiBranch}


class GraphConv(nn.Module):
    """The reference's unit_gcn: 1x1 to K sets of channels, each gathered along its own graph.

    `adaptive`: the graph is multiplied by trained weights ('importance'), is itself trained
    ('init'), has trained offsets added ('offset') or stays ('fixed').
    """

    features: int
    skeleton: Skeleton
    graph: str
    adaptive: str
    residual: bool
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        graph = self._graph()
        y = Conv(len(graph) * self.features, mode=self.mode, name="conv")(x)
        y = y.reshape(*x.shape[:3], len(graph), self.features)
        y = Product("ntvkc,kvw->ntwc", self.mode, name="aggregate")(y, graph)
        y = BatchNorm(self.mode, name="bn")(y, train)
        if not self.residual:
            return nn.relu(y)
        if x.shape[-1] != self.features:
            x = ConvNorm(self.features, mode=self.mode, name="down")(x, train)
        return nn.relu(y + x)

    def _graph(self) -> jax.Array:
        start = SUBSETS[self.graph](self.skeleton)
        if self.adaptive == "init":
            return graph_parameter(self, start)
        graph = graph_buffer(self, start)
        if self.adaptive == "importance":
            return graph * self.param("PA", nn.initializers.ones, graph.shape, jnp.float32)
        if self.adaptive == "offset":
            return graph + self.param("PA", uniform(1e-6), graph.shape, jnp.float32)
        return graph


class STGCN(nn.Module):
    """[B, M, T, V, C] joints to logits {'pose': [B, K]}; widths 1, 2, 4 x `width`."""

    num_classes: int
    skeleton: Skeleton
    width: int = 64
    graph: str = "stgcn_spatial"
    adaptive: str = "importance"
    residual: bool = False
    temporal: str = "plain"
    data_bn: str = "VC"
    tcn_dropout: float = 0.0
    dropout: float = 0.0
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        self._check()
        persons = x.shape[1]
        x = normalize_input(x, self.data_bn, self.mode, train)
        spatial = partial(
            GraphConv,
            skeleton=self.skeleton,
            graph=self.graph,
            adaptive=self.adaptive,
            residual=self.residual,
            mode=self.mode,
        )
        temporal = partial(TEMPORAL[self.temporal], mode=self.mode)
        x = ten_blocks(
            x,
            train,
            self.width,
            "gcn",
            spatial,
            temporal,
            dropout=self.tcn_dropout,
            mode=self.mode,
        )
        return classify(x, persons, self.num_classes, self.dropout, train)

    def _check(self) -> None:
        for key, known in (("graph", SUBSETS), ("adaptive", ADAPTIVE), ("temporal", TEMPORAL)):
            if getattr(self, key) not in known:
                raise ValueError(
                    f"config.model.{key} is {getattr(self, key)!r}; expected one of {tuple(known)}"
                )


class STGCNpp(STGCN):
    """ST-GCN++: trained graphs, a residual around each, and branches along time."""

    graph: str = "spatial"
    adaptive: str = "init"
    residual: bool = True
    temporal: str = "multi_branch"
