"""Pose-SlowOnly: a ResNet whose later stages look along time (paper, section 3.2).

No striding in the stem, three stages instead of four, temporal kernels in the last two.
"""

from collections.abc import Sequence
from functools import partial

import flax.linen as nn
import jax

from posec3d_jax.kernels.pooling import max_pool_frames
from posec3d_jax.networks.layers import ConvNorm, Head, recomputed
from posec3d_jax.networks.mode import Mode


class Bottleneck(nn.Module):
    """1x1x1 (or 3x1x1 if inflated), 1x3x3 carrying the stride, 1x1x1 to four times the width."""

    planes: int
    strides: Sequence[int]
    inflate: bool
    mode: Mode

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        out = 4 * self.planes
        first = (3, 1, 1) if self.inflate else (1, 1, 1)
        y = ConvNorm(self.planes, first, mode=self.mode, name="conv1")(x, train)
        y = ConvNorm(self.planes, (1, 3, 3), self.strides, mode=self.mode, name="conv2")(y, train)
        if x.shape[-1] != out or tuple(self.strides) != (1, 1, 1):
            options = {"activation": None, "mode": self.mode, "name": "downsample"}
            x = ConvNorm(out, (1, 1, 1), self.strides, **options)(x, train)
        last = ConvNorm(out, (1, 1, 1), zero_scale=True, mode=self.mode, name="conv3")
        return last(y, train, residual=x)


class SlowOnly(nn.Module):
    """[B, T, H, W, C] volumes to logits {'pose': [B, K]}; stage widths 4, 8, 16 x `width`."""

    num_classes: int
    width: int = 32
    stage_blocks: Sequence[int] = (4, 6, 3)
    inflate: Sequence[int] = (0, 1, 1)
    temporal_strides: Sequence[int] = (1, 1, 2)
    dropout: float = 0.5
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        x = ConvNorm(self.width, (1, 7, 7), mode=self.mode, name="conv1")(x, train)
        pool = partial(max_pool_frames, target=self.mode.target)
        x = jax.checkpoint(pool)(x) if self.mode.remat else pool(x)
        bottleneck = recomputed(Bottleneck, self.mode.remat)
        stages = zip(self.stage_blocks, self.inflate, self.temporal_strides, strict=True)
        for stage, (blocks, inflate, temporal) in enumerate(stages):
            for block in range(blocks):
                strides = (temporal, 2, 2) if block == 0 else (1, 1, 1)
                name = f"layer{stage + 1}_{block}"
                planes = self.width * 2**stage
                x = bottleneck(planes, strides, bool(inflate), self.mode, name=name)(x, train)
        return {"pose": Head(self.num_classes, self.dropout, name="head")(x, train)}
