"""Single files of a published npm package, each held to the hash that is known of it."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

_LARGEST = 32 << 20  # bytes of one file


class PackageError(ValueError):
    """A package, or a file in it, is missing or not the published one; says what to do."""


def package_files(
    name: str, hashes: Mapping[str, str], package: str | Path | None, by_hand: str
) -> dict[str, bytes]:
    """The contents of those files.

    Args:
      name: of the package with its version, 'onnxruntime-web@1.30.0'.
      hashes: SHA-256 by the file's name in the package's .tgz, 'package/...'.
      package: the .tgz; None lets `npm pack` fetch it.
      by_hand: what to type with a .tgz that was brought some other way, '... --from=FILE.tgz'.

    Raises:
      PackageError: the file is no .tgz, lacks a file, or one is not the published one; or npm is
        not there, or failed.
      FileNotFoundError: there is no such file.
    """
    if package is not None:
        return _read(Path(package), name, hashes)
    with tempfile.TemporaryDirectory() as scratch:
        return _read(_fetch(Path(scratch), name, by_hand), name, hashes)


def _fetch(scratch: Path, name: str, by_hand: str) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise PackageError(
            f"npm, which fetches {name}, is not installed. Where it is, run 'npm pack {name}' and "
            f"hand over the file: {by_hand}"
        )
    done = subprocess.run([npm, "pack", name], cwd=scratch, capture_output=True, text=True)
    files = list(scratch.glob("*.tgz"))
    if done.returncode or not files:
        raise PackageError(f"'npm pack {name}' failed: {done.stderr.strip()[-500:]}")
    return files[0]


def _read(package: Path, name: str, hashes: Mapping[str, str]) -> dict[str, bytes]:
    contents = {}
    try:
        with tarfile.open(package, "r:gz") as archive:
            for member in archive:
                if member.isfile() and member.name in hashes and member.size <= _LARGEST:
                    contents[member.name] = archive.extractfile(member).read()
    except (tarfile.TarError, EOFError) as error:
        raise PackageError(f"{package} is no .tgz of {name}: {error}") from error
    for file, expected in hashes.items():
        if file not in contents:
            raise PackageError(f"{package} has no {file}; expected the .tgz of {name}")
        if hashlib.sha256(contents[file]).hexdigest() != expected:
            raise PackageError(
                f"{package}: {file} is not the one of {name} (its SHA-256 differs); fetch it again"
            )
    return contents
