"""Every key there is, with its default and meaning (those of `model`: config/networks.py).

A config starts from this one and assigns. The defaults are the published NTU60 recipe (PYSKL):
SlowOnly, joint stream, 48 frames of 56 x 56. A key that is not here does not exist: configs are
locked, a misspelt key is an error.
"""

from collections.abc import Collection, Sequence

from ml_collections import ConfigDict

from posec3d_jax.config import networks
from posec3d_jax.skeletons.skeleton import get_skeleton


def get_config() -> ConfigDict:
    """The reference page: NTU60 cross-subject, joint stream."""
    config = ConfigDict()
    config.name = "base"  # names the run in logs, reports and results/<name>.json
    config.seed = 0
    config.init_from = ""  # a run's directory, or a checkpoint, whose weights to start from

    # What the clips are, and where they are.
    config.data = data = ConfigDict()
    data.format = "pyskl"  # the reader: see posec3d_jax/data/readers/__init__.py
    data.source = ""  # annotation file or folder that `posec3d prepare` reads
    data.reader_options = ConfigDict()  # keyword arguments of that reader
    data.camera = ConfigDict(  # how 3-D skeletons become 2-D; ignored by 2-D data sets
        dict(kind="orthographic", image_size=(256, 256), focal=0.0, yaw=0.0, pitch=0.0)
    )
    data.dir = ""  # the prepared data set that prepare writes and everything else reads
    data.storage = "tfds"  # 'tfds' (ArrayRecord), or 'pack' (plain arrays; needs no TensorFlow)
    data.in_memory = True  # load the split into memory once; False streams it from disk
    data.keypoint_dtype = "float32"  # on disk; 'float16' is what PYSKL's files hold
    data.resident = False  # training keypoints stay on every device, whole; the host sends only
    #                        frame numbers. Not with clips that are streamed from disk
    data.loader = "tf"  # 'tf' (tf.data), or 'threads' (needs no TensorFlow)
    data.skeleton = "coco_17"  # a name of skeletons.py; for one's own: `declare_skeleton` below
    data.remap_to = ""  # a layout to convert the joints to by name; '' keeps them
    data.num_classes = 60  # of the data set; with `classes`, as many as are named there
    data.class_names = ()  # () keeps the reader's
    data.train_split = "train"  # of this and the next two, several joined as in 'train+test'
    data.val_split = "val"  # validated during training; '' for none
    data.test_split = "val"  # what `posec3d evaluate` reports
    data.classes = ()  # ((name, (class names that it joins)), ...): what to recognise instead of
    #                    the data set's classes; clips of others are left out; () for them all
    data.clips_per_class = 0  # train on so many clips of each class, chosen by `seed`; 0 for all
    data.max_persons = 2  # persons a clip is padded or cut to (highest total score first)
    data.repeat = 10  # passes over the training split that count as one epoch
    data.class_weights = ()  # per class, how many times its clips enter an epoch; () for once

    # Which frames of a clip the network sees.
    config.sampling = sampling = ConfigDict()
    sampling.method = "uniform"  # or 'stride': consecutive frames, `stride` apart
    sampling.num_frames = 48  # T
    sampling.stride = 2  # of method 'stride' only
    sampling.reference = "pyskl"  # or 'mmaction2': whose seeded test clips to reproduce
    sampling.test_seed = 255
    sampling.test_clips = 10  # clips of the multi-view protocol
    sampling.test_flip = True  # it sees each also mirrored: volumes yes, graph networks no
    sampling.next_frames = False  # also read the frame after each: motion streams of graph networks

    # What the network is shown: 'volume' (3-D CNNs), or 'graph' (graph networks).
    config.encoder = "volume"

    # What graph networks get: (x, y, score) of each joint, x and y -1 to 1 across the frame.
    config.graph = graph = ConfigDict()
    graph.stream = "joint"  # or 'bone', 'joint_motion', 'bone_motion'
    graph.threshold = 0.01  # joints with scores up to this are put into the middle, as PYSKL does
    graph.use_score = True  # False: the third channel only says which joints there are

    # What is drawn from the keypoints, on the device. For encoder 'volume' only.
    config.volume = volume = ConfigDict()
    volume.keypoints = True  # joint channels
    volume.limbs = False  # limb channels; with both, joints come first
    volume.sigma = 0.6  # heatmap pixels
    volume.use_score = True  # scale each gaussian by the detector's score
    volume.drop_missing = False  # True: joints at exactly (0, 0) are never drawn
    volume.epsilon = 1e-3  # scores below are not drawn (PYSKL 1e-3, mmaction2 1e-4)
    volume.short_limb = "start"  # under 1 pixel: a blob of its first joint's score, as PYSKL and
    #                              mmaction2 draw; 'lower': of the lower score, as longer limbs have
    volume.train_size = (56, 56)  # H, W
    volume.test_size = (64, 64)

    # Damage done to the poses on the device, to study it: see posec3d_jax/encoders/noise.py.
    config.noise = noise = ConfigDict()
    noise.drop = 0.0  # probability, per person and frame, that one of `joints` goes missing
    noise.joints = ()  # their names; () for all elbows, wrists, knees and ankles
    noise.jitter = 0.0  # standard deviation of x and y, as a share of the clip's longer side
    noise.offset = 0.0  # the same of a shift that a joint keeps throughout the clip
    noise.score = 0.0  # standard deviation of the scores
    noise.in_training, noise.in_test = False, True  # when it is done; never in `posec3d predict`
    noise.seed = 0  # of the test noise, which is the same for every network

    # Geometry on the keypoints, on the device. Of these, encoder 'graph' heeds only `flip`.
    config.geometry = geometry = ConfigDict()
    geometry.compact = True  # crop to the persons
    geometry.padding = 0.25  # of that crop, relative to its size
    geometry.threshold = 10.0  # pixels; smaller crops leave the clip as it is
    geometry.hw_ratio = 1.0  # height / width the crop is grown to; 0 leaves it
    geometry.allow_imgpad = True  # PYSKL's name: the crop may leave the frame; False cuts it there
    geometry.missing = (
        "coordinate"  # which zeros crop and flip leave alone: x and y each for itself
    )
    #                                  (PYSKL, mmaction2), or 'joint': only where both are zero
    geometry.train_resize = 64  # short side before the random crop; 0 for none
    geometry.test_resize = "square"  # 'square' (PYSKL) or 'center_crop' (mmaction2's NTU60)
    geometry.crop_area = (0.56, 1.0)  # of the random resized crop; (1.0, 1.0) turns it off
    geometry.crop_aspect = (0.75, 1.3333333333333333)
    geometry.flip = 0.5  # probability of a horizontal flip in training
    geometry.train_mirror = "W-x"  # where that flip sends column x (PYSKL, mmaction2), or 'W-1-x'
    geometry.test_mirror = "W-1-x"  # the same for the mirrored views of a test, or 'W-x'

    config.model = networks.slowonly()
    config.compute_dtype = "float32"  # or 'bfloat16'; parameters and statistics stay float32

    # How it is trained.
    config.train = train = ConfigDict()
    train.batch_size = 256  # global, over all processes and devices
    train.epochs = 24  # each of `data.repeat` passes
    train.label_smoothing = 0.0
    train.batch_norm_groups = 1  # 1: statistics over the global batch; 8: eight groups of it
    train.steps_per_dispatch = 1  # steps in one call to the device: more where the host is slower.
    #                               It ends where a line of metrics, a validation or a checkpoint is
    #                               due, and single steps lead up to that; SIGTERM waits for its end
    train.remat = False  # True: store each block's input only, and compute its inside again in the
    #                      backward pass: less memory (not on a CPU), one more forward pass
    train.log_every = 50  # steps
    train.validate_every = 1  # epochs
    train.checkpoint_every = 1  # epochs
    train.keep_checkpoints = 2  # the latest so many (at least 2), and the best by validation
    train.stall_minutes = 30.0  # nothing done for so long: show where, and end; 0 waits forever

    config.optimizer = optimizer = ConfigDict()
    optimizer.learning_rate = 0.4  # at `reference_batch`; scaled to `train.batch_size`
    optimizer.reference_batch = 256
    optimizer.momentum = 0.9
    optimizer.nesterov = False  # True in the graph networks' recipes
    optimizer.weight_decay = 3e-4  # on every parameter, as the reference does
    optimizer.clip_norm = 40.0  # global norm; 0 turns clipping off
    optimizer.schedule = "cosine"  # to zero, by step; or 'step'
    optimizer.step_epochs = ()  # of schedule 'step': epochs after which the rate drops
    optimizer.step_factor = 0.1
    optimizer.warmup_epochs = 0.0

    config.evaluate = evaluate = ConfigDict()
    evaluate.batch_size = 16  # clips; a clip has `views` volumes in the multi-view protocol
    evaluate.average = "prob"  # over views: 'prob' (softmax first) or 'score' (logits)
    evaluate.mean_class = "union"  # mean class accuracy over classes that have clips or predictions
    #                                (PYSKL, mmaction2), or 'present': over those that have clips

    config.lock()
    return config


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
    config.sampling.next_frames = stream.endswith("motion")


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
    config.model = networks.ALL_NETWORKS[network](**changes)


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
            known = " and one of ".join(", ".join(group) for group in groups)
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
