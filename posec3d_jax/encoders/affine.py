"""Clips seen a little differently in training: turned in the picture, stretched, sheared, moved.

One map for all persons and frames of a clip, drawn anew every step. It stands for cameras that are
held or placed otherwise, and for persons of another build. Volumes crop to the persons afterwards,
so that of a shift and of a stretch alike in x and y they see nothing.
"""

from collections.abc import Mapping
from dataclasses import replace

import jax
import jax.numpy as jnp

from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.encoder import Batch, Encoder, Inputs


def with_affine_maps(encoder: Encoder, config_augment) -> Encoder:
    """The encoder behind `config.augment`, in training only; the same object where it is all 0."""
    limits = config_augment.to_dict()
    if not any(limits.values()):
        return encoder

    def train(batch: Batch, key: jax.Array) -> Inputs:
        key, map_key = jax.random.split(key)
        return encoder.train(mapped(batch, map_key, limits), key)

    return replace(encoder, train=train)


def mapped(batch: Batch, key: jax.Array, limits: Mapping[str, float]) -> Batch:
    """The batch with every clip's keypoint [B, M, T, V, 2 or 3] under a map of its own (x, y).

    Maps leave the middle of the box around the clip's joints where it is, but for the shift, which
    is relative to the box's longer side. Missing joints (not finite, or at exactly (0, 0)) stay so.
    """
    keypoint = batch["keypoint"]
    finite = jnp.isfinite(keypoint).all(-1, keepdims=True)
    present = finite & (keypoint != 0).any(-1, keepdims=True)
    points = jnp.where(present, keypoint, 0)
    flat, depth = points[..., :2], points[..., 2:]
    centre, side = g.centre_and_side(flat)
    matrix, shift = _maps(key, len(points), limits)
    moved = jnp.einsum("bij,bmtvj->bmtvi", matrix, flat - _wide(centre), precision="highest")
    moved = jnp.concatenate([moved + _wide(centre + shift * side), depth], -1)
    return {**batch, "keypoint": jnp.where(present, moved, keypoint)}


def _maps(key: jax.Array, count: int, limits: Mapping[str, float]) -> tuple[jax.Array, jax.Array]:
    """Matrices [B, 2, 2] (shear, then stretch, then turn), and shifts [B, 2] (x, y)."""
    draw = jax.random.uniform(key, (count, 6), minval=-1, maxval=1)
    angle = draw[:, 0] * jnp.deg2rad(limits["turn"])
    stretch = jnp.exp(draw[:, 1:3] * jnp.log1p(limits["stretch"]))
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    turn = jnp.stack([jnp.stack([cos, -sin], -1), jnp.stack([sin, cos], -1)], 1)
    one, slope = jnp.ones(count), draw[:, 3] * limits["shear"]
    shear = jnp.stack([jnp.stack([one, slope], -1), jnp.stack([0 * one, one], -1)], 1)
    scaled = stretch[:, :, None] * shear
    return jnp.einsum("bij,bjk->bik", turn, scaled, precision="highest"), (
        draw[:, 4:] * limits["shift"]
    )


def _wide(vectors: jax.Array) -> jax.Array:
    """[B, 2] as [B, 1, 1, 1, 2]."""
    return vectors[:, None, None, None]
