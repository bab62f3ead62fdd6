"""Clips to hold an export to: of the run's data set, else of the built-in one."""

from pathlib import Path

import numpy as np

from posec3d_jax.data import simulation
from posec3d_jax.data.feed.pipeline import whole_batch
from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.stored.info import INFO_FILE, DatasetInfo
from posec3d_jax.data.stored.packs import from_sequences
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.engines.exported import INPUTS
from posec3d_jax.export.program import Program
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.skeletons.skeleton import get_skeleton

COUNT = 100


def real_clips(program: Program, count: int = COUNT) -> tuple[dict[str, np.ndarray], str]:
    """About `count` test clips as the program's inputs, and in words where they are from.

    Raises:
      ValueError: the run's data set is not here, and the built-in one has other joints.
    """
    data = program.config.data
    if data.dir and (local_folder(data.dir) / INFO_FILE).is_file():
        source = open_source(data, data.test_split, -(-count // data.num_classes))
        origin = f"the split {data.test_split} of {Path(data.dir).name}"
    else:
        source, origin = _simulated(program, count), "the built-in data set"
    batch = whole_batch(
        _evenly(source, count, data.max_persons),
        sampling=program.config.sampling,
        needs=program.recognizer.encoder.needs,
        num_clips=program.protocol.clips,
    )
    return {name: np.asarray(batch[name], np.float32) for name in INPUTS}, origin


def _evenly(source, count: int, persons: int):
    """At most so many of the clips, from the first to the last."""
    chosen = np.unique(np.linspace(0, len(source) - 1, min(count, len(source))).astype(int))
    return from_sequences(source.info, [source.sequence(int(i)) for i in chosen], persons)


def _simulated(program: Program, count: int):
    skeleton, data = program.recognizer.skeleton, program.config.data
    if skeleton.joints != get_skeleton("coco_17").joints:
        raise ValueError(
            f"the export is checked on clips, and {data.dir or 'the data set of the run'} is not "
            f"here, nor has the built-in one the joints of {skeleton.name}: give its place with "
            "--config.data.dir=..."
        )
    read = simulation.read(
        Path(), skeleton=skeleton, camera={}, report=ValidationReport(), num_clips=max(count, 25)
    )
    info = DatasetInfo("simulated", skeleton, data.num_classes)
    return from_sequences(info, list(read.sequences), data.max_persons)
