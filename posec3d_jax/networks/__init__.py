"""The networks: volumes or frames [B, T, H, W, C], joints [B, M, T, V, C] or both of the first
by name, to named logits."""

from collections.abc import Mapping

import flax.linen as nn

from posec3d_jax.networks.c3d import C3DLight
from posec3d_jax.networks.graph.aagcn import AAGCN
from posec3d_jax.networks.graph.ctrgcn import CTRGCN
from posec3d_jax.networks.graph.msg3d import MSG3D
from posec3d_jax.networks.graph.stgcn import STGCN, STGCNpp
from posec3d_jax.networks.mode import Mode
from posec3d_jax.networks.rgbpose import RGBPose
from posec3d_jax.networks.slowonly import SlowOnly, SlowOnlyRGB
from posec3d_jax.networks.x3d import X3DShallow
from posec3d_jax.skeletons.skeleton import Skeleton

# By the encoder whose output they take.
MODELS = {
    "volume": {"slowonly": SlowOnly, "c3d_light": C3DLight, "x3d_shallow": X3DShallow},
    "rgb": {"slowonly_rgb": SlowOnlyRGB},
    "rgbpose": {"rgbpose": RGBPose},
    "graph": {
        "stgcn": STGCN,
        "stgcnpp": STGCNpp,
        "aagcn": AAGCN,
        "ctrgcn": CTRGCN,
        "msg3d": MSG3D,
    },
}


def create_model(
    options: Mapping,
    num_classes: int,
    mode: Mode = Mode(),  # noqa: B008 (it is frozen)
    *,
    encoder: str = "volume",
    skeleton: Skeleton | None = None,
) -> nn.Module:
    """The network that `config.model` names, its other keys being the network's own fields.

    Raises:
      ValueError: no such network, one that does not take what `encoder` makes, or an unknown key.
    """
    options = dict(options)
    name = options.pop("name")
    if name not in MODELS[encoder]:
        raise ValueError(
            f"config.model.name is {name!r}; with config.encoder {encoder!r} expected one of "
            f"{sorted(MODELS[encoder])}"
        )
    network, given = MODELS[encoder][name], {"num_classes": num_classes, "mode": mode}
    fields = set(network.__dataclass_fields__) - {"parent", "name"}
    if "skeleton" in fields:
        given["skeleton"] = skeleton
    if unknown := set(options) - (fields - set(given)):
        raise ValueError(
            f"config.model has {sorted(unknown)}, which {name} lacks: {sorted(fields - set(given))}"
        )
    options = {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in options.items()}
    return network(**given, **options)
