"""A program as StableHLO for CPU, GPU and TPU, in a zip with its description."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax import export

from posec3d_jax.export.program import Program

PLATFORMS = ("cpu", "cuda", "tpu")
PROGRAM, METADATA = "program.jax_export", "metadata.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same program makes the same file


def write_stablehlo(program: Program, batch: int, metadata: Mapping[str, Any]) -> bytes:
    """The file's bytes: a zip of what `jax.export` serialises, and metadata.json.

    Args:
      program: of target 'portable'.
      batch: clips that it takes at once; 0 for any number.
      metadata: plain values for JSON.
    """
    size = batch or export.symbolic_shape("batch")[0]
    exported = export.export(jax.jit(program.function), platforms=PLATFORMS)(*program.shapes(size))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (
            (PROGRAM, bytes(exported.serialize())),
            (METADATA, json.dumps(metadata, indent=1).encode()),
        ):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content)
    return file.getvalue()


def read_stablehlo(file: bytes) -> Callable[..., np.ndarray]:
    """The program of such a file, as a function of the program's inputs."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        exported = export.deserialize(bytearray(archive.read(PROGRAM)))
    call = jax.jit(exported.call)
    return lambda *inputs: np.asarray(call(*inputs))
