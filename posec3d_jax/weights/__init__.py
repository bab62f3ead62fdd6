"""Weights in and out: PYSKL's and mmaction2's checkpoints, without PyTorch."""

from posec3d_jax.weights.exporting import export_weights
from posec3d_jax.weights.importing import import_weights

__all__ = ["export_weights", "import_weights"]
