"""Writes skeletons as a TFDS data set in ArrayRecord files (which takes no TensorFlow).

TFDS splits cannot overlap and ours may (xsub and xview, folds), so all clips are one TFDS split
'clips' ('all' is TFDS's own), in the order of the table of clips, which also has the splits. Anyone
can open the result:

    tfds.builder_from_directory("<data set>/tfds/skeletons/1.0.0").as_data_source("clips")
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.info import DatasetInfo
from posec3d_jax.data.stored.sources import TFDS_NAME, TFDS_SPLIT, TFDS_VERSION

_SHARD = 8192  # clips a file: some hundred MB of NTU's two persons and hundred frames
_CHUNK = 256  # clips held in memory; TFDS rewrites its metadata after each chunk


def write_tfds(folder: Path, sequences: Iterable[SkeletonSequence], info: DatasetInfo) -> None:
    """Write sequences to `folder` as a TFDS data set, keeping their order.

    Written through TFDS's sequential writer, file by file: a GeneratorBasedBuilder that keeps the
    order collects everything first, and reads it back into memory as one piece above 1 GB.

    Args:
      folder: new folder; the files go to <name>/<version> below it.
      sequences: the clips, every one with at least one person and one frame.
      info: whose joints, classes and keypoint dtype to use.
    """
    place = folder / TFDS_NAME / TFDS_VERSION
    place.mkdir(parents=True)
    writer = tfds.core.SequentialWriter(
        _tfds_info(place, info), max_examples_per_shard=_SHARD, file_format="array_record"
    )
    writer.initialize_splits([TFDS_SPLIT])
    examples = (_example(sequence, info.keypoint_dtype) for sequence in sequences)
    while chunk := list(islice(examples, _CHUNK)):
        writer.add_examples({TFDS_SPLIT: chunk})
    writer.close_all()


def _tfds_info(place: Path, info: DatasetInfo) -> tfds.core.DatasetInfo:
    identity = tfds.core.DatasetIdentity(
        name=TFDS_NAME,
        version=tfds.core.Version(TFDS_VERSION),
        data_dir=str(place),
        module_name=__name__,
    )
    return tfds.core.DatasetInfo(
        builder=identity,
        description=f"Skeleton sequences of {info.name}, joints {', '.join(info.skeleton.joints)}.",
        features=_features(info),
        disable_shuffling=True,
    )


def _features(info: DatasetInfo) -> tfds.features.FeaturesDict:
    """Keypoints are stored as raw bytes: two free axes need an encoding, and zlib, which saves
    about a tenth on float32 coordinates, would take longer to undo than everything else."""
    joints, dtype = info.skeleton.num_joints, np.dtype(info.keypoint_dtype)
    return tfds.features.FeaturesDict(
        {
            "name": tfds.features.Text(),
            "label": tfds.features.Scalar(np.int64),
            "frame_size": tfds.features.Tensor(shape=(2,), dtype=np.int64),
            "keypoint": tfds.features.Tensor(
                shape=(None, None, joints, 2), dtype=dtype, encoding="bytes"
            ),
            "score": tfds.features.Tensor(
                shape=(None, None, joints), dtype=dtype, encoding="bytes"
            ),
        }
    )


def _example(sequence: SkeletonSequence, dtype: str) -> dict:
    return {
        "name": sequence.name,
        "label": sequence.label,
        "frame_size": np.asarray(sequence.frame_size, np.int64),
        "keypoint": sequence.keypoint.astype(dtype),
        "score": sequence.score.astype(dtype),
    }
