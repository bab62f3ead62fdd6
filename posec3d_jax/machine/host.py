"""Settings of the host that the program chooses for its user: allocator, compilation cache, logs.

glibc's allocator returns large buffers to the system and faults them in again at every step, which
costs a CPU run up to half its time. Its tunables are read when a process starts, so `tune_process`
starts the program again, once, with them set. POSEC3D_HOST_SETTINGS=0 turns all of this off.
"""

import functools
import os
import sys
from pathlib import Path

SWITCH = "POSEC3D_HOST_SETTINGS"
MALLOC = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=100000000000:glibc.malloc.arena_max=1"
TUNABLES = "GLIBC_TUNABLES"


def tune_process() -> None:
    """Re-executes this program with the allocator tuned; call before anything is imported or done.

    Does nothing off glibc, if GLIBC_TUNABLES is set already, or if the user said no.
    """
    if not _glibc() or os.environ.get(SWITCH) == "0" or os.environ.get(TUNABLES):
        return
    os.environ[TUNABLES] = MALLOC
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def give_back_memory() -> None:
    """Returns to the system what the allocator keeps of freed memory: after a compilation, most.

    For now and then: what the next step needs is faulted in again. Does nothing off glibc.
    """
    if os.environ.get(SWITCH) != "0" and _glibc():
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)


@functools.cache
def _glibc() -> bool:
    named = "CS_GNU_LIBC_VERSION"
    return named in getattr(os, "confstr_names", ()) and bool(os.confstr(named))


def use_compilation_cache() -> None:
    """Compiled programs are kept in ~/.cache/posec3d_jax, so that a second run starts at once."""
    if os.environ.get(SWITCH) == "0":
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "posec3d_jax"
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(cache)  # read when JAX is loaded, if it ever is
    if jax := sys.modules.get("jax"):
        jax.config.update("jax_compilation_cache_dir", str(cache))


@functools.cache
def compiler_options() -> dict[str, str]:
    """What `jax.jit` should be told for this backend; nothing where that is not understood.

    XLA hands convolutions and products on a CPU to a library of its own by default, which is two to
    three times slower at these than the code it replaces; for reductions alone it is the faster.
    """
    import jax

    options = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
    if jax.default_backend() != "cpu" or os.environ.get(SWITCH) == "0":
        return {}
    try:
        jax.jit(lambda: 0, compiler_options=options).lower().compile()
    except jax.errors.JaxRuntimeError:  # another version of XLA, without this option
        return {}
    return options


def quiet_libraries() -> None:
    """Our progress is logged; of the libraries only warnings are."""
    from absl import logging

    logging.set_verbosity(logging.INFO)
    logging.get_absl_handler().addFilter(
        lambda record: "posec3d_jax" in record.pathname or record.levelno >= 30
    )
