"""What every config starts from, and the changes to it that configs share.

A config takes `get_config()` and assigns. The defaults are the published NTU60 recipe (PYSKL):
SlowOnly, joint stream, 48 frames of 56 x 56. config/keys has every key, `posec3d help config` and
docs/configuration.md show them. A key that is not there does not exist: configs are locked, and a
misspelt key is an error.
"""

from collections.abc import Collection, Sequence

from ml_collections import ConfigDict

from posec3d_jax.config import networks
from posec3d_jax.config.keys import KEYS
from posec3d_jax.skeletons.skeleton import get_skeleton


def get_config() -> ConfigDict:
    """Every key with its default: NTU60 cross-subject, joint stream."""
    config = ConfigDict()
    for key in KEYS.values():
        *parts, name = key.name.split(".")
        node = config
        for part in parts:
            if part not in node:
                node[part] = ConfigDict()
            node = node[part]
        node[name] = ConfigDict() if key.default == {} else key.default
    config.model = networks.slowonly()
    return config.lock()


def set_stream(config: ConfigDict, stream: str) -> None:
    """Draws joints ('joint'), limbs ('limb') or both ('both')."""
    if stream not in ("joint", "limb", "both"):
        raise ValueError(f"unknown variant {stream!r}; expected joint, limb or both")
    config.volume.keypoints = stream != "limb"
    config.volume.limbs = stream != "joint"


def set_graph_stream(config: ConfigDict, stream: str) -> None:
    """Shows a graph network joints ('joint'), bones ('bone') or the motion of either."""
    if stream not in networks.GRAPH_STREAMS:
        raise ValueError(f"unknown stream {stream!r}; graph networks have {networks.GRAPH_STREAMS}")
    config.encoder = "graph"
    config.graph.stream = stream


def set_variant(config: ConfigDict, stream: str, network: str) -> None:
    """`set_stream` and `set_network`; for a graph network, its stream and its recipe too.

    Raises:
      ValueError: the network has no such stream.
    """
    streams = networks.GRAPH_STREAMS if network in networks.GRAPH_NETWORKS else networks.STREAMS
    if stream not in streams:
        raise ValueError(
            f"variant '{stream}-{network}': {network} has no stream {stream!r}; expected one of "
            f"{', '.join(streams)}"
        )
    set_network(config, network)
    if network in networks.GRAPH_NETWORKS:
        set_graph_stream(config, stream)
        _set_graph_recipe(config)
    else:
        set_stream(config, stream)


def set_modalities(config: ConfigDict, modalities: str) -> None:
    """The published set-ups of RGBPose-Conv3D: 'rgb', 'pose', or 'rgbpose', all without flips.

    Frames of each modality, sizes, networks and the width of the gaussians, which is 0.6 pixels of
    a pose network's volumes and 0.7 of the joint network's; schedules are the configs' own.
    """
    encoders = {"rgb": "rgb", "pose": "volume", "rgbpose": "rgbpose"}
    if modalities not in encoders:
        raise ValueError(f"modalities are {modalities!r}; expected one of {tuple(encoders)}")
    config.encoder = encoders[modalities]
    config.sampling.num_frames = 32
    config.sampling.test_flip = False
    if modalities == "pose":
        config.model = networks.slowonly(temporal_strides=(1, 1, 1))
    elif modalities == "rgb":
        config.model = networks.slowonly_rgb()
    else:
        config.model = networks.rgbpose()
        config.volume.sigma = 0.7
        config.rgb.test_size = (256, 256)


def set_modalities_recipe(config: ConfigDict, modalities: str) -> None:
    """`set_modalities`, and PYSKL's schedule: a cosine for one modality, steps for the two joined.

    The joined network is to start from runs of the two, which `config.init_from` and
    `config.init_pose_from` name.
    """
    set_modalities(config, modalities)
    optimizer, train = config.optimizer, config.train
    recipes = {"rgb": (96, 0.15, 1e-4), "pose": (128, 0.2, 3e-4), "rgbpose": (48, 0.0075, 1e-4)}
    train.batch_size, optimizer.learning_rate, optimizer.weight_decay = recipes[modalities]
    optimizer.reference_batch = train.batch_size
    train.epochs = 18
    if modalities == "rgbpose":
        config.data.repeat, train.epochs = 1, 20
        optimizer.schedule, optimizer.step_epochs = "step", (12, 16)


