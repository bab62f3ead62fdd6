"""How PYSKL and mmaction2 name and lay out the tensors of these networks, and how we do.

| here | there |
|---|---|
| `layer1_0/conv1/conv/kernel` | `backbone.layer1.0.conv1.conv.weight` |
| `layer1_0/conv1/bn/{scale, bias, mean, var}` | `...bn.{weight, bias, running_mean, running_var}` |
| `layer1_0/se/fc1/{kernel, bias}` | `backbone.layer1.0.se_module.fc1.{weight, bias}` |
| `conv1_s/kernel` (a convolution without BatchNorm) | `backbone.conv1_s.conv.weight` |
| `head/fc_cls/{kernel, bias}` | `cls_head.fc_cls.{weight, bias}` |
| `rgb_path/layer2_lateral/conv/kernel` | `backbone.rgb_path.layer2_lateral.conv.weight` |
| `head/fc_rgb/bias` | `cls_head.fc_rgb.bias` |

and of the graph networks, below `backbone.`:

| here | there |
|---|---|
| `gcn_0/gcn/{A, PA, alpha}` (graphs and their weights) | `gcn.0.gcn.{A, PA, alpha}` |
| `net_0/gcn1/convs_2/conv1` | `net.0.gcn1.convs.2.conv1` |
| `gcn_0/gcn/attention/conv_ta` | `gcn.0.gcn.conv_ta` |
| `.../down/{conv, bn}`, `.../mlp/{conv, bn}` | `...down.{0, 1}`, `...mlp.layers.{0, 1}` |
| `.../branches_0/enter/{conv, bn}` | `...branches.0.{0, 1}` |
| `.../branches_0/temporal/{conv, bn}` (`temporal_conv` alone) | `...branches.0.3.{conv, bn}` |
| `.../branches_4/pool_bn` | `...branches.4.4` |
| `.../branches_5/{conv, bn}` (`branches_5` alone) | `...branches.5.{0, 1}` (`branches.5`) |
| `.../transform/{bn, conv}` | `...transform.{0, 2}` |

Kernels are [T, H, W, in, out] here and [out, in, T, H, W] there, with as many axes as they have;
linear ones [in, out] and [out, in]; kernels of transposed convolutions (RGB to pose) are
[in, out, T, H, W] there. Graphs are the same on both sides; those that are not trained
stand among the running statistics here.

The two references agree on every name, but that mmaction2's graph networks call the head's layer
`fc`. Their `num_batches_tracked` (int64, one a BatchNorm) counts training steps and has no
counterpart here.
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


_NUMBERED = re.compile(r"_(\d+)(?=\.|$)")
# What a graph network's modules are called in the references, as patterns of our dotted paths.
_GRAPH_PARTS = (
    (r"\.(down|branches_\d+)\.conv$", r".\1.0"),
    (r"\.(down|branches_\d+)\.bn$", r".\1.1"),
    (r"\.mlp\.conv$", ".mlp.layers.0"),
    (r"\.mlp\.bn$", ".mlp.layers.1"),
    (r"\.enter\.conv$", ".0"),
    (r"\.enter\.bn$", ".1"),
    (r"\.temporal\.(conv|bn)$", r".3.\1"),
    (r"\.temporal_conv$", ".3.conv"),
    (r"\.pool_bn$", ".4"),
    (r"\.transform\.bn$", ".transform.0"),
    (r"\.transform\.conv$", ".transform.2"),
    (r"\.attention\.", "."),
)
_GRAPHS = ("A", "PA", "alpha")  # leaves that are called and laid out alike


def reference_name(path: tuple[str, ...]) -> str:
    """The references' name of the leaf at `path`, such as ('params', 'conv1', 'bn', 'scale')."""
    _, *modules, leaf = path
    if modules[:1] == ["head"]:
        modules[0] = "cls_head"
    else:
        modules = ["backbone", *modules]
    if len(modules) == 2 and modules[0] == "backbone" and leaf == "kernel":
        modules.append("conv")
    name = ".".join("se_module" if module == "se" else module for module in modules)
    for pattern, there in _GRAPH_PARTS:
        name = re.sub(pattern, there, name)
    return ".".join([_NUMBERED.sub(r".\1", name), _LEAVES.get(leaf, leaf)])


def leaves(variables: Mapping[str, Any]) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Every leaf of {'params', 'batch_stats'}, as (path, leaf) by its reference name, sorted."""
    found = {reference_name(path): (path, leaf) for path, leaf in flatten_dict(variables).items()}
    return dict(sorted(found.items()))


def counters(names: Mapping[str, Any]) -> list[str]:
    """The `num_batches_tracked` that belong to these reference names."""
    means = [name for name in names if name.endswith("running_mean")]
    return [name.removesuffix("running_mean") + COUNTER for name in means]


# Kernels of transposed convolutions, which PyTorch lays out the other way round.
_FROM_RGB = re.compile(r"\.pose_path\.layer\d+_lateral\.conv\.weight$")


def is_transposed(name: str, axes: int) -> bool:
    """Whether a tensor of that reference name and so many axes is laid out otherwise here."""
    return axes > 1 and name.rpartition(".")[2] not in _GRAPHS


def from_reference(array: np.ndarray, name: str = "") -> np.ndarray:
    """[out, in, *kernel] to [*kernel, in, out]; what the name says is a graph, as it is."""
    if not is_transposed(name, array.ndim):
        return array
    last = (0, 1) if _FROM_RGB.search(name) else (1, 0)
    return array.transpose(*range(2, array.ndim), *last)


def to_reference(array: np.ndarray, name: str = "") -> np.ndarray:
    """The inverse of `from_reference`."""
    if not is_transposed(name, array.ndim):
        return array
    first = (-2, -1) if _FROM_RGB.search(name) else (-1, -2)
    return array.transpose(*first, *range(array.ndim - 2))


def without_wrappers(name: str) -> str:
    """A tensor's name without what DistributedDataParallel and `torch.compile` put before it.

    The head of mmaction2's graph networks is called as PYSKL calls it.
    """
    name = re.sub(r"^((module|_orig_mod)\.)+", "", name)
    return re.sub(r"^cls_head\.fc\.", "cls_head.fc_cls.", name)
