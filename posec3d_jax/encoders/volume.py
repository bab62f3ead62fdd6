"""From a batch of keypoints to heatmap volumes: geometry, then drawing, inside the jitted step.

The one place where the reference's training and test pipelines are written down, in its order.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.encoder import Batch, Encoder, Inputs
from posec3d_jax.encoders.finish import Finish, draw, joint_profiles, num_channels, split_views
from posec3d_jax.skeletons.skeleton import Skeleton


def network_volume_encoder(config, skeleton: Skeleton) -> Encoder:
    """The encoder whose volumes a network convolves as fast as it can on this backend.

    On a CPU joints of one or two persons are left unpainted; accelerators would wait for the loop
    over frames that takes.
    """
    joints_alone = config.volume.keypoints and not config.volume.limbs
    few = config.data.max_persons <= 2
    leave = jax.default_backend() == "cpu" and joints_alone and few
    return volume_encoder(config, skeleton, finish=joint_profiles if leave else draw)


def volume_encoder(config, skeleton: Skeleton, finish: Finish = draw) -> Encoder:
    """The encoder of `config.volume` and `config.geometry` for that skeleton.

    `finish` makes the volumes of placed joints: `draw`, or `joint_profiles`.
    """
    if config.volume.limbs:
        _ = skeleton.flip_limbs  # a limb without mirror image could be trained but not tested
    if config.sampling.next_frames:
        raise ValueError(
            "config.sampling.next_frames is for the motion streams of graph networks; volumes "
            "expect False"
        )
    options = (skeleton, config.geometry.to_dict(), config.volume.to_dict())
    volume, frames = options[2], config.sampling.num_frames
    channels = num_channels(skeleton, volume)
    return Encoder(
        train=lambda batch, key: encode_train(batch, key, *options, finish),
        test=lambda batch, clips, mirror: encode_test(batch, clips, mirror, *options, finish),
        train_shape=(frames, *volume["train_size"], channels),
        test_shape=(frames, *volume["test_size"], channels),
    )


def encode_train(
    batch: Batch,
    key: jax.Array,
    skeleton: Skeleton,
    geometry: Mapping,
    volume: Mapping,
    finish: Finish = draw,
) -> Inputs:
    """Augmented volumes [B, T, H, W, C] of a training batch; random numbers come from `key`."""
    keypoint, score, size = _cleaned(batch, volume)
    crop_key, flip_key = jax.random.split(key)
    keypoint, size = _compact(keypoint, size, geometry)
    if geometry["train_resize"]:
        keypoint, size = g.resize_short_side(keypoint, size, geometry["train_resize"])
    if tuple(geometry["crop_area"]) != (1.0, 1.0):
        area, aspect = tuple(geometry["crop_area"]), tuple(geometry["crop_aspect"])
        keypoint, size = g.random_resized_crop(crop_key, keypoint, size, area=area, aspect=aspect)
    keypoint, size = g.resize(keypoint, size, jnp.array(volume["train_size"]))
    chosen = jax.random.bernoulli(flip_key, geometry["flip"], (len(size),))
    width = size[:, 1] - _mirror_offset(geometry, "train_mirror")
    missing = geometry["missing"]
    keypoint, score = g.flip(keypoint, score, width, skeleton.flip_joints, chosen, missing=missing)
    return finish(keypoint, score, tuple(volume["train_size"]), skeleton, volume)


def encode_test(
    batch: Batch,
    num_clips: int,
    flip_views: bool,
    skeleton: Skeleton,
    geometry: Mapping,
    volume: Mapping,
    finish: Finish = draw,
) -> Inputs:
    """Volumes [B, views, T, H, W, C] without augmentation: all clips, then all of them mirrored.

    The batch holds `num_clips` clips one after the other on the frame axis; the crop is taken over
    all of them together, as in the reference.
    """
    keypoint, score, size = _cleaned(batch, volume)
    keypoint, size = _compact(keypoint, size, geometry)
    keypoint, size = _test_resize(keypoint, size, geometry["test_resize"], volume["test_size"])
    options = tuple(volume["test_size"]), skeleton, volume
    if flip_views and not _mirror_offset(geometry, "test_mirror"):
        everyone, missing = jnp.ones(len(size), bool), geometry["missing"]
        mirrored = g.flip(
            keypoint, score, size[:, 1], skeleton.flip_joints, everyone, missing=missing
        )
        pairs = zip((keypoint, score), mirrored, strict=True)
        volumes = finish(*(jnp.concatenate(pair, 2) for pair in pairs), *options)
    else:
        volumes = finish(keypoint, score, *options, mirrored_too=flip_views)
    return split_views(volumes, num_clips * (1 + flip_views))


def _mirror_offset(geometry: Mapping, key: str) -> int:
    """How far left of the frame's width the mirror image of column 0 lies."""
    offsets = {"W-x": 0, "W-1-x": 1}
    if geometry[key] not in offsets:
        raise ValueError(
            f"config.geometry.{key} is {geometry[key]!r}; expected one of {sorted(offsets)}"
        )
    return offsets[geometry[key]]


def _cleaned(batch: Batch, volume: Mapping) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Zeroes non-finite coordinates, and scores as the options say; [B, 2] frame sizes as given."""
    keypoint, score = batch["keypoint"], batch["score"]
    finite = jnp.isfinite(keypoint)
    keypoint = jnp.where(finite, keypoint, 0)
    if not volume["use_score"]:
        # Persons that only pad the batch have neither coordinates nor scores, and stay invisible.
        person = jnp.any(keypoint != 0, (2, 3, 4)) | jnp.any(score != 0, (2, 3))
        score = jnp.broadcast_to(person[:, :, None, None], score.shape).astype(score.dtype)
    missing = ~finite.all(-1)
    if volume["drop_missing"]:
        missing |= jnp.all(keypoint == 0, -1)
    return keypoint, jnp.where(missing, 0, score), batch["frame_size"]


def _compact(keypoint: jax.Array, size: jax.Array, geometry: Mapping):
    if not geometry["compact"]:
        return keypoint, size
    names = ("padding", "threshold", "hw_ratio", "allow_imgpad", "missing")
    return g.compact_crop(keypoint, size, **{name: geometry[name] for name in names})


def _test_resize(keypoint: jax.Array, size: jax.Array, method: str, target):
    if method == "square":
        return g.resize(keypoint, size, jnp.array(target))
    if method == "center_crop":
        keypoint, size = g.resize_short_side(keypoint, size, min(target))
        return g.center_crop(keypoint, size, target)
    raise ValueError(
        f"config.geometry.test_resize is {method!r}; expected 'square' or 'center_crop'"
    )
