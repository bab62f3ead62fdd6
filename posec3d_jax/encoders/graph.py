"""From a batch of keypoints to the graph networks' joints: normalised by the frame, as one stream.

The reference's pipeline (PreNormalize2D, GenSkeFeat, FormatGCNInput), which takes features before
frames are picked; so the motion streams need the frame after each.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.encoder import Batch, Encoder
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.skeletons.skeleton import Skeleton

STREAMS = ("joint", "bone", "joint_motion", "bone_motion")


def graph_encoder(config, skeleton: Skeleton, target: str = "portable") -> Encoder:
    """The encoder of `config.graph` (and `config.geometry.flip`); the same on every target."""
    options, sampling = config.graph.to_dict(), config.sampling
    if options["stream"] not in STREAMS:
        raise ValueError(f"config.graph.stream is {options['stream']!r}; expected one of {STREAMS}")
    flip = config.geometry.flip
    shape = (config.data.max_persons, sampling.num_frames, skeleton.num_joints, 3)
    return Encoder(
        needs={"pose": Needs(sampling.num_frames, following=is_motion(options["stream"]))},
        train=lambda batch, key: encode_train(batch, key, skeleton, flip, options),
        test=lambda batch, clips, mirror: encode_test(batch, clips, mirror, skeleton, options),
        train_shape=shape,
        test_shape=shape,
    )


def is_motion(stream: str) -> bool:
    """Whether the stream is a difference of frames."""
    return stream.endswith("_motion")


def encode_train(
    batch: Batch, key: jax.Array, skeleton: Skeleton, flip: float, options: Mapping
) -> jax.Array:
    """Joints [B, M, T, V, 3] of a training batch, mirrored with probability `flip`."""
    chosen = jax.random.bernoulli(key, flip, (len(batch["keypoint"]),))
    return encode(batch, chosen, skeleton, options)


def encode_test(
    batch: Batch, num_clips: int, mirror: bool, skeleton: Skeleton, options: Mapping
) -> jax.Array:
    """Joints [B, views, M, T, V, 3]: all clips, then, if asked for, all of them mirrored.

    The batch holds `num_clips` clips one after the other on the frame axis.
    """
    count = batch["keypoint"].shape[0]  # a symbol in exports
    parts = []
    for mirrored in (False, True)[: 1 + mirror]:
        x = encode(batch, jnp.full(count, mirrored), skeleton, options)
        x = x.reshape(*x.shape[:2], num_clips, -1, *x.shape[3:])
        parts.append(x.swapaxes(1, 2))
    return jnp.concatenate(parts, 1)


def encode(batch: Batch, mirrored: jax.Array, skeleton: Skeleton, options: Mapping) -> jax.Array:
    """(x, y, score) of the stream's joints, bones or motions: [B, M, T, V, 3].

    x and y are -1 to 1 across the frame; a joint whose score is at most `threshold` has both at 0,
    which is what the reference calls missing; without `use_score` the score is then 0, and else 1.
    A bone points from the parent, a motion to the next frame; their scores are the means of the two
    that they join.
    """
    keypoint, score, size = batch["keypoint"], batch["score"], batch["frame_size"]
    finite = jnp.isfinite(keypoint).all(-1)
    keypoint, score = jnp.where(finite[..., None], keypoint, 0), jnp.where(finite, score, 0)
    keypoint, score = g.flip(
        keypoint, score, size[:, 1], skeleton.flip_joints, mirrored, missing="joint"
    )
    half = size[:, None, None, None, ::-1] / 2
    seen = score > options["threshold"]
    point = jnp.where(seen[..., None], (keypoint - half) / half, 0)
    score = score if options["use_score"] else seen.astype(score.dtype)
    x = jnp.concatenate([point, score[..., None]], -1)
    if options["stream"].startswith("bone"):
        x = _difference(x[..., np.array(skeleton.parents), :], x)
    if not is_motion(options["stream"]):
        return x
    now, following = jnp.split(x, 2, 2)
    exists = jnp.split(jnp.isfinite(batch["keypoint"]).any((1, 3, 4)), 2, 1)[1]
    return jnp.where(exists[:, None, :, None, None], _difference(now, following), 0)


def _difference(start: jax.Array, end: jax.Array) -> jax.Array:
    """Vectors from start to end, with the mean of both scores."""
    score = (start[..., 2:] + end[..., 2:]) / 2
    return jnp.concatenate([end[..., :2] - start[..., :2], score], -1)
