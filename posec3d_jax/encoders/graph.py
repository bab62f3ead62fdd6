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

STREAMS = ("joint", "bone", "joint_motion", "bone_motion", "all")
FRAMES = ("picture", "person")


def graph_encoder(config, skeleton: Skeleton, target: str = "portable") -> Encoder:
    """The encoder of `config.graph` (and `config.geometry.flip`); the same on every target."""
    scored = not config.data.normalize
    options, sampling = config.graph.to_dict() | {"scored": scored}, config.sampling
    if options["stream"] not in STREAMS:
        raise ValueError(f"config.graph.stream is {options['stream']!r}; expected one of {STREAMS}")
    if options["frame"] not in FRAMES:
        raise ValueError(f"config.graph.frame is {options['frame']!r}; expected one of {FRAMES}")
    flip = config.geometry.flip
    each = 2 + _gives_depth(config) + scored  # x, y, perhaps z, and the score
    channels = 3 * each if options["stream"] == "all" else each
    shape = (config.data.max_persons, sampling.num_frames, skeleton.num_joints, channels)
    return Encoder(
        needs={"pose": Needs(sampling.num_frames, following=is_motion(options["stream"]))},
        train=lambda batch, key: encode_train(batch, key, skeleton, flip, options),
        test=lambda batch, clips, mirror: encode_test(batch, clips, mirror, skeleton, options),
        train_shape=shape,
        test_shape=shape,
    )


def _gives_depth(config) -> bool:
    """Whether joints come in 3-D: see encoders/turning.py."""
    return config.data.planes and tuple(config.planes.shown) != ("front",)


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
        x = encode(batch, jnp.full(count, mirrored), skeleton, options, num_clips)
        x = x.reshape(*x.shape[:2], num_clips, -1, *x.shape[3:])
        parts.append(x.swapaxes(1, 2))
    return jnp.concatenate(parts, 1)


def encode(
    batch: Batch, mirrored: jax.Array, skeleton: Skeleton, options: Mapping, num_clips: int = 1
) -> jax.Array:
    """What `_with_scores` gives; the scores are left out where joints are not `scored`."""
    x = _with_scores(batch, mirrored, skeleton, options, num_clips)
    if options["scored"]:
        return x
    each = batch["keypoint"].shape[-1] + 1
    return x.reshape(*x.shape[:-1], -1, each)[..., :-1].reshape(*x.shape[:-1], -1)


def _with_scores(
    batch: Batch, mirrored: jax.Array, skeleton: Skeleton, options: Mapping, num_clips: int
) -> jax.Array:
    """(x, y, score) of the stream's joints, bones or motions: [B, M, T, V, 3]; of 'all' 9 channels.

    Of 3-D joints (turning.py) it is (x, y, z, score). x and y are -1 to 1 across the frame, or
    across the box around the clip's joints (`frame` 'person'); a joint whose score is at most
    `threshold` has both at 0, which is what the reference calls missing; without `use_score` the
    score is then 0, and else 1. A bone points from the parent, a motion to the next frame; their
    scores are the means of the two that they join. 'all' is joints, bones, and each joint's motion
    from one of the network's frames to its next; the batch holds `num_clips` clips one after the
    other.
    """
    keypoint, score, size = batch["keypoint"], batch["score"], batch["frame_size"]
    finite = jnp.isfinite(keypoint).all(-1)
    keypoint, score = jnp.where(finite[..., None], keypoint, 0), jnp.where(finite, score, 0)
    keypoint, score = g.flip(
        keypoint, score, size[:, 1], skeleton.flip_joints, mirrored, missing="joint"
    )
    seen = score > options["threshold"]
    point = jnp.where(seen[..., None], _normalised(keypoint, size, options["frame"]), 0)
    score = score if options["use_score"] else seen.astype(score.dtype)
    x = jnp.concatenate([point, score[..., None]], -1)
    stream, bones = options["stream"], lambda: _difference(x[..., np.array(skeleton.parents), :], x)
    if stream == "all":
        return jnp.concatenate([x, bones(), _steps(x, num_clips)], -1)
    if stream.startswith("bone"):
        x = bones()
    if not is_motion(stream):
        return x
    now, following = jnp.split(x, 2, 2)
    exists = jnp.split(jnp.isfinite(batch["keypoint"]).any((1, 3, 4)), 2, 1)[1]
    return jnp.where(exists[:, None, :, None, None], _difference(now, following), 0)


def _normalised(keypoint: jax.Array, size: jax.Array, frame: str) -> jax.Array:
    """-1 to 1 across the picture, or across the longer side of the box around all joints."""
    if frame == "picture":
        half = size[:, None, None, None, ::-1] / 2
        if keypoint.shape[-1] == 3:
            half = half[..., (0, 1, 0)]  # depth is in the scale of x
        return (keypoint - half) / half
    centre, side = g.centre_and_side(keypoint)
    return (keypoint - centre[:, None, None, None]) / (side[:, None, None, None] / 2)


def _steps(x: jax.Array, num_clips: int) -> jax.Array:
    """What each joint does until the next of the frames; the last frame of a clip has zeros."""
    clips = x.reshape(*x.shape[:2], num_clips, -1, *x.shape[3:])
    steps = _difference(clips[:, :, :, :-1], clips[:, :, :, 1:])
    last = jnp.zeros_like(clips[:, :, :, :1])
    return jnp.concatenate([steps, last], 3).reshape(x.shape)


def _difference(start: jax.Array, end: jax.Array) -> jax.Array:
    """Vectors from start to end, with the mean of both scores."""
    score = (start[..., -1:] + end[..., -1:]) / 2
    return jnp.concatenate([end[..., :-1] - start[..., :-1], score], -1)
