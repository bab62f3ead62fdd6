"""How PYSKL and mmaction2 name and lay out the tensors of these networks, and how we do.

| here | there |
|---|---|
| `layer1_0/conv1/conv/kernel` | `backbone.layer1.0.conv1.conv.weight` |
| `layer1_0/conv1/bn/{scale, bias, mean, var}` | `...bn.{weight, bias, running_mean, running_var}` |
| `layer1_0/se/fc1/{kernel, bias}` | `backbone.layer1.0.se_module.fc1.{weight, bias}` |
| `conv1_s/kernel` (a convolution without BatchNorm) | `backbone.conv1_s.conv.weight` |
| `head/fc_cls/{kernel, bias}` | `cls_head.fc_cls.{weight, bias}` |

Kernels are [T, H, W, in, out] here and [out, in, T, H, W] there; linear ones [in, out] and
[out, in].

The two references agree on every name. Their `num_batches_tracked` (int64, one a BatchNorm) counts
training steps and has no counterpart here.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict

COUNTER = "num_batches_tracked"
_LEAVES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}


def reference_name(path: tuple[str, ...]) -> str:
    """The references' name of the leaf at `path`, such as ('params', 'conv1', 'bn', 'scale')."""
    _, *modules, leaf = path
    if modules[0] == "head":
        modules[0] = "cls_head"
    else:
        modules = ["backbone", *modules]
    if len(modules) == 2 and modules[0] == "backbone":
        modules.append("conv")
    names = (re.sub(r"^layer(\d+)_(\d+)$", r"layer\1.\2", module) for module in modules)
    names = ("se_module" if module == "se" else module for module in names)
    return ".".join([*names, _LEAVES[leaf]])


def leaves(variables: Mapping[str, Any]) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Every leaf of {'params', 'batch_stats'}, as (path, leaf) by its reference name, sorted."""
    found = {reference_name(path): (path, leaf) for path, leaf in flatten_dict(variables).items()}
    return dict(sorted(found.items()))


def counters(names: Mapping[str, Any]) -> list[str]:
    """The `num_batches_tracked` that belong to these reference names."""
    means = [name for name in names if name.endswith("running_mean")]
    return [name.removesuffix("running_mean") + COUNTER for name in means]


def from_reference(array: np.ndarray) -> np.ndarray:
    """[out, in, T, H, W] to [T, H, W, in, out], and [out, in] to [in, out]; others as they are."""
    if array.ndim == 5:
        return array.transpose(2, 3, 4, 1, 0)
    return array.T


def to_reference(array: np.ndarray) -> np.ndarray:
    """The inverse of `from_reference`."""
    if array.ndim == 5:
        return array.transpose(4, 3, 0, 1, 2)
    return array.T


def without_wrappers(name: str) -> str:
    """A tensor's name without what DistributedDataParallel and `torch.compile` put before it."""
    return re.sub(r"^((module|_orig_mod)\.)+", "", name)
