"""What a step is compiled for: kernels take it as a static argument and never ask the machine."""

from typing import Any

import jax
from jax import lax

# `portable` is plain XLA that runs anywhere and can be exported: no barriers, no conditionals.
TARGETS = ("cpu", "gpu", "tpu", "portable")


def target_here() -> str:
    """The target of the devices that JAX runs on here; `portable` for a kind it does not know."""
    backend = jax.default_backend()
    return backend if backend in TARGETS else "portable"


def barrier(values: Any, target: str) -> Any:
    """The arrays, which XLA may not work out again, or otherwise, for what comes after."""
    return values if target == "portable" else lax.optimization_barrier(values)
