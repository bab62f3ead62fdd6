"""A pathway: a ResNet over frames in pieces, so that another one can join it between two stages."""

from collections.abc import Callable, Sequence
from functools import partial

import flax.linen as nn
import jax

from posec3d_jax.kernels.pooling import max_pool_frames
from posec3d_jax.networks.layers import ConvNorm, recomputed
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


class Pathway(nn.Module):
    """A stem and stages of bottlenecks; stage s puts out 4 * 2**s * `width` channels.

    Features come in by `stem`, and then go through the stages one by one, or through all of it by
    a call. What another pathway sends goes through `lateral(stage, ...)` and is concatenated to the
    features in front of the next stage by whoever has both.
    """

    width: int
    stage_blocks: Sequence[int]
    inflate: Sequence[int]  # stages whose first 1x1x1 convolutions are 3x1x1
    temporal_strides: Sequence[int]
    spatial_strides: Sequence[int]
    stem_strides: Sequence[int] = (1, 1)  # in space: of the convolution, of the pooling
    laterals: Sequence[int] = ()  # stages after which something comes in, counted from 1
    lateral_of: Callable[[int], nn.Module] | None = None  # such a stage to the module it takes
    mode: Mode = Mode()

    def setup(self):
        stride = self.stem_strides[0]
        self.conv1 = ConvNorm(self.width, (1, 7, 7), (1, stride, stride), mode=self.mode)
        bottleneck = recomputed(Bottleneck, self.mode.remat)
        stages = zip(
            self.stage_blocks,
            self.inflate,
            self.temporal_strides,
            self.spatial_strides,
            strict=True,
        )
        for stage, (blocks, inflate, temporal, spatial) in enumerate(stages):
            for block in range(blocks):
                strides = (temporal, spatial, spatial) if block == 0 else (1, 1, 1)
                planes = self.width * 2**stage
                module = bottleneck(planes, strides, bool(inflate), self.mode)
                setattr(self, f"layer{stage + 1}_{block}", module)
        for stage in self.laterals:
            setattr(self, f"layer{stage}_lateral", self.lateral_of(stage))

    def stem(self, x: jax.Array, train: bool) -> jax.Array:
        x = self.conv1(x, train)
        pool = partial(max_pool_frames, stride=self.stem_strides[1], target=self.mode.target)
        return jax.checkpoint(pool)(x) if self.mode.remat else pool(x)

    def stage(self, number: int, x: jax.Array, train: bool) -> jax.Array:
        """Features [B, T, H, W, C] through a stage, counted from 1."""
        for block in range(self.stage_blocks[number - 1]):
            x = getattr(self, f"layer{number}_{block}")(x, train)
        return x

    def lateral(self, number: int, x: jax.Array, train: bool) -> jax.Array:
        """What another pathway's features bring to this one after that stage."""
        return getattr(self, f"layer{number}_lateral")(x, train)

    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """[B, T, H, W, C] to features of the last stage [B, T', H', W', C']."""
        x = self.stem(x, train)
        for number in range(1, len(self.stage_blocks) + 1):
            x = self.stage(number, x, train)
        return x
