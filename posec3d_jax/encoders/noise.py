"""Pose noise, on the device: joints that go missing, coordinates that shake, scores that are wrong.

The first is the paper's robustness study ("one limb joint dropped in a frame with probability p");
the others are what weaker pose estimators do, and `offset` what another estimator does: it means
other places by a joint's name. A network can be trained on the same noise.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.encoders.encoder import Batch, Encoder
from posec3d_jax.skeletons.skeleton import Skeleton

KINDS = ("drop", "jitter", "offset", "score")
LIMB_JOINTS = ("elbow", "wrist", "knee", "ankle")


def with_noise(encoder: Encoder, config_noise, skeleton: Skeleton) -> Encoder:
    """The encoder behind `config.noise`; the same object where that asks for none.

    Training noise is drawn anew every step. Test noise depends on `noise.seed` and the clip's
    number alone, so every network is tested on the same damaged clips.

    Raises:
      ValueError: `noise.joints` names a joint that the layout lacks, or nothing can be dropped.
    """
    noise = config_noise.to_dict()
    if not any(noise[kind] for kind in KINDS):
        return encoder
    joints = limb_joints(skeleton, noise["joints"]) if noise["drop"] else np.zeros(1, np.int32)
    damage = partial(add_noise, noise=noise, joints=joints)

    def train(batch: Batch, key: jax.Array) -> jax.Array:
        key, noise_key = jax.random.split(key)
        keys = jax.random.split(noise_key, len(batch["keypoint"]))
        return encoder.train(damage(batch, keys), key)

    def test(batch: Batch, clips: int, mirror: bool) -> jax.Array:
        keys = jax.vmap(partial(jax.random.fold_in, jax.random.key(noise["seed"])))(batch["index"])
        return encoder.test(damage(batch, keys), clips, mirror)

    changed = {"train": train} if noise["in_training"] else {}
    return replace(encoder, **changed, **({"test": test} if noise["in_test"] else {}))


def limb_joints(skeleton: Skeleton, names: tuple[str, ...] = ()) -> np.ndarray:
    """Indices of the named joints, int32; without names of elbows, wrists, knees and ankles."""
    if unknown := [name for name in names if name not in skeleton.joints]:
        raise ValueError(
            f"config.noise.joints has {', '.join(unknown)}, which layout {skeleton.name!r} lacks; "
            f"it has {', '.join(skeleton.joints)}"
        )
    names = names or [joint for joint in skeleton.joints if joint.endswith(LIMB_JOINTS)]
    if not names:
        raise ValueError(
            f"layout {skeleton.name!r} names no elbow, wrist, knee or ankle: say in "
            "config.noise.joints which joints may be dropped"
        )
    return np.array([skeleton.joints.index(name) for name in names], np.int32)


def add_noise(batch: Batch, keys: jax.Array, noise: Mapping, joints: np.ndarray) -> Batch:
    """The batch with every clip damaged by its own key, keys [B]; other entries stay as they are.

    Dropped joints become NaN, which all encoders treat as missing. `jitter` (of every frame anew)
    and `offset` (of each joint, the same in all frames) are relative to the longer side of the box
    around all joints of the clip, `score` is absolute; scores stay within 0 and 1. Missing joints
    get none of them.
    """
    one_clip = partial(_one_clip, noise=noise, joints=joints)
    keypoint, score = jax.vmap(one_clip)(keys, batch["keypoint"], batch["score"])
    return {**batch, "keypoint": keypoint, "score": score}


def _one_clip(
    key: jax.Array, keypoint: jax.Array, score: jax.Array, noise: Mapping, joints: np.ndarray
) -> tuple[jax.Array, jax.Array]:
    """Keypoint [M, T, V, 2] and score [M, T, V] of one clip."""
    drop_key, jitter_key, offset_key, score_key = jax.random.split(key, 4)
    present = jnp.isfinite(keypoint).all(-1) & (keypoint != 0).any(-1)
    if noise["jitter"] or noise["offset"]:
        shake = noise["jitter"] * jax.random.normal(jitter_key, keypoint.shape)
        offset = jax.random.normal(offset_key, keypoint.shape[-2:])
        shake += noise["offset"] * offset[None, None]
        shaken = keypoint + shake * _longer_side(keypoint, present)
        keypoint = jnp.where(present[..., None], shaken, keypoint)
    if noise["score"]:
        wrong = score + noise["score"] * jax.random.normal(score_key, score.shape)
        score = jnp.where(present, jnp.clip(wrong, 0, 1), score)
    if noise["drop"]:
        dropped = _dropped(drop_key, score.shape, noise["drop"], joints)
        keypoint = jnp.where(dropped[..., None], jnp.nan, keypoint)
        score = jnp.where(dropped, 0, score)
    return keypoint, score


def _longer_side(keypoint: jax.Array, present: jax.Array) -> jax.Array:
    """Of the box around the present joints, in pixels; 0 for a clip without any."""
    low = jnp.where(present[..., None], keypoint, jnp.inf).min((0, 1, 2))
    high = jnp.where(present[..., None], keypoint, -jnp.inf).max((0, 1, 2))
    return jnp.where(present.any(), (high - low).max(), 0)


def _dropped(
    key: jax.Array, shape: tuple[int, int, int], probability: float, joints: np.ndarray
) -> jax.Array:
    """bool [M, T, V]: of each person in each frame at most one, chosen evenly among `joints`."""
    chance_key, which_key = jax.random.split(key)
    hit = jax.random.bernoulli(chance_key, probability, shape[:2])
    which = jnp.asarray(joints)[jax.random.randint(which_key, shape[:2], 0, len(joints))]
    return hit[..., None] & (which[..., None] == jnp.arange(shape[2])[None, None])
