"""Looks through a checkpoint's folder before Orbax opens it, because it may be a stranger's.

Orbax and TensorStore run nothing that a file names, stay below the folder, and stop unpacking where
an array should end. But they believe sizes: an array whose chunks claim terabytes ends the process
without a word; and they wait for a named pipe without end. What is found here is told in words.
"""

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorstore as ts

from posec3d_jax.files.places import plain_name

TREE_FILE = "_METADATA"
_MOST_FILES, _DEEPEST = 100_000, 6  # a checkpoint of ours has twenty files, three folders down
_MOST_TEXT = 64 << 20  # bytes of a file that describes; Orbax takes 200 for an array
_DATA_FOLDER = "d"  # where TensorStore keeps the bytes of arrays, in files of any size
_MOST_NUMBERS = 1 << 40
_CODECS = {"sharding_indexed", "bytes", "zstd", "crc32c"}
_KINDS = {"bool", "bfloat16", "float16", "float32", "float64", "complex64", "complex128"}
_KINDS |= {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}


class ForgedError(ValueError):
    """A checkpoint is not as Orbax would write it; the message names the file or the array."""


def find_odd_file(folder: Path) -> str:
    """A file below `folder` that is not safe to open, in words; '' if there is none.

    Links to files are fine (download tools leave them), as nothing is written through them.
    """
    count = 0
    for place, folders, names in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        if depth > _DEEPEST:
            return "its folders are nested too deep"
        count += len(folders) + len(names)
        if count > _MOST_FILES:
            return f"it has more than {_MOST_FILES:,} files"
        for path in (Path(place) / name for name in (*folders, *names)):
            if odd := odd_file(path):
                return f"{path.relative_to(folder)} {odd}"
    return ""


def odd_file(path: Path) -> str:
    """Why a path is not safe to read, in words; '' if it is."""
    try:
        facts = path.stat()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if stat.S_ISDIR(facts.st_mode):
        return "is a link to a folder" if path.is_symlink() else ""
    if not stat.S_ISREG(facts.st_mode):
        return "is no regular file"
    if facts.st_size > _MOST_TEXT and path.parent.name != _DATA_FOLDER:
        return f"has {facts.st_size:,} bytes; at most {_MOST_TEXT:,} are expected"
    return ""


def stored_arrays(part: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """The arrays below `part` by name ('params.head.kernel'), each with its shape and dtype.

    Args:
      part: folder of a part of a checkpoint, such as 'model'.

    Raises:
      ForgedError: names the file or array that is damaged, or claims what Orbax would not write.
    """
    described = [read_object(path) for path in (part / TREE_FILE, *_beside(part))][0]
    if described.get("use_ocdbt") is not True or described.get("use_zarr3") is not True:
        raise ForgedError(f"{part} is not stored as OCDBT and zarr 3, as this package stores it")
    with plain_name(part) as plain:
        opened = ts.KvStore.open(arrays_in(plain)).result()
        reads = {name: opened.read(f"{name}/zarr.json") for name in _names(described, part)}
        return {name: _claim(name, read.result(), part) for name, read in reads.items()}


def arrays_in(part: Path) -> dict[str, Any]:
    """What TensorStore is told of the arrays below a folder of a plain name."""
    return {"driver": "ocdbt", "base": {"driver": "file", "path": f"{part}/"}}


def _beside(part: Path) -> list[Path]:
    """What Orbax reads besides, and is silent about where it cannot."""
    sharding = [path for path in [part / "_sharding"] if path.exists()]
    return [*sharding, *sorted((part / "array_metadatas").glob("process_*"))]


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
      ForgedError: there is none.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)[:200]
        raise ForgedError(f"{path} is damaged: {said}") from error
    if not isinstance(value, dict):
        raise ForgedError(f"{path} is damaged: it holds a {type(value).__name__} and no object")
    return value


def _names(described: dict[str, Any], part: Path) -> list[str]:
    """Names of the arrays in what Orbax says of a tree; an empty node of it is no array."""
    try:
        leaves = [
            leaf["key_metadata"]
            for leaf in described["tree_metadata"].values()
            if leaf["value_metadata"]["value_type"] in ("jax.Array", "np.ndarray")
        ]
        return [".".join(str(key["key"]) for key in keys) for keys in leaves]
    except (AttributeError, LookupError, TypeError) as error:
        raise ForgedError(
            f"{part / TREE_FILE} is damaged: it describes no tree of arrays"
        ) from error


def _claim(name: str, found: Any, part: Path) -> tuple[tuple[int, ...], str]:
    """Shape and dtype that an array's zarr.json gives, if they are ones that Orbax would write."""
    if found.state != "value":
        raise ForgedError(f"{part} has no array {name:.200}, which its {TREE_FILE} names")
    try:
        array = json.loads(found.value)
        odd = _odd_claim(array)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ForgedError(f"{part}: the description of the array {name:.200} is damaged") from error
    if odd:
        raise ForgedError(f"{part}: the array {name:.200} {odd}")
    return tuple(array["shape"]), array["data_type"]


def _odd_claim(array: dict[str, Any]) -> str:
    """What of an array's zarr.json is not as Orbax would write it, in words; '' if nothing."""
    shape, kind = array["shape"], array["data_type"]
    if not all(type(length) is int and 0 <= length < _MOST_NUMBERS for length in shape):
        return f"has shape {shape!r:.80}"
    if kind not in _KINDS:
        return f"holds {kind!r:.80}; expected numbers"
    grid = array["chunk_grid"]["configuration"]["chunk_shape"]
    for chunk in (grid, *_inner_chunks(array["codecs"])):
        if min(chunk, default=1) < 1 or math.prod(chunk) > max(1, math.prod(shape)):
            return f"has chunks of {chunk!r:.80}; expected no more than its shape, {shape!r:.80}"
    names = {codec["name"] for codec in _codecs(array["codecs"])}
    if names - _CODECS:
        return f"is packed by {sorted(names - _CODECS)!r:.80}; expected {sorted(_CODECS)}"
    return ""


def _codecs(codecs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All of them, also those within a shard."""
    for codec in codecs:
        yield codec
        configuration = codec.get("configuration", {})
        yield from _codecs(configuration.get("codecs", []))
        yield from _codecs(configuration.get("index_codecs", []))


def _inner_chunks(codecs: list[dict[str, Any]]) -> Iterator[list[int]]:
    for codec in _codecs(codecs):
        if codec["name"] == "sharding_indexed":
            yield codec["configuration"]["chunk_shape"]
