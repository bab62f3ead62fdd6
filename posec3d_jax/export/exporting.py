"""`posec3d export`: a run becomes one file, which is held to the run before it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from posec3d_jax.config import stored
from posec3d_jax.engines.exported import INPUTS
from posec3d_jax.export.clips import COUNT, real_clips
from posec3d_jax.export.metadata import describe
from posec3d_jax.export.program import load_program
from posec3d_jax.files import disk
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.places import expand, make_writable
from posec3d_jax.runs.other_settings import tell_differences
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol

TOLERANCE = 1e-5  # of probabilities
FORMATS = ("onnx", "stablehlo")
_CHUNK = 8  # clips that the run is asked for at once


@dataclass(frozen=True)
class Exported:
    """What was written, and how near it is to the run."""

    path: Path
    megabytes: float
    clips: int
    origin: str  # of the clips
    difference: float  # the largest between probabilities
    same_label: int  # clips

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.megabytes:.2f} MB; on {self.clips} clips of {self.origin} it "
            f"differs from the run by {self.difference:.1e} at most, and {self.same_label} labels "
            "are the same"
        )


def export_model(
    workdir: str | Path,
    out: str | Path,
    *,
    file_format: str = "onnx",
    checkpoint: str = "latest",
    protocol: Protocol = ONE_CLIP,
    persons: int = 0,
    batch: int = 0,
    data_dir: str = "",
    clips: int = COUNT,
    config: Any = None,
) -> Exported:
    """Writes a run's network, with geometry and drawing inside, as one file.

    Args:
      workdir: of the run.
      out: the file.
      file_format: 'onnx' (needs the extra `onnx`) or 'stablehlo'.
      checkpoint: 'latest', 'best', a step or a folder.
      protocol: which views of a clip are averaged inside.
      persons: that it takes; 0 for as many as the run was trained with.
      batch: clips that it takes at once; 0 for any number.
      data_dir: where the run's prepared data set is now; '' for where the config says.
      clips: on how many it is held to the run.
      config: instead of the run's; where they differ, that is told.

    Raises:
      ValueError: no such format, a missing extra, an operation without translation, or
        probabilities that differ from the run's by more than 1e-5: nothing is written then.
      DiskError: it cannot be written, which is found out first.
    """
    write, read = _format(file_format)
    out, workdir = expand(out), local_folder(workdir)
    make_writable(out.absolute().parent)
    config = stored.load_config(workdir) if config is None else config
    tell_differences(config, workdir)
    program = load_program(workdir, checkpoint, protocol, persons, "portable", config)
    if data_dir:
        program.config.data.dir = data_dir
    inputs, origin = real_clips(program, clips)
    content = write(program, batch, describe(program, batch))
    run = load_program(workdir, checkpoint, protocol, persons, "", config)
    wanted = _scores(jax.jit(run.function), inputs, _CHUNK)
    found = _scores(read(content), inputs, batch or _CHUNK)
    difference = float(np.abs(found - wanted).max())
    same = int((found.argmax(-1) == wanted.argmax(-1)).sum())
    if not difference <= TOLERANCE:
        raise ValueError(
            f"the export of {workdir} differs from the run by {difference:.2g} on {len(wanted)} "
            f"clips of {origin} ({same} labels are the same); expected at most {TOLERANCE:g}. "
            "Nothing was written"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with disk.replacing(out) as partial:
        partial.write_bytes(content)
    return Exported(out, len(content) / 1e6, len(wanted), origin, difference, same)


def _format(name: str) -> tuple[Callable[..., bytes], Callable[[bytes], Callable]]:
    """How files of that format are written, and read without the package."""
    if name == "stablehlo":
        from posec3d_jax.export.stablehlo_file import read_stablehlo, write_stablehlo

        return write_stablehlo, read_stablehlo
    if name != "onnx":
        raise ValueError(f"format {name!r}; expected one of {', '.join(FORMATS)}")
    try:
        from posec3d_jax.export.onnx_file import read_onnx, write_onnx
    except ImportError as error:
        raise ValueError(
            f"ONNX needs the packages onnx and onnxruntime ({error}): pip install "
            "'posec3d-jax[onnx]'"
        ) from error
    return write_onnx, read_onnx


def _scores(function: Callable, inputs: Mapping[str, np.ndarray], size: int) -> np.ndarray:
    """[clips, K] of a function that takes `size` clips at once."""
    count, parts = len(inputs["score"]), []
    for start in range(0, count, size):
        rows = np.minimum(np.arange(start, start + size), count - 1)
        parts.append(np.asarray(function(*(inputs[name][rows] for name in INPUTS))))
    return np.concatenate(parts)[:count]
