"""Test session set-up: quick compilation that is kept, four CPU devices, the reference data."""

import os
from pathlib import Path

import jax
import pytest

# Most of a short test is the compilation of what then runs for milliseconds. Without LLVM's
# optimisations and with the plain loop emitters a training step compiles in a seventh of the time.
QUICK = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_prefer_vector_width=128 "
    "--xla_cpu_parallel_codegen_split_count=1"
)
# Also of what takes no time to compile: there are thousands of those.
KEPT = {"persistent_cache_min_compile_time_secs": 0.0, "persistent_cache_min_entry_size_bytes": 0}

jax.config.update("jax_num_cpu_devices", 4)
# Arrays of different ranks meet only where the code says how.
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_configure(config):
    """Sets how programs are compiled, here and in the processes that tests start.

    What is compiled is kept in .pytest_cache, for all of them and for the next time. Tests marked
    slow run long enough for a user's own settings to be the faster ones, and are about these.
    """
    if config.option.markexpr == "not slow":
        os.environ.setdefault("XLA_FLAGS", QUICK)
    compiled = str(config.cache.mkdir("compiled"))
    for name, value in (("compilation_cache_dir", compiled), *KEPT.items()):
        os.environ[f"JAX_{name.upper()}"] = str(value)
        jax.config.update(f"jax_{name}", value)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real skeletons and parity figures; tests that need it skip without it."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("POSEC3D_SHARED", default))
    if not folder.is_dir():
        pytest.skip(f"the reference data folder {folder} is absent (set POSEC3D_SHARED)")
    return folder
