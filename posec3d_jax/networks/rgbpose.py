"""RGBPose: SlowOnly of frames and SlowOnly of heatmaps, joined between stages by laterals.

The reference's RGBPose-Conv3D. At each of two fusions both laterals read the features as they are
before either is joined; each pathway goes on with [its own features, what came in].
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from posec3d_jax.networks.layers import BatchNorm, Conv, pooled
from posec3d_jax.networks.mode import Mode
from posec3d_jax.networks.pathway import Pathway


class FromPose(nn.Module):
    """Pose to RGB: every `stride`-th frame of a convolution over time, nothing after it."""

    widening: int
    size: int
    stride: int
    mode: Mode

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        features, strides = x.shape[-1] * self.widening, (self.stride, 1, 1)
        return Conv(features, (self.size, 1, 1), strides, mode=self.mode, name="conv")(x)


class FromRGB(nn.Module):
    """RGB to pose: a transposed convolution to `stride` times the frames, BatchNorm, ReLU."""

    narrowing: int
    size: int
    stride: int
    mode: Mode

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        features = x.shape[-1] // self.narrowing
        x = TransposedConv(features, self.size, self.stride, name="conv")(x)
        return BatchNorm(self.mode, name="bn")(x, train, relu=True)


class TransposedConv(nn.Module):
    """Along time, T to exactly stride x T frames; the kernel is [size, 1, 1, C, features]."""

    features: int
    size: int
    stride: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        bound = (self.features * self.size) ** -0.5  # PyTorch's start of such a layer
        start = partial(jax.random.uniform, minval=-bound, maxval=bound)
        shape = (self.size, 1, 1, x.shape[-1], self.features)
        kernel = self.param("kernel", lambda key: start(key, shape)).astype(x.dtype)
        b, t, h, w, c = x.shape
        pad = (self.size - 1) // 2
        y = lax.conv_general_dilated(
            x.reshape(b, t, h * w, c),
            kernel[::-1, :, 0],
            (1, 1),
            [(pad, pad + self.stride - 1), (0, 0)],
            lhs_dilation=(self.stride, 1),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return y.reshape(b, t * self.stride, h, w, self.features)

    def multiply_adds(self, x: jax.Array) -> int:
        """One for each input value and weight that meets it."""
        return x.size * self.size * self.features


class Heads(nn.Module):
    """For each named pathway: global average, dropout, linear, to float32 logits [B, K]."""

    num_classes: int
    dropout: float

    @nn.compact
    def __call__(self, features: Mapping[str, jax.Array], train: bool) -> dict[str, jax.Array]:
        normal, logits = nn.initializers.normal(0.01), {}
        for name, x in features.items():
            x = nn.Dropout(self.dropout, deterministic=not train)(pooled(x))
            dense = nn.Dense(self.num_classes, kernel_init=normal, dtype=x.dtype, name=f"fc_{name}")
            logits[name] = dense(x)
        return logits


class RGBPose(nn.Module):
    """{'rgb': [B, T, H, W, 3], 'pose': [B, T', h, w, V]} to logits {'rgb', 'pose'}, each [B, K].

    T' is `speed_ratio` x T (with laterals from pose alone, T' / speed_ratio rounded up is T), and
    both pathways must have as many rows and columns where they are joined: h = H / 4 fits if H is
    a multiple of 8.
    """

    num_classes: int
    rgb_width: int = 64
    rgb_blocks: Sequence[int] = (3, 4, 6, 3)
    pose_width: int = 32
    pose_blocks: Sequence[int] = (4, 6, 3)
    pose_to_rgb: Sequence[int] = (1, 2)  # fusions at which RGB takes in pose; () for none
    rgb_to_pose: Sequence[int] = (1, 2)
    speed_ratio: int = 4
    fusion_kernel: int = 7  # frames
    pose_widening: int = 1  # of the channels that a lateral from pose reads
    rgb_narrowing: int = 16
    rgb_drop_path: float = 0.0  # probability that RGB gets zeros for what pose sends, in training
    pose_drop_path: float = 0.0
    dropout: float = 0.5
    mode: Mode = Mode()

    def setup(self):
        lateral = {"size": self.fusion_kernel, "stride": self.speed_ratio, "mode": self.mode}
        self.rgb_path = Pathway(
            self.rgb_width,
            self.rgb_blocks,
            inflate=(0, 0, 1, 1),
            temporal_strides=(1, 1, 1, 1),
            spatial_strides=(1, 2, 2, 2),
            stem_strides=(2, 2),
            laterals=tuple(fusion + 1 for fusion in self.pose_to_rgb),
            lateral_of=lambda stage: FromPose(self.pose_widening, **lateral),
            mode=self.mode,
        )
        self.pose_path = Pathway(
            self.pose_width,
            self.pose_blocks,
            inflate=(0, 1, 1),
            temporal_strides=(1, 1, 1),
            spatial_strides=(2, 2, 2),
            laterals=tuple(self.rgb_to_pose),
            lateral_of=lambda stage: FromRGB(self.rgb_narrowing, **lateral),
            mode=self.mode,
        )
        self.head = Heads(self.num_classes, self.dropout)

    def __call__(self, x: Mapping[str, jax.Array], train: bool = False) -> dict[str, jax.Array]:
        keeps = self._keeps(train, x["rgb"].dtype)
        rgb = self.rgb_path.stage(1, self.rgb_path.stem(x["rgb"], train), train)
        pose = self.pose_path.stem(x["pose"], train)
        for fusion in (1, 2):
            rgb = self.rgb_path.stage(fusion + 1, rgb, train)
            pose = self.pose_path.stage(fusion, pose, train)
            rgb, pose = self._joined(fusion, rgb, pose, keeps, train)
        rgb, pose = self.rgb_path.stage(4, rgb, train), self.pose_path.stage(3, pose, train)
        return self.head({"rgb": rgb, "pose": pose}, train)

    def _joined(self, fusion: int, rgb, pose, keeps: Mapping[str, jax.Array], train: bool):
        """Both pathways' features, each with what the other sends at this fusion behind it."""
        to_rgb, to_pose = [rgb], [pose]
        if fusion in self.pose_to_rgb:
            to_rgb.append(self.rgb_path.lateral(fusion + 1, pose, train) * keeps["rgb"])
        if fusion in self.rgb_to_pose:
            to_pose.append(self.pose_path.lateral(fusion, rgb, train) * keeps["pose"])
        return jnp.concatenate(to_rgb, -1), jnp.concatenate(to_pose, -1)

    def _keeps(self, train: bool, dtype: Any) -> dict[str, jax.Array | int]:
        """0 for a pathway that gets nothing from the other one in this step, else 1.

        Drawn once for the batch, and in training only.
        """
        rates = {"rgb": self.rgb_drop_path, "pose": self.pose_drop_path}
        if not train or not any(rates.values()):
            return dict.fromkeys(rates, 1)
        drawn = jax.random.uniform(self.make_rng("dropout"), (2,))
        return {
            name: (drawn[i] >= rate).astype(dtype) for i, (name, rate) in enumerate(rates.items())
        }
