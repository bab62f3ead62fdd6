"""`posec3d weights get`: a published checkpoint by its name, downloaded and imported in one go."""

import hashlib
import sys
from pathlib import Path

from posec3d_jax.config.stored import load_config
from posec3d_jax.weights import builtin
from posec3d_jax.weights.download import cache_folder, fetch
from posec3d_jax.weights.importing import import_weights
from posec3d_jax.weights.index import Entry, find_entry
from posec3d_jax.weights.recipes import recipe, why_not
from posec3d_jax.weights.report import Report
from posec3d_jax.weights.transfer import PATIENT, Patience


def get_weights(
    name: str,
    out: str | Path,
    *,
    file: str | Path = "",
    config=None,
    quiet: bool = False,
    patience: Patience = PATIENT,
) -> Report:
    """Makes a run's directory of published weights.

    Args:
      name: in the index, 'ntu60_xsub-slowonly-joint'; or of the model in the package.
      out: the run's directory, which must hold no checkpoints.
      file: the checkpoint, where it was brought some other way; '' downloads it.
      config: instead of the recipe that the package knows for it.
      quiet: draw no progress.
      patience: when to give up on the server.

    Returns:
      What was mapped; `str()` of it is the table to print.

    Raises:
      ValueError: no such name, weights that the package has no network for, or a file that is
        damaged or another one than the index says.
      DownloadError: it could not be downloaded; says why and what to do.
    """
    if name == builtin.NAME:
        return import_weights(builtin.MODEL / builtin.WEIGHTS, load_config(builtin.MODEL), out)
    entry = find_entry(name)
    if config is None and (reason := why_not(entry)):
        raise ValueError(
            f"{name} cannot be imported: {reason}. Its address is {entry.url}; with a config of "
            "your own (--config=...) it is tried nevertheless"
        )
    config = recipe(entry) if config is None else config
    path = _given(Path(file), entry) if file else _downloaded(entry, quiet, patience)
    return import_weights(path, config, out)


def _given(path: Path, entry: Entry) -> Path:
    """The file, if it is what the index says."""
    if not path.is_file():
        raise ValueError(f"--from={path}: no such file; expected a copy of {entry.url}")
    if entry.sha256:
        with open(path, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if not digest.startswith(entry.sha256):
            raise ValueError(
                f"--from={path} has SHA-256 {digest[:16]}..., and {entry.name} {entry.sha256}...: "
                f"expected a copy of {entry.url}"
            )
    return path


def _downloaded(entry: Entry, quiet: bool, patience: Patience) -> Path:
    path = cache_folder() / f"{entry.name}.pth"
    progress = None if quiet or not sys.stderr.isatty() else _draw
    try:
        return fetch(entry.url, path, entry.sha256, progress=progress, patience=patience)
    finally:
        if progress:
            print(file=sys.stderr)


def _draw(here: int, total: int) -> None:
    """How far it is, on one line that is written over."""
    share = f" of {total / 1e6:.1f} MB, {here / total:.0%}" if total else " MB"
    print(f"\r{here / 1e6:.1f}{share}  ", end="", file=sys.stderr, flush=True)
