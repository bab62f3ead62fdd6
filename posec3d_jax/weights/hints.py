"""What a config would have to say for a checkpoint to fit it, as far as the tensors tell."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from posec3d_jax.config import base, networks
from posec3d_jax.config.keys import MODELS
from posec3d_jax.config.values import OneOf, YesNo
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.names import leaves, to_reference

NETWORK = ("backbone.", "cls_head.")
HEAD = "cls_head."
_FIRST_LAYERS = {
    "rgb_path.": "rgbpose",
    "conv1.": "slowonly",
    "conv1a.": "c3d_light",
    "conv1_s.": "x3d_shallow",
    "gcn.0.gcn.PA": "stgcn",
    "gcn.0.tcn.branches.": "stgcnpp",
    "gcn.0.gcn.conv_d.": "aagcn",
    "net.0.": "ctrgcn",
    "sgcn1.": "msg3d",
}
_ROUNDS = 3  # options that are looked for, one after another

Shapes = dict[str, tuple[int, ...]]


def hint(tensors: Mapping[str, np.ndarray], config: Any) -> str:
    """A line for the end of a message that lists what does not fit; '' where nothing is told."""
    hints = [*_network(tensors, config), *_blocks(tensors, config)]
    head = tensors.get("cls_head.fc_cls.bias")
    if head is not None and head.size != config.data.num_classes:
        hints.append(f"it has {head.size} classes (config.data.num_classes)")
    if not any(name.startswith(NETWORK) for name in tensors):
        hints.append(f"its tensors are called {', '.join(list(tensors)[:3])}, ...")
    if not hints:
        hints = _options(tensors, config)
    return "\nThe checkpoint: " + "; ".join(hints) if hints else ""


def reference_shape(shape: tuple[int, ...], name: str = "") -> tuple[int, ...]:
    """The shape that a leaf of ours has in the references, where it is called `name`."""
    return to_reference(np.broadcast_to(np.float32(0), shape), name).shape


def _network(tensors: Mapping[str, np.ndarray], config: Any) -> Iterator[str]:
    """Another network, by its first layer, and how to name it with all its options."""
    for layer, network in _FIRST_LAYERS.items():
        if not any(name.startswith(f"backbone.{layer}") for name in tensors):
            continue
        stem = tensors.get("backbone.conv1.conv.weight")
        if network == "slowonly" and stem is not None and stem.shape[1:2] == (3,):
            network = "slowonly_rgb"  # the same layers, of three colours instead of joints
        if network != config.model.name:
            yield f"it is a {network} (config.model.name); name its variant, {_variant(network)}"


def _variant(network: str) -> str:
    """How the config of a network is named, and why the name alone does not do."""
    if network in ("rgbpose", "slowonly_rgb"):
        modalities = network.removeprefix("slowonly_")
        return (
            f"as in --config=ntu60_xsub_rgbpose:{modalities} (in a config of your own: "
            f"base.set_modalities(config, {modalities!r}))"
        )
    return (
        f"as in --config=ntu60_xsub:joint-{network}, because a name alone leaves the options of "
        f"another network (in a config of your own: base.set_variant(config, 'joint', "
        f"{network!r}))"
    )


def _blocks(tensors: Mapping[str, np.ndarray], config: Any) -> Iterator[str]:
    stages: dict[int, int] = {}
    for name in tensors:
        if match := re.match(r"backbone\.layer(\d+)\.(\d+)\.", name):
            stage, block = map(int, match.groups())
            stages[stage] = max(stages.get(stage, 0), block + 1)
    blocks, model = tuple(count for _, count in sorted(stages.items())), config.model.to_dict()
    if blocks and "stage_blocks" in model and blocks != tuple(model["stage_blocks"]):
        yield f"its stages have {blocks} blocks (config.model.stage_blocks)"


def _options(tensors: Mapping[str, np.ndarray], config: Any) -> list[str]:
    """Options of the network with which more of the tensors fit, found by trying each."""
    shapes = {n: a.shape for n, a in tensors.items() if n.startswith("backbone.")}
    changes: dict[str, Any] = {}
    least = _misfits(shapes, config, changes)
    for _ in range(_ROUNDS if least else 0):
        tried = {
            (option, value): _misfits(shapes, config, changes | {option: value})
            for option, value in _choices(config)
        }
        best = min(tried, key=tried.get, default=None)
        if best is None or tried[best] >= least:
            break
        changes, least = changes | {best[0]: best[1]}, tried[best]
        if not least:
            break
    if not changes:
        return []
    words = ", ".join(f"--config.model.{option}={value}" for option, value in changes.items())
    rest = f", but for {least} tensors" if least else ""
    return [f"it is a {config.model.name} of other options: {words} fits{rest}"]


def _choices(config: Any) -> Iterator[tuple[str, Any]]:
    """Every option of the config's network with each other value that it may have."""
    network = config.model.name
    default = networks.make_model(network).to_dict()
    for name, key in MODELS[network].items():
        option = name.removeprefix("model.")
        values = [default[option]]
        if isinstance(key.values, YesNo):
            values = [True, False]
        elif isinstance(key.values, OneOf):
            values = list(key.values.choices)
        yield from ((option, value) for value in values if value != config.model[option])


def _misfits(shapes: Shapes, config: Any, changes: Mapping[str, Any]) -> int:
    """How many tensors below the head are missing, too many or of another shape."""
    config = config.copy_and_resolve_references()
    try:
        base.set_network(config, config.model.name, **{**config.model.to_dict(), **changes})
        variables = jax.eval_shape(make_recognizer(config).init, jax.random.key(0))
    except Exception:  # values that do not go together: no candidate
        return len(shapes) + 1_000_000
    wanted = {
        name: reference_shape(leaf.shape, name)
        for name, (_, leaf) in leaves(variables).items()
        if name.startswith("backbone.")
    }
    counted = {
        name for name in shapes if name in wanted or not name.endswith("num_batches_tracked")
    }
    return sum(shapes.get(name) != wanted.get(name) for name in counted | set(wanted))
