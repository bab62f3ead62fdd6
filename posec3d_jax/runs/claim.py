"""One process at a time in a run's directory, or at another output of a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax

from posec3d_jax.files.locks import holding
from posec3d_jax.runs import records

RUN_LOCK = "run.lock"


@contextmanager
def claim(output: Path, lock: Path | None = None) -> Iterator[None]:
    """Holds the lock of a folder, on the first process of a job; it stands for all of them.

    Args:
      output: the folder that is written; made where it is missing.
      lock: the lock's file; `output`/run.lock by default.

    Raises:
      LockedError: another process writes there; says which.
      DiskError: nothing can be written there.
    """
    if jax.process_index() > 0:
        yield
        return
    with holding(lock or output / RUN_LOCK, output, records.command()):
        yield
