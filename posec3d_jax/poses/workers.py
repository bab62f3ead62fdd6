"""Videos shared out among processes; one that takes its process down takes nothing else with it."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from posec3d_jax.kernels.target import target_here
from posec3d_jax.poses.gathering import Job

Worker = Callable[[Job, Path], dict]
Opener = Callable[[int], Worker]  # makes one in the process of this number; can be pickled

_SHARED_MEMORY = "XLA_PYTHON_CLIENT_PREALLOCATE"  # "true": a process takes most of a GPU
_worker: Worker | None = None  # of this process


def run_jobs(jobs: list[Job], out: Path, opener: Opener, workers: int) -> Iterator[dict]:
    """What the worker says of each video, in the order in which they are done.

    One that ended its process is told by a dict with 'name', 'video' and 'error'.

    Args:
      jobs: the videos.
      out: the folder, for the worker.
      opener: makes the worker, once in each process.
      workers: processes, 0 for as many as there are cores, or accelerators; 1 is this one with all
        cores. Each has its share of the cores, however few videos there are: the last bits of XLA's
        sums on a CPU depend on how many there are.

    Raises:
      Exception: what the opener or the worker raises.
    """
    workers = workers or _suitable()
    if not jobs:
        return
    if workers == 1:
        worker = opener(0)
        yield from (worker(job, out) for job in jobs)
        return
    left = {job.name: job for job in jobs}
    with _shared_accelerators():
        try:
            for report in _in_pool(jobs, out, opener, workers):
                del left[report["name"]]
                yield report
        except BrokenProcessPool:  # whichever video did it, the others go on
            for job in left.values():
                yield _alone(job, out, opener, workers)


def _suitable() -> int:
    import jax

    with _shared_accelerators():
        cpu = target_here() == "cpu"
        return len(_cores()) if cpu else jax.local_device_count()


def _in_pool(jobs: list[Job], out: Path, opener: Opener, workers: int) -> Iterator[dict]:
    context = multiprocessing.get_context("spawn")  # JAX does not survive a fork
    places = context.Queue()
    for place in range(workers):
        places.put((place, workers))
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _start, (opener, places)) as pool:
        for done in as_completed([pool.submit(_run, job, out) for job in jobs]):
            yield done.result()


def _alone(job: Job, out: Path, opener: Opener, workers: int) -> dict:
    """The video in a process of its own."""
    try:
        (report,) = _in_pool([job], out, opener, workers)
        return report
    except BrokenProcessPool:
        error = "the process that read it crashed; convert it with ffmpeg and try again"
        return {"name": job.name, "video": str(job.video), "error": f"{job.video}: {error}"}


def _start(opener: Opener, places: multiprocessing.Queue) -> None:
    """Gives this process its share of the cores and a worker."""
    global _worker
    place, workers = places.get()
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(_cores())
        os.sched_setaffinity(0, cores[place % len(cores) :: workers])
    _worker = opener(place)


def _run(job: Job, out: Path) -> dict:
    return _worker(job, out)


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


@contextmanager
def _shared_accelerators() -> Iterator[None]:
    """Processes started meanwhile take an accelerator's memory as they need it."""
    before = os.environ.get(_SHARED_MEMORY)
    os.environ.setdefault(_SHARED_MEMORY, "false")
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SHARED_MEMORY]
