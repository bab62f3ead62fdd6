"""The packages of the extra `onnx`, and what is said where they are not installed."""

import importlib
from types import ModuleType


def onnx_package(name: str, what: str) -> ModuleType:
    """`onnx` or `onnxruntime`.

    Raises ValueError: it is not installed; `what`, which begins the message, needs it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{what} needs the package {name}, which is not installed: pip install "
            "'posec3d-jax[onnx]'"
        ) from error