def set_pyskl_3d(config: ConfigDict) -> None:
    """Shows graph networks NTU's 3-D joints as PYSKL's are shown them: centred, upright, in metres.

    Of `data.format` 'pyskl' (the published pickles) or 'ntu_rgbd' with coordinates '3d'.
    """
    config.data.skeleton = "ntu_25_pyskl"
    config.data.planes, config.data.normalize = True, "pyskl"
    config.data.keypoint_dtype = "float32"


def _set_graph_recipe(config: ConfigDict) -> None:
    """PYSKL's recipe of all graph networks: 80 passes, no augmentation but the frames drawn."""
    config.sampling.num_frames = 100
    config.sampling.test_flip = False
    config.geometry.flip = 0.0
    config.data.repeat = 5
    config.train.batch_size = 128
    config.train.epochs = 16
    config.optimizer.learning_rate = 0.1
    config.optimizer.reference_batch = 128
    config.optimizer.nesterov = True
    config.optimizer.weight_decay = 5e-4
    config.optimizer.clip_norm = 0.0


def set_network(config: ConfigDict, network: str, **changes) -> None:
    """Makes `config.model` the network of that name, with its defaults or `changes`."""
    config.model = networks.make_model(network, **changes)


def parse_variant(variant: str, *groups: Collection[str]) -> tuple[str, ...]:
    """The words of a variant such as 'limb-c3d_light', one for each group.

    Args:
      variant: words joined by '-', in any order, at most one of each group; '' for all defaults.
      groups: the words to choose from; the first of a group is its default.

    Raises:
      ValueError: a word that is in no group, or two of the same group; lists what there is.
    """
    chosen: dict[int, str] = {}
    for word in filter(None, variant.split("-")):
        number = next((i for i, group in enumerate(groups) if word in group), None)
        if number is None or number in chosen:
            fault = f"unknown word {word!r}" if number is None else "two words of one kind"
            known = " and one of ".join(", ".join(filter(None, group)) for group in groups)
            raise ValueError(
                f"variant {variant!r}: {fault}; expected at most one of {known}, joined by '-'"
            )
        chosen[number] = word
    return tuple(chosen.get(i, next(iter(group))) for i, group in enumerate(groups))


def declare_skeleton(
    config: ConfigDict,
    *,
    joints: Sequence[str],
    limbs: Sequence[Sequence[str | int]],
    pairs: Sequence[Sequence[str | int]],
    parents: Sequence[str | int] | None = None,
    name: str = "custom",
) -> None:
    """Makes `config.data.skeleton` a joint layout of one's own.

    The default there is a layout's name, and a config refuses a value of another type unless told;
    so this function does the assignment, and checks the layout while at it.

    Args:
      config: changed in place.
      joints: unique names in the order of the keypoint arrays.
      limbs: the segments of limb volumes, each two joints, by name or by index.
      pairs: (left, right) joints, by name or by index; what is not listed has no other side.
      parents: of each joint, the root its own; None derives them from the limbs.
      name: shown in reports.

    Raises:
      ValueError: a joint that there is not, a name twice, a joint in two pairs, ...; says which.
    """
    layout = dict(name=name, joints=joints, limbs=limbs, pairs=pairs)
    layout |= {} if parents is None else {"parents": parents}
    get_skeleton(layout)
    with config.ignore_type():
        config.data.skeleton = ConfigDict(layout).lock()


def set_small(config: ConfigDict, frames: int, size: int, width: int) -> None:
    """Volumes and a width that two CPU cores train: batches of 16, a higher rate for them.

    A graph network, which has no volume, gets 64 frames and a quarter of its width instead.
    """
    config.volume.train_size = config.volume.test_size = (size, size)
    config.geometry.train_resize = 64
    if config.encoder == "graph":
        frames, width = 64, config.model.width // 4
    config.sampling.num_frames = frames
    config.model.width = width
    config.train.batch_size = 16
    config.train.log_every = 20
    config.optimizer.learning_rate = 0.05 / 16 * config.optimizer.reference_batch
    config.evaluate.batch_size = 80


def set_few_clips(config: ConfigDict) -> None:
    """What some hundred clips take, from which volumes learn slowly by the published recipe.

    Mild crops, no dropout, twice the rate, and positions alone. Chosen on UTD-MHAD's training
    subjects (Kinect, 12 joints): three of them trained, one tested, 79.6 instead of 65.7 percent,
    of which a part is owed to twice the passes. Nothing changes for graph networks.
    """
    if config.encoder == "graph":
        return
    config.geometry.crop_area, config.geometry.crop_aspect = (0.8, 1.0), (0.9, 1.1)
    config.model.dropout = 0.0
    config.optimizer.learning_rate *= 2
    config.volume.use_score, config.volume.drop_missing = False, True
