"""Volumes of single clips as the network sees them, for pictures."""

from collections.abc import Callable

import jax
import numpy as np

from posec3d_jax.data.info import DatasetInfo
from posec3d_jax.data.packs import from_sequences
from posec3d_jax.data.pipeline import eval_batches
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.encoder import encode_test
from posec3d_jax.recognizer import make_recognizer


def volume_of(config) -> Callable[[SkeletonSequence], np.ndarray]:
    """A function from a clip to its one-clip test volume, float32 [T, H, W, C]."""
    recognizer = make_recognizer(config)
    info = DatasetInfo("clip", recognizer.skeleton, config.data.num_classes)

    @jax.jit
    def encode(batch):
        options = (recognizer.skeleton, recognizer.geometry, recognizer.volume)
        return encode_test(batch, 1, False, *options)

    def volume(sequence: SkeletonSequence) -> np.ndarray:
        source = from_sequences(info, [sequence], config.data.max_persons)
        batch = next(eval_batches(source, sampling=config.sampling, batch_size=1))
        keys = ("keypoint", "score", "frame_size")
        return np.asarray(encode({key: batch[key] for key in keys})[0, 0])

    return volume
