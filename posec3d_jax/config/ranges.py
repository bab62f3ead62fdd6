"""The numbers of a config that make sense, checked before anything is done with them."""

from collections.abc import Iterator
from typing import Any

# By key, the least and the greatest value; of every element where the value is a tuple.
_SIZE, _COUNT, _SHARE = (1, 4096), (1, 1_000_000), (0.0, 1.0)
RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "data.num_classes": _COUNT,
    "data.clips_per_class": (0, 1_000_000),
    "data.max_persons": (1, 1000),
    "data.repeat": _COUNT,
    "data.class_weights": (0.0, 1e6),
    "sampling.num_frames": _SIZE,
    "sampling.stride": _SIZE,
    "sampling.test_seed": (0, 2**32 - 1),
    "sampling.test_clips": _SIZE,
    "graph.threshold": _SHARE,
    "volume.sigma": (1e-3, 1e3),
    "volume.epsilon": _SHARE,
    "volume.train_size": _SIZE,
    "volume.test_size": _SIZE,
    "noise.drop": _SHARE,
    "noise.jitter": _SHARE,
    "noise.offset": _SHARE,
    "noise.score": (0.0, 10.0),
    "noise.seed": (0, 2**32 - 1),
    "geometry.padding": (0.0, 100.0),
    "geometry.threshold": (0.0, 1e6),
    "geometry.hw_ratio": (0.0, 100.0),
    "geometry.train_resize": (0, 4096),
    "geometry.crop_area": (1e-6, 1.0),
    "geometry.crop_aspect": (1e-3, 1e3),
    "geometry.flip": _SHARE,
    "model.width": _SIZE,
    "model.dropout": _SHARE,
    "model.expansion": (1e-3, 100.0),
    "model.stage_blocks": (1, 100),
    "model.temporal_strides": (1, 16),
    "train.batch_size": _COUNT,
    "train.epochs": _COUNT,
    "train.label_smoothing": _SHARE,
    "train.batch_norm_groups": _COUNT,
    "train.steps_per_dispatch": (1, 1000),
    "train.log_every": (1, 1e9),
    "train.validate_every": _COUNT,
    "train.checkpoint_every": _COUNT,
    "train.keep_checkpoints": _COUNT,
    "train.stall_minutes": (0.0, 1e6),
    "optimizer.learning_rate": (0.0, 1e3),
    "optimizer.reference_batch": _COUNT,
    "optimizer.momentum": _SHARE,
    "optimizer.weight_decay": _SHARE,
    "optimizer.clip_norm": (0.0, 1e9),
    "optimizer.step_epochs": (0, 1_000_000),
    "optimizer.step_factor": _SHARE,
    "optimizer.warmup_epochs": (0.0, 1e6),
    "evaluate.batch_size": _COUNT,
}


def check_ranges(config):
    """The config, if every number in it lies in its range; keys that it lacks are not looked at.

    Raises ValueError that names every key that does not, with its value and range.
    """
    faults = [
        f"config.{key} is {value!r:.80}; expected {least:g} to {most:g}"
        for key, (least, most) in RANGES.items()
        for value in _values(config, key.split("."))
        if not _is_number(value) or not least <= value <= most  # which NaN is not, either
    ]
    if faults:
        raise ValueError("\n".join(faults))
    return config


def _values(node: Any, path: list[str]) -> Iterator[Any]:
    """The value at a path, or the elements of a tuple there; nothing where there is no such key."""
    for name in path:
        if not hasattr(node, "keys") or name not in node:
            return
        node = node[name]
    yield from node if isinstance(node, tuple | list) else (node,)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
