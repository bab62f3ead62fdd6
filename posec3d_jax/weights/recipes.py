"""The config of a published checkpoint: what its network is, and how it was shown its clips.

As `configs/` has it for training, with what a finished network needs; `tests/test_weights_get.py`
holds the two together.
"""

from dataclasses import dataclass

from ml_collections import ConfigDict

from posec3d_jax.config import base, networks
from posec3d_jax.skeletons.class_names import CLASS_NAMES
from posec3d_jax.weights.index import Entry


@dataclass(frozen=True)
class Benchmark:
    """What a network trained on it has to know of a data set."""

    num_classes: int
    names: str = ""  # in `CLASS_NAMES`; '' where no list is certain
    max_persons: int = 2
    blocks: tuple[int, ...] = ()  # of SlowOnly's stages; () for the network's own
    sizes: tuple[int, int] = (56, 64)  # of the volume in training and tests


_FINE_TUNED = {"max_persons": 10, "blocks": (3, 4, 6), "sizes": (48, 56)}
BENCHMARKS = {
    "ntu60": Benchmark(60, "ntu60"),
    "ntu120": Benchmark(120, "ntu120"),
    "k400": Benchmark(400, max_persons=10, blocks=(3, 4, 6)),
    "gym": Benchmark(99),
    "ucf101": Benchmark(101, "ucf101", **_FINE_TUNED),
    "hmdb51": Benchmark(51, "hmdb51", **_FINE_TUNED),
    "diving48": Benchmark(48, max_persons=10),
}
# What an index's network is here, with the options that differ from its defaults.
NETWORKS = {
    "slowonly": ("slowonly", {}),
    "slowonly_346": ("slowonly", {"stage_blocks": (3, 4, 6)}),
    "slowonly_463": ("slowonly", {"stage_blocks": (4, 6, 3)}),
    "c3d_light": ("c3d_light", {}),
    "x3d_shallow": ("x3d_shallow", {}),
    "stgcn": ("stgcn", {}),
    "stgcn_vanilla": ("stgcn", {"tcn_dropout": 0.5}),
    "stgcnpp": ("stgcnpp", {}),
    "stgcnpp_strong_aug": ("stgcnpp", {}),  # trained otherwise
    "aagcn": ("aagcn", {}),
    "2s_agcn": ("aagcn", {"attention": False}),
    "ctrgcn": ("ctrgcn", {}),
    "msg3d": ("msg3d", {}),
}
# The modalities that a file of RGBPose-Conv3D's three steps is for; 'init' is the merged start.
RGBPOSE = "rgbpose_conv3d"
MODALITIES = {"rgb": "rgb", "pose": "pose", "init": "rgbpose", "both": "rgbpose"}


def why_not(entry: Entry) -> str:
    """Why a checkpoint cannot become a run of this package, in words; '' if it can."""
    if entry.network not in (*NETWORKS, RGBPOSE):
        return f"the package has no network {entry.network}"
    return ""


def recipe(entry: Entry) -> ConfigDict:
    """The config with which `import_weights` takes the checkpoint.

    Raises:
      ValueError: it cannot be taken; says why.
    """
    if reason := why_not(entry):
        raise ValueError(f"{entry.name} cannot be imported: {reason}")
    data = BENCHMARKS[entry.benchmark.split("_")[0]]
    config = base.get_config()
    config.name = entry.name
    config.data.num_classes = data.num_classes
    config.data.class_names = CLASS_NAMES.get(data.names, ())
    config.data.max_persons = data.max_persons
    train, test = data.sizes
    config.volume.train_size, config.volume.test_size = (train, train), (test, test)
    if entry.network == RGBPOSE:
        base.set_modalities(config, MODALITIES[entry.stream])
    else:
        _set_network(config, entry, data)
    if entry.poses == "3d":
        base.set_pyskl_3d(config)
    if entry.project == "mmaction2" and entry.network in (*networks.NETWORKS, RGBPOSE):
        config.sampling.reference, config.volume.epsilon = "mmaction2", 1e-4
        if entry.benchmark in ("ntu60_xsub", "gym") and entry.network != RGBPOSE:
            config.geometry.test_resize = "center_crop"
    return config


def _set_network(config: ConfigDict, entry: Entry, data: Benchmark) -> None:
    name, options = NETWORKS[entry.network]
    base.set_variant(config, entry.stream, name)
    blocks = {"stage_blocks": data.blocks} if data.blocks and name == "slowonly" else {}
    base.set_network(config, name, **blocks | options)
