"""Test session set-up: four fake CPU devices, and the reference data."""

import os
from pathlib import Path

import jax
import pytest

jax.config.update("jax_num_cpu_devices", 4)


@pytest.fixture(scope="session", autouse=True)
def compilation_cache(tmp_path_factory):
    """The same program compiled by several tests is compiled once."""
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("xla")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real skeletons and parity figures; tests that need it skip without it."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("POSEC3D_SHARED", default))
    if not folder.is_dir():
        pytest.skip(f"the reference data folder {folder} is absent (set POSEC3D_SHARED)")
    return folder
