"""Volumes of single clips as the network sees them, for pictures."""

from collections.abc import Callable

import jax
import numpy as np

from posec3d_jax.data.feed.pipeline import whole_batch
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.info import DatasetInfo
from posec3d_jax.data.stored.packs import from_sequences
from posec3d_jax.encoders.volume import volume_encoder
from posec3d_jax.kernels.target import target_here
from posec3d_jax.skeletons.planes import stored_layout


def volume_kind(config) -> str:
    """What the channels of a config's volumes are, as `drawing.draw_volume` names it."""
    if not config.volume.limbs:
        return "keypoints"
    return "both" if config.volume.keypoints else "limbs"


def volume_of(config) -> Callable[[SkeletonSequence], np.ndarray]:
    """A function from a clip to its one-clip test volume, float32 [T, H, W, C].

    Volumes are drawn whatever the config's network is shown.
    """
    skeleton = stored_layout(config.data)
    info = DatasetInfo("clip", skeleton, config.data.num_classes)
    encoder = volume_encoder(config, skeleton, target_here())

    @jax.jit
    def encode(batch):
        return encoder.test(batch, 1, False)

    def volume(sequence: SkeletonSequence) -> np.ndarray:
        source = from_sequences(info, [sequence], config.data.max_persons)
        batch = whole_batch(source, sampling=config.sampling, needs=encoder.needs)
        keys = ("keypoint", "score", "frame_size")
        return np.asarray(encode({key: batch[key] for key in keys})[0, 0])

    return volume
