"""The networks: volumes [B, T, H, W, C] to named logits."""

from collections.abc import Mapping

import flax.linen as nn

from posec3d_jax.models.c3d import C3DLight
from posec3d_jax.models.slowonly import SlowOnly
from posec3d_jax.models.x3d import X3DShallow

MODELS = {"slowonly": SlowOnly, "c3d_light": C3DLight, "x3d_shallow": X3DShallow}


def create_model(options: Mapping, num_classes: int, batch_norm_groups: int = 1) -> nn.Module:
    """The network that `config.model` names, its other keys being the network's own fields."""
    options = dict(options)
    name = options.pop("name")
    if name not in MODELS:
        raise ValueError(f"config.model.name is {name!r}; expected one of {sorted(MODELS)}")
    fields = set(MODELS[name].__dataclass_fields__) - {"parent", "name", "num_classes", "groups"}
    if unknown := set(options) - fields:
        raise ValueError(
            f"config.model has {sorted(unknown)}, which {name} lacks: {sorted(fields)}"
        )
    options = {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in options.items()}
    return MODELS[name](num_classes=num_classes, groups=batch_norm_groups, **options)
