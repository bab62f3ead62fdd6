"""Puts a finished run of configs/simulated.py into the package, as the model that needs no run.

  python -m experiments.default_model --workdir=runs/simulated

The weights become float16 (half the size); experiments/default_model_accuracy.py measures what is
packed, not the run.
"""

import argparse
from pathlib import Path

import jax
import numpy as np

from posec3d_jax.config.stored import CONFIG_FILE, config_to_dict, load_config
from posec3d_jax.files.disk import write_json
from posec3d_jax.files.safetensors import write_safetensors
from posec3d_jax.runs.checkpoints import find_checkpoint, load_model
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.builtin import MODEL, WEIGHTS
from posec3d_jax.weights.exporting import to_reference_tensors

MOST_BYTES = 5_000_000  # in the wheel


def pack(workdir: Path, checkpoint: str = "latest") -> None:
    """Writes config.json and model.safetensors of the package.

    Raises:
      ValueError: a weight that float16 cannot hold, or a file that is too large.
    """
    config = load_config(workdir)
    like = jax.eval_shape(make_recognizer(config).init, jax.random.key(0))
    folder = find_checkpoint(workdir, checkpoint)
    tensors, _ = to_reference_tensors(load_model(folder, like), 0)
    tensors = {name: _half(name, array) for name, array in tensors.items() if array.ndim}
    config.data.class_names = class_names(workdir, config)
    config.init_from = ""  # a place of the machine that trained it
    MODEL.mkdir(exist_ok=True)
    notes = {"format": "pt", "source": "posec3d_jax", "licence": "Apache-2.0"}
    write_safetensors(MODEL / WEIGHTS, tensors, notes)
    write_json(MODEL / CONFIG_FILE, config_to_dict(config))
    (MODEL / WEIGHTS).chmod(0o644)
    size = (MODEL / WEIGHTS).stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"{MODEL / WEIGHTS} has {size:,} bytes; expected at most {MOST_BYTES:,}")
    print(f"{MODEL / WEIGHTS}: {size:,} bytes, checkpoint {folder.name}")


def class_names(workdir: Path, config) -> tuple[str, ...]:
    """As the run's record has them; an import knows them from the config only."""
    from posec3d_jax.files.disk import read_json
    from posec3d_jax.runs.records import RUN_FILE

    return tuple(read_json(workdir / RUN_FILE).get("class_names", config.data.class_names))


def _half(name: str, array: np.ndarray) -> np.ndarray:
    half = array.astype(np.float16)
    if not np.isfinite(half).all():
        raise ValueError(f"{name} has values that float16 cannot hold")
    return half


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--checkpoint", default="latest")
    options = parser.parse_args()
    pack(options.workdir, options.checkpoint)
