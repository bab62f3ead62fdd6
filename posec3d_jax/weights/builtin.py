"""The model in the package, trained on simulation: a run's directory made of it on first use."""

import shutil
import tempfile
from pathlib import Path

from posec3d_jax.config.stored import load_config
from posec3d_jax.runs.checkpoints import FOLDER
from posec3d_jax.weights.download import cache_folder
from posec3d_jax.weights.importing import import_weights

MODEL = Path(__file__).with_name("default")  # config.json and WEIGHTS
WEIGHTS = "model.safetensors"
NAME = "simulated-c3d_light-joint"


def as_line() -> str:
    """The model for `posec3d weights list`."""
    size = (MODEL / WEIGHTS).stat().st_size
    return f"{NAME}  in the package: simulated people, Apache-2.0, {size / 1e6:.1f} MB"


def builtin_run() -> Path:
    """A directory with the model as a run, for `--workdir` and `load_predictor`.

    It is made in the cache, once for each version of the model.

    Raises:
      OSError: the cache cannot be written; $XDG_CACHE_HOME names another place.
    """
    run = cache_folder().parent / "runs" / f"{NAME}-{_version()}"
    if (run / FOLDER).is_dir():
        return run
    run.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.parent) as staging:
        made = Path(staging) / "run"
        import_weights(MODEL / WEIGHTS, load_config(MODEL), made)
        shutil.rmtree(run, ignore_errors=True)
        try:
            made.rename(run)
        except OSError:  # another process was first
            if not (run / FOLDER).is_dir():
                raise
    return run


def _version() -> str:
    """Changes with the model: the size and the last bytes of its weights."""
    content = (MODEL / WEIGHTS).read_bytes()
    return f"{len(content):x}-{content[-4:].hex()}"
