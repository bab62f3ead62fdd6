"""Every network there is, as the `config.model` that asks for it, and the streams it can have."""

from collections.abc import Callable

from ml_collections import ConfigDict

from posec3d_jax.config.keys import MODELS
from posec3d_jax.config.keys.sampling import GRAPH_STREAMS
from posec3d_jax.skeletons.declarations import suggest


def make_model(network: str, **changes) -> ConfigDict:
    """The options of a network, with its defaults or `changes`; config/keys/model.py lists them.

    Locked: assigned to a config that is locked already, it would stay open otherwise.

    Raises ValueError for an option that the network does not have.
    """
    options = {name.removeprefix("model."): key for name, key in MODELS[network].items()}
    for name in changes:
        if name != "name" and name not in options:
            raise ValueError(f"{network} has no option {name!r}{suggest(name, options)}")
    defaults = {name: key.default for name, key in options.items()}
    return ConfigDict({"name": network} | defaults | changes).lock()


def slowonly(**changes) -> ConfigDict:
    """Pose-SlowOnly, the paper's main network (about 2.0 M parameters)."""
    return make_model("slowonly", **changes)


def c3d_light(**changes) -> ConfigDict:
    """C3D-light, the shallow plain network (about 3.4 M parameters)."""
    return make_model("c3d_light", **changes)


def x3d_shallow(**changes) -> ConfigDict:
    """X3D-shallow, the cheap one (about 0.25 M parameters, 0.6 G multiply-adds)."""
    return make_model("x3d_shallow", **changes)


def stgcn(**changes) -> ConfigDict:
    """ST-GCN, the first graph network (about 3.1 M parameters)."""
    return make_model("stgcn", **changes)


def stgcnpp(**changes) -> ConfigDict:
    """ST-GCN++: trained graphs, residuals, branches along time (about 1.4 M parameters)."""
    return make_model("stgcnpp", **changes)


def aagcn(**changes) -> ConfigDict:
    """AAGCN, 2s-AGCN with attention (about 3.8 M parameters)."""
    return make_model("aagcn", **changes)


def ctrgcn(**changes) -> ConfigDict:
    """CTR-GCN, a graph for every channel (about 1.4 M parameters)."""
    return make_model("ctrgcn", **changes)


def msg3d(**changes) -> ConfigDict:
    """MS-G3D, what the paper compares itself with (about 3.0 M parameters)."""
    return make_model("msg3d", **changes)


def slowonly_rgb(**changes) -> ConfigDict:
    """SlowOnly-R50 of RGB frames (about 31.8 M parameters); for encoder 'rgb'."""
    return make_model("slowonly_rgb", **changes)


def rgbpose(**changes) -> ConfigDict:
    """RGBPose-Conv3D, both pathways joined (about 36.1 M parameters); for encoder 'rgbpose'."""
    return make_model("rgbpose", **changes)


Network = Callable[..., ConfigDict]
NETWORKS: dict[str, Network] = {
    "slowonly": slowonly,
    "c3d_light": c3d_light,
    "x3d_shallow": x3d_shallow,
}
STREAMS = ("joint", "limb", "both")
GRAPH_NETWORKS: dict[str, Network] = {
    "stgcn": stgcn,
    "stgcnpp": stgcnpp,
    "aagcn": aagcn,
    "ctrgcn": ctrgcn,
    "msg3d": msg3d,
}
# The words of a variant for configs that have both; `set_variant` refuses a limb stream of a graph
# network, or a bone stream of volumes.
ALL_STREAMS = tuple(dict.fromkeys(STREAMS + GRAPH_STREAMS))
ALL_NETWORKS = NETWORKS | GRAPH_NETWORKS
# The same for the small configs, whose default is the network that a CPU trains fastest.
SMALL_NETWORKS = tuple(sorted(ALL_NETWORKS, key=lambda name: name != "c3d_light"))
