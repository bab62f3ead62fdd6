"""Whether the values of a config make sense, asked before anything is done with them."""

from collections.abc import Callable, Iterator
from typing import Any

from posec3d_jax.config.keys import KEYS, MODELS, Key
from posec3d_jax.config.values import Several

_ABSENT = object()


def check_config(config):
    """The config, if it has every key, each value is one that its key may have, and they fit.

    A single number where a key wants a square becomes one: (56,) is (56, 56).

    Raises ValueError that names every key that is at fault, its value, and what was expected.
    """
    lacking = [key.name for key in keys_of(config) if _value(config, key) is _ABSENT]
    if lacking:
        raise ValueError(
            f"the config lacks {', '.join(lacking)}: start from "
            "posec3d_jax.config.base.get_config(), and assign"
        )
    return _complain(check_keys(config), [fault for rule in RULES for fault in rule(config)])


def check_keys(config):
    """As `check_config`, key by key only; keys that the config lacks are not looked at."""
    faults = []
    for key in keys_of(config):
        value = _value(config, key)
        if value is _ABSENT:
            continue
        if isinstance(key.values, Several) and key.values.square and _is_one(value):
            value = tuple(value) * 2
            node, name = _place(config, key.name)
            node[name] = value
        if not key.values.holds(value):
            shown = " ".join(repr(value).split())  # a config in a config has several lines
            faults.append(f"config.{key.name} is {shown:.80}; expected {key.values.words}")
    return _complain(config, faults)


def keys_of(config) -> Iterator[Key]:
    """The keys that such a config has, those of its network among them."""
    yield from KEYS.values()
    model = config.get("model")
    network = model.get("name", "") if hasattr(model, "get") else ""
    yield from MODELS.get(network if isinstance(network, str) else "", {}).values()


def _complain(config, faults: list[str]):
    if faults:
        raise ValueError("\n".join(faults))
    return config


def _place(config: Any, name: str) -> tuple[Any, str]:
    """The part of a config that a key stands in, and its name there; (None, ...) for none."""
    *parts, last = name.split(".")
    for part in parts:
        config = config.get(part) if hasattr(config, "get") else None
    return config, last


def _value(config: Any, key: Key) -> Any:
    """What the config has for a key; _ABSENT where it lacks it."""
    node, name = _place(config, key.name)
    return node.get(name, _ABSENT) if hasattr(node, "get") else _ABSENT


def _is_one(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 1


def _class_counts(config) -> Iterator[str]:
    """Lists with an entry for each class have as many as there are classes."""
    data = config.data
    chosen = len(data.classes)
    if chosen and chosen != data.num_classes:
        yield (
            f"config.data.classes names {chosen} classes and config.data.num_classes is "
            f"{data.num_classes}; expected as many"
        )
    named = len(data.class_names)
    if named and not chosen and named != data.num_classes:
        yield (
            f"config.data.num_classes is {data.num_classes}, and config.data.class_names has "
            f"{named} names; expected as many, or class_names=() for numbers"
        )
    weights = len(data.class_weights)
    if weights not in (0, data.num_classes):
        yield (
            f"config.data.class_weights has {weights} numbers and config.data.num_classes is "
            f"{data.num_classes}; expected as many, or none"
        )


def _stages(config) -> Iterator[str]:
    """Options with an entry for each stage of a SlowOnly have as many as it has stages."""
    names = ("stage_blocks", "inflate", "temporal_strides")
    counts = {name: len(config.model[name]) for name in names if name in config.model}
    if len(set(counts.values())) > 1:
        stated = ", ".join(f"{name} has {count}" for name, count in counts.items())
        yield f"config.model: {stated}; expected one for each stage"


def _normalized(config) -> Iterator[str]:
    """Skeletons in a frame of their own are 3-D, as graph networks see them, and not turned."""
    data, planes = config.data, config.planes
    if not data.normalize:
        return
    if config.encoder != "graph" or not data.planes or tuple(planes.shown) == ("front",):
        yield (
            "config.data.normalize is for graph networks of 3-D joints: config.encoder 'graph', "
            "config.data.planes True, and config.planes.shown more than 'front'"
        )
    if data.keypoint_dtype != "float32":
        yield "config.data.normalize needs config.data.keypoint_dtype 'float32'"
    if planes.yaw or planes.pitch or planes.facing:
        yield (
            "config.planes.yaw, pitch and facing turn skeletons about the upright; with "
            "config.data.normalize their spine lies along z: expected 0, 0 and False"
        )


RULES: tuple[Callable[[Any], Iterator[str]], ...] = (_class_counts, _stages, _normalized)
