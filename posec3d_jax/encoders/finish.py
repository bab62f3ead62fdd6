"""How volumes end: painted, or as the profiles of joints that a CPU convolves without painting."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from posec3d_jax.encoders.encoder import Inputs
from posec3d_jax.encoders.heatmaps import keypoint_strokes, limb_strokes
from posec3d_jax.kernels.strokes import Profiles, paint, with_height, with_mirror_image
from posec3d_jax.skeletons.skeleton import Skeleton

Finish = Callable[..., Inputs]  # with the arguments of `draw`


def draw(
    keypoint: jax.Array,
    score: jax.Array,
    size: tuple[int, int],
    skeleton: Skeleton,
    volume: Mapping,
    *,
    mirrored_too: bool = False,
) -> jax.Array:
    """[B, T, H, W, C]: joint channels, limb channels, or joints then limbs.

    `mirrored_too` draws twice the frames: all of them, then all with column x at W - 1 - x.
    """
    options = {"sigma": volume["sigma"], "epsilon": volume["epsilon"]}
    parts = []
    if volume["keypoints"]:
        strokes = keypoint_strokes(keypoint, score, size, **options)
        parts.append((strokes, skeleton.flip_joints))
    if volume["limbs"]:
        limbs = jnp.array(skeleton.limbs)
        options["short_limb"] = volume["short_limb"]
        strokes = limb_strokes(keypoint, score, limbs, size, **options)
        parts.append((strokes, skeleton.flip_limbs))
    if not parts:
        raise ValueError("config.volume draws nothing: set keypoints, limbs or both to True")
    drawn = [
        paint(with_mirror_image(strokes, swapped) if mirrored_too else strokes)
        for strokes, swapped in parts
    ]
    return drawn[0] if len(drawn) == 1 else jnp.concatenate(drawn, -1)


def num_channels(skeleton: Skeleton, volume: Mapping) -> int:
    """C of the volumes that `draw` makes."""
    return skeleton.num_joints * volume["keypoints"] + skeleton.num_limbs * volume["limbs"]


def joint_profiles(
    keypoint: jax.Array,
    score: jax.Array,
    size: tuple[int, int],
    skeleton: Skeleton,
    volume: Mapping,
    *,
    mirrored_too: bool = False,
) -> Profiles:
    """What `draw` would paint of joints alone."""
    options = {"sigma": volume["sigma"], "epsilon": volume["epsilon"]}
    strokes = keypoint_strokes(keypoint, score, size, **options)
    strokes = with_mirror_image(strokes, skeleton.flip_joints) if mirrored_too else strokes
    return Profiles(with_height(strokes)[0], strokes.columns[0])


def split_views(volumes: Inputs, views: int) -> Inputs:
    """[B, views T, ...] to [B, views, T, ...]; the persons of profiles come after the views."""
    if isinstance(volumes, Profiles):
        return jax.tree.map(
            lambda x: x.reshape(*x.shape[:2], views, -1, *x.shape[3:]).swapaxes(1, 2), volumes
        )
    return volumes.reshape(len(volumes), views, -1, *volumes.shape[2:])
