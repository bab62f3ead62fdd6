"""3-D skeletons turned on the device, before planes of them are drawn or their joints given.

Data with `config.data.planes` has every joint from the front (x, y), from the side (z, y) and from
above (x, z), in one scale about the middle of the picture (data/projection.py). Front and side are
the skeleton; what the network is shown is made of it after each turn.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.encoders.encoder import Batch, Encoder, Inputs
from posec3d_jax.skeletons.planes import flat_layout, planes_of
from posec3d_jax.skeletons.skeleton import Skeleton

_AXES = {"front": (0, 1), "side": (2, 1), "top": (0, 2)}
_TORSO = ("shoulder", "hip")


@dataclass(frozen=True)
class Turning:
    """The keys of `config.planes`, and what the skeletons are."""

    skeleton: Skeleton  # of one plane
    shown: tuple[str, ...]
    yaw: float
    pitch: float
    facing: bool
    points: bool  # x, y and z of each joint instead of planes

    def train(self, batch: Batch, key: jax.Array) -> Batch:
        """The batch as it is shown, each clip turned by angles of its own."""
        count = len(batch["keypoint"])
        draw = jax.random.uniform(key, (2, count), minval=-1, maxval=1)
        limits = jnp.deg2rad(jnp.array([self.yaw, self.pitch]))
        return self._shown(batch, *(draw * limits[:, None]))

    def test(self, batch: Batch) -> Batch:
        """The batch as it is shown, as recorded or facing the camera."""
        still = jnp.zeros(len(batch["keypoint"]))
        return self._shown(batch, still, still)

    def _shown(self, batch: Batch, yaw: jax.Array, pitch: jax.Array) -> Batch:
        points, there = self._points(batch)
        if self.facing:
            yaw = yaw - self._direction(points, there)
        points = _turned(points, yaw, pitch)
        middle = _middle(batch)
        if self.points:
            return self._with(batch, points + middle[..., (0, 1, 0)], there, 1)
        planes = [points[..., _AXES[plane]] + middle for plane in self.shown]
        there = jnp.concatenate([there] * len(planes), -2)
        return self._with(batch, jnp.concatenate(planes, -2), there, len(planes))

    def _points(self, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """x, y, z [B, M, T, V, 3] about the middle, and which joints are there [B, M, T, V, 1]."""
        joints = self.skeleton.num_joints
        front, side = (batch["keypoint"][..., i * joints : (i + 1) * joints, :] for i in (0, 1))
        finite = jnp.isfinite(front).all(-1, keepdims=True)
        there = finite & (front != 0).any(-1, keepdims=True)
        middle = _middle(batch)
        points = jnp.concatenate([front - middle, side[..., :1] - middle[..., :1]], -1)
        return jnp.where(there, points, 0), there

    def _direction(self, points: jax.Array, there: jax.Array) -> jax.Array:
        """The angle [B] from x to the way from the first person's right joints to the left ones."""
        names, pairs = self.skeleton.joints, self.skeleton.pairs
        torso = [pair for pair in pairs if names[pair[0]].endswith(_TORSO)] or pairs
        left, right = (np.array(side) for side in zip(*torso, strict=True))
        both = there[:, :1, :, left] & there[:, :1, :, right]
        way = jnp.where(both, points[:, :1, :, left] - points[:, :1, :, right], 0).sum((1, 2, 3))
        return jnp.arctan2(way[:, 2], jnp.where((way[:, ::2] == 0).all(-1), 1, way[:, 0]))

    def _with(self, batch: Batch, keypoint: jax.Array, there: jax.Array, planes: int) -> Batch:
        """The batch with these joints; missing ones as they were, zeros or not finite."""
        joints = self.skeleton.num_joints
        score = jnp.concatenate([batch["score"][..., :joints]] * planes, -1)
        before = jnp.concatenate([batch["keypoint"][..., :joints, :1]] * planes, -2)
        return {**batch, "keypoint": jnp.where(there, keypoint, before), "score": score}


def _middle(batch: Batch) -> jax.Array:
    """(x, y) of the middle of each picture, [B, 1, 1, 1, 2]."""
    return batch["frame_size"][:, None, None, None, ::-1] / 2


def _turned(points: jax.Array, yaw: jax.Array, pitch: jax.Array) -> jax.Array:
    """Points [B, M, T, V, 3] after a turn about y, then one about x, by angles [B]."""
    yaw, pitch = yaw[:, None, None, None], pitch[:, None, None, None]
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    x, z = x * jnp.cos(yaw) - z * jnp.sin(yaw), x * jnp.sin(yaw) + z * jnp.cos(yaw)
    y, z = y * jnp.cos(pitch) - z * jnp.sin(pitch), y * jnp.sin(pitch) + z * jnp.cos(pitch)
    return jnp.stack([x, y, z], -1)


def with_turning(make: Callable[[Skeleton], Encoder], config) -> tuple[Encoder, Skeleton]:
    """The encoder behind `config.planes`, and the layout that the network sees.

    `make` is given that layout. Without `config.data.planes` it is the data's, and nothing turns.

    Raises:
      ValueError: no plane is shown, or one twice; or `facing` for a layout without pairs.
    """
    flat = flat_layout(config.data)
    if not config.data.planes:
        return make(flat), flat
    shown, points = tuple(config.planes.shown), config.encoder == "graph"
    if not shown or len(set(shown)) < len(shown):
        raise ValueError(f"config.planes.shown is {shown}; expected one to three planes, each once")
    if config.planes.facing and not flat.pairs:
        raise ValueError(f"config.planes.facing: layout {flat.name!r} has no left and right joints")
    points = points and shown != ("front",)
    angles = {name: config.planes[name] for name in ("yaw", "pitch", "facing")}
    turning = Turning(flat, shown, points=points, **angles)
    layout = flat if points or shown == ("front",) else planes_of(flat, shown)
    encoder = make(layout)

    def train(batch: Batch, key: jax.Array) -> Inputs:
        key, turn_key = jax.random.split(key)
        return encoder.train(turning.train(batch, turn_key), key)

    def test(batch: Batch, clips: int, mirror: bool) -> Inputs:
        return encoder.test(turning.test(batch), clips, mirror)

    return replace(encoder, train=train, test=test), layout
