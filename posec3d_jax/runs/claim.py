"""One process at a time in a run's directory, or at another output of a command."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import jax

from posec3d_jax.config.stored import CONFIG_FILE
from posec3d_jax.data.stored.info import INFO_FILE
from posec3d_jax.files.bucket_locks import working_in
from posec3d_jax.files.buckets import address_of
from posec3d_jax.runs import records
from posec3d_jax.runs.checkpoints import FOLDER as CHECKPOINTS
from posec3d_jax.runs.divergence import DIVERGED_FILE
from posec3d_jax.runs.metric_writer import METRICS_FILE, TENSORBOARD_FOLDER
from posec3d_jax.runs.records import RUN_FILE

RUN_LOCK = "run.lock"
# What a training alone writes in its run's directory.
TRAINED = (CHECKPOINTS, METRICS_FILE, TENSORBOARD_FOLDER, CONFIG_FILE, RUN_FILE, DIVERGED_FILE)


@contextmanager
def claim(output: Path, lock: Path | None = None, own: Sequence[str] = (".",)) -> Iterator[None]:
    """Holds the lock of a folder, on the first process of a job; it stands for all of them.

    Args:
      output: the folder that is written; made where it is missing.
      lock: the lock's file; `output`/run.lock by default.
      own: what is sent of it where it is in a bucket, see `buckets.send`.

    Raises:
      LockedError: another process writes there; says which.
      DiskError: nothing can be written there.
      ValueError: it is a data set's; or in a bucket, and there are several processes.
    """
    if (address := address_of(output)) and jax.process_count() > 1:
        raise ValueError(
            f"{address} is in a bucket, and the processes of a job share a run through a folder "
            "that all of them see: mount the bucket on each machine (gcsfuse, s3fs) and name the "
            "mount"
        )
    if (output / INFO_FILE).is_file():
        raise ValueError(
            f"{output} holds a prepared data set, and `prepare --overwrite` would delete what else "
            "is there: choose another folder"
        )
    if jax.process_index() > 0:
        yield
        return
    with working_in(output, lock or output / RUN_LOCK, records.command(), own):
        yield
