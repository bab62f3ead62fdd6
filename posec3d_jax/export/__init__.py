"""Runs leave Python: one file with the drawing and the network inside, as ONNX or StableHLO."""

from posec3d_jax.export.exporting import Exported, export_model

__all__ = ["Exported", "export_model"]
