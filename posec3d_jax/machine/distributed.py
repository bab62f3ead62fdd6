"""Joining the other processes of a job, and leaving so that none of them waits for one that failed.

On Cloud TPU, under Slurm and under Open MPI the processes find each other; elsewhere each is told
the address of the first one, how many there are, and its own number.
"""

import os
import sys

from posec3d_jax.machine.joining import reach, waiting

JOIN_SECONDS = 300.0
_SILENCE_SECONDS = 20  # a process not heard of for so long is dead, and the job ends


def join(
    coordinator: str,
    num_processes: int | None,
    process_id: int | None,
    seconds: float = JOIN_SECONDS,
) -> None:
    """Connects this process with the others; before anything else of JAX is used.

    Args:
      coordinator: host:port of process 0, the same on every process; '' to find it.
      num_processes: how many there are; None to find out.
      process_id: which one this is, from 0 on; None to find out.
      seconds: how long the others may take to be there; after that the process ends.

    Raises:
      ValueError: an incomplete address, a number that is missing or out of range, nothing found, or
        nobody at the address.
    """
    if not seconds > 0:
        raise ValueError(f"--join_timeout is {seconds}; expected seconds above 0")
    if coordinator:
        _check(coordinator, num_processes, process_id)
        what = f"process {process_id} of {num_processes} waits for the others at {coordinator}"
    else:
        what = "this process waits for the others of its job"
    with waiting(what, seconds):
        if coordinator and process_id:
            reach(coordinator, seconds)
        _initialize(coordinator, num_processes, process_id, seconds)


def _initialize(
    coordinator: str, num_processes: int | None, process_id: int | None, seconds: float
) -> None:
    import jax  # here: --help and mistakes in flags need none of it

    try:
        jax.distributed.initialize(
            coordinator or None,
            num_processes,
            process_id,
            initialization_timeout=int(seconds) + 60,  # ours comes first
            heartbeat_timeout_seconds=_SILENCE_SECONDS,
            shutdown_timeout_seconds=60,
        )
    except ValueError as error:
        raise ValueError(
            f"--multihost found no Cloud TPU, Slurm or Open MPI job around this process ({error}); "
            "give --coordinator=HOST:PORT, --num_processes and --process_id"
        ) from error
    except RuntimeError as error:  # JAX's own, as where the port is taken
        cause = str(error).splitlines()[0][:300]
        raise ValueError(f"joining at {coordinator or 'the address found'}: {cause}") from error


def _check(coordinator: str, num_processes: int | None, process_id: int | None) -> None:
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"--coordinator is {coordinator!r}; expected host:port of process 0")
    if num_processes is None or process_id is None:
        raise ValueError("--coordinator needs --num_processes and --process_id")
    if not 0 <= process_id < num_processes:
        raise ValueError(
            f"--process_id is {process_id}; expected 0 to {num_processes - 1}, as --num_processes "
            f"is {num_processes}"
        )


def exit_at_once(status: int) -> None:
    """Ends this process without the parting that a healthy job takes, for which others must answer.

    Their connections to it break, so that they end within seconds too; a plain exit would wait for
    processes that wait for this one.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
