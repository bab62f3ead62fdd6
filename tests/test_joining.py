"""Joining a job: a stated time, the address in the message, and nobody who trains alone unasked."""

import socket
import subprocess
import sys

import pytest

from posec3d_jax.machine.distributed import join
from posec3d_jax.machine.joining import check_alone, reach


@pytest.fixture
def port():
    """One that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_an_address_without_anybody_is_named_with_what_to_check(port, host):
    with pytest.raises(ValueError, match=f"{host}:{port} did not answer for 0.2 s") as told:
        join(f"{host}:{port}", 2, 1, seconds=0.2)
    assert "firewall" in str(told.value) and "--join_timeout" in str(told.value)


def test_somebody_who_answers_is_found():
    with socket.create_server(("127.0.0.1", 0)) as server:
        reach(f"127.0.0.1:{server.getsockname()[1]}", 5.0)


def test_no_time_at_all_is_refused(port):
    with pytest.raises(ValueError, match="--join_timeout is 0"):
        join(f"127.0.0.1:{port}", 2, 1, seconds=0)


def test_the_first_process_ends_with_words_when_the_others_do_not_come():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    program = f"""
from posec3d_jax.machine import joining
joining.TELL_SECONDS = 0.3
from posec3d_jax.machine.distributed import join
join({address!r}, 2, 0, 1.0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1, done.stderr
    assert f"process 0 of 2 waits for the others at {address}" in done.stderr
    assert "nothing came of it in 1 s. Check that" in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"SLURM_NTASKS": "2"},
        {"SLURM_STEP_NUM_TASKS": "8", "SLURM_NTASKS": "8"},
        {"OMPI_COMM_WORLD_SIZE": "4"},
        {"PMI_SIZE": "2"},
    ],
)
def test_one_of_several_processes_that_nothing_joins_is_refused(variables):
    with pytest.raises(ValueError, match="--multihost, to join them, or --nomultihost"):
        check_alone(variables)


@pytest.mark.parametrize("variables", [{}, {"SLURM_NTASKS": "1"}, {"SLURM_NTASKS": "2(x3)"}])
def test_one_process_is_none_of_several(variables):
    check_alone(variables)
