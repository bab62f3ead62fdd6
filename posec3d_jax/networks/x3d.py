"""X3D-shallow: depth-wise bottlenecks, the cheapest of the three networks."""

from collections.abc import Sequence
from functools import partial

import flax.linen as nn
import jax

from posec3d_jax.networks.layers import Conv, ConvNorm, Head, recomputed
from posec3d_jax.networks.mode import Mode


class SqueezeExcite(nn.Module):
    """Channel gates from the global average; bottleneck width a multiple of eight."""

    reduction: int = 16
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        channels = x.shape[-1]
        gates = x.mean((1, 2, 3), keepdims=True)
        conv = partial(Conv, kernel_size=(1, 1, 1), use_bias=True, mode=self.mode)
        narrow = _multiple_of_eight(channels / self.reduction)
        gates = nn.relu(conv(narrow, name="fc1")(gates))
        gates = conv(channels, name="fc2")(gates)
        return x * nn.sigmoid(gates)


def _multiple_of_eight(width: float) -> int:
    """Nearest multiple of eight, at least eight and never below 90 % of `width`."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * width else rounded


class Block(nn.Module):
    """1x1x1 to the inner width, depth-wise 3x3x3 carrying the stride, 1x1x1 back."""

    planes: int
    inner: int
    stride: int
    squeeze_excite: bool
    swish: bool
    mode: Mode

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        strides, plain = (1, self.stride, self.stride), {"activation": None, "mode": self.mode}
        y = ConvNorm(self.inner, (1, 1, 1), mode=self.mode, name="conv1")(x, train)
        y = ConvNorm(self.inner, (3, 3, 3), strides, depthwise=True, name="conv2", **plain)(
            y, train
        )
        y = SqueezeExcite(mode=self.mode, name="se")(y) if self.squeeze_excite else y
        y = nn.swish(y) if self.swish else y
        if self.stride != 1 or x.shape[-1] != self.planes:
            x = ConvNorm(self.planes, (1, 1, 1), strides, name="downsample", **plain)(x, train)
        last = ConvNorm(self.planes, (1, 1, 1), zero_scale=True, mode=self.mode, name="conv3")
        return last(y, train, residual=x)


class X3DShallow(nn.Module):
    """[B, T, H, W, C] volumes to logits {'pose': [B, K]}; `expansion` is the paper's gamma_b."""

    num_classes: int
    width: int = 24
    stage_blocks: Sequence[int] = (2, 5, 3)
    expansion: float = 2.25
    squeeze_excite: bool = False
    swish: bool = False
    dropout: float = 0.5
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        x = Conv(self.width, (1, 3, 3), (1, 2, 2), mode=self.mode, name="conv1_s")(x)
        conv, options = recomputed(ConvNorm, self.mode.remat), {"mode": self.mode}
        x = conv(self.width, (5, 1, 1), depthwise=True, name="conv1_t", **options)(x, train)
        for stage, blocks in enumerate(self.stage_blocks):
            planes = self.width * 2**stage
            for block in range(blocks):
                gate = self.squeeze_excite and block % 2 == 0
                inner, stride = int(planes * self.expansion), 2 if block == 0 else 1
                name = f"layer{stage + 1}_{block}"
                module = recomputed(Block, self.mode.remat)(
                    planes, inner, stride, gate, self.swish, self.mode, name=name
                )
                x = module(x, train)
        x = conv(int(planes * self.expansion), (1, 1, 1), name="conv5", **options)(x, train)
        return {"pose": Head(self.num_classes, self.dropout, name="head")(x, train)}
