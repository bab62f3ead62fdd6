"""Waiting for the other processes of a job: a stated time, what is waited for, what to check."""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

TELL_SECONDS = 15.0  # between two lines that say what is waited for
_SLACK = 2.0  # seconds in which `reach` says it first, with the cause
_ALONE = (  # a variable of a launcher with its number of processes, and that launcher
    ("SLURM_STEP_NUM_TASKS", "Slurm"),
    ("SLURM_NTASKS", "Slurm"),
    ("OMPI_COMM_WORLD_SIZE", "Open MPI"),
    ("PMI_SIZE", "MPI"),
)
_CHECK = (
    "Check that process 0 is running and was given the same address; that its host name means the "
    "same machine here; that no firewall closes the port; and that --num_processes is the number "
    "that were started. --join_timeout=SECONDS waits longer"
)


def check_alone(environment: Mapping[str, str]) -> None:
    """Raises ValueError where a launcher started several processes and nothing joins them."""
    for variable, launcher in _ALONE:
        count = environment.get(variable, "")
        if count.isdigit() and int(count) > 1:
            raise ValueError(
                f"{launcher} started this process as one of several ({variable}={count}), and each "
                "would train by itself: give --multihost, to join them, or --nomultihost, to go on "
                "with this one alone"
            )


def reach(address: str, seconds: float) -> None:
    """Returns once something answers at host:port.

    Raises:
      ValueError: nothing did in that time; says what to check.
    """
    host, _, port = address.rpartition(":")
    give_up, error = time.monotonic() + seconds, OSError("no time was given")
    while (left := give_up - time.monotonic()) > 0:
        try:
            socket.create_connection((host.strip("[]"), int(port)), min(left, 10.0)).close()
            return
        except (OSError, OverflowError, UnicodeError) as failed:
            error = failed
            time.sleep(min(left, 0.5))
    raise ValueError(
        f"the coordinator at {address} did not answer for {seconds:g} s ({error}). {_CHECK}"
    ) from error


@contextmanager
def waiting(what: str, seconds: float) -> Iterator[None]:
    """Says now and then what is waited for; ends the process when that took `seconds`.

    The library that waits ends it too, but with a dump of its own and not a word for people.
    """
    done, started = threading.Event(), time.monotonic()

    def tell() -> None:
        while not done.wait(min(TELL_SECONDS, seconds)):
            waited = time.monotonic() - started
            if waited >= seconds + _SLACK:
                _say(f"{what}: nothing came of it in {seconds:g} s. {_CHECK}")
                os._exit(1)
            _say(f"{what}, {waited:.0f} of {seconds:g} s")

    thread = threading.Thread(target=tell, name="joining", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _say(line: str) -> None:
    print(f"posec3d: {line}", file=sys.stderr, flush=True)
