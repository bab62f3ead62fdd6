"""Keys of `model`: the options of each network, with its own defaults."""

from collections.abc import Sequence
from typing import Any

from posec3d_jax.config.keys.key import BOTH, SIZE, TRAINING, Key
from posec3d_jax.config.values import OneOf, Real, Several, Whole, YesNo

_BLOCKS = Several(Whole(1, 100))
_YES = YesNo()


def _key(name: str, default: Any, values: Any, meaning: str, decides: str = BOTH) -> Key:
    return Key(f"model.{name}", default, values, decides, meaning)


def _width(default: int, meaning: str) -> Key:
    return _key("width", default, Whole(*SIZE), meaning)


def _dropout(default: float) -> Key:
    return _key("dropout", default, Real(0, 1), "Before the classifier.", TRAINING)


def _graph_network(width: int, *own: Key, data_bn: str = "MVC") -> tuple[Key, ...]:
    """What all graph networks have, around a network's own options."""
    return (
        _width(width, "Channels of the first blocks; then twice, then four times as many."),
        *own,
        _key(
            "data_bn",
            data_bn,
            OneOf(("VC", "MVC", "none")),
            "What the input is normalised per: joint and channel, person too (as many as in "
            "training), or not at all.",
        ),
        _key("tcn_dropout", 0.0, Real(0, 1), "After each temporal module but the first.", TRAINING),
        _dropout(0.0),
    )


def _stgcn(graph: str, adaptive: str, residual: bool, temporal: str, data_bn: str) -> Sequence[Key]:
    return _graph_network(
        64,
        _key(
            "graph",
            graph,
            OneOf(("stgcn_spatial", "spatial")),
            "Subsets of neighbours: see posec3d_jax/networks/graph/adjacency.py.",
        ),
        _key(
            "adaptive",
            adaptive,
            OneOf(("importance", "init", "offset", "fixed")),
            "Trained weights on each edge; a trained graph; trained offsets; nothing trained.",
        ),
        _key("residual", residual, _YES, "Around the graph convolution alone."),
        _key(
            "temporal",
            temporal,
            OneOf(("plain", "multi_branch")),
            "One convolution over 9 frames, or branches.",
        ),
        data_bn=data_bn,
    )


MODELS: dict[str, tuple[Key, ...]] = {
    "slowonly": (
        _width(32, "Channels of the stem; stages have 4, 8 and 16 times as many."),
        _key("stage_blocks", (4, 6, 3), _BLOCKS, "(3, 4, 6) for Kinetics, UCF101, HMDB51."),
        _key(
            "inflate",
            (0, 1, 1),
            Several(Whole(0, 1)),
            "Stages whose first 1x1x1 convolutions become 3x1x1.",
        ),
        _key("temporal_strides", (1, 1, 2), Several(Whole(1, 16)), "(1, 1, 1) keeps every frame."),
        _dropout(0.5),
    ),
    "slowonly_rgb": (
        _width(64, "Channels of the stem; stages have 4 to 32 times as many."),
        _key("stage_blocks", (3, 4, 6, 3), _BLOCKS, "Those of a ResNet-50."),
        _key(
            "inflate",
            (0, 0, 1, 1),
            Several(Whole(0, 1)),
            "Stages whose first 1x1x1 convolutions become 3x1x1.",
        ),
        _dropout(0.5),
    ),
    "rgbpose": (
        _key("rgb_width", 64, Whole(*SIZE), "Channels of the RGB pathway's stem."),
        _key("rgb_blocks", (3, 4, 6, 3), Several(Whole(1, 100), 4), "Of its stages."),
        _key("pose_width", 32, Whole(*SIZE), "Channels of the pose pathway's stem."),
        _key("pose_blocks", (4, 6, 3), Several(Whole(1, 100), 3), "Of its stages."),
        _key(
            "pose_to_rgb",
            (1, 2),
            Several(Whole(1, 2)),
            "Fusions, after RGB stages 2 and 3, at which that pathway takes in pose; () for none.",
        ),
        _key("rgb_to_pose", (1, 2), Several(Whole(1, 2)), "The same the other way round."),
        _key("speed_ratio", 4, Whole(1, 64), "Pose frames for one RGB frame."),
        _key("fusion_kernel", 7, Whole(1, 99), "Frames that a lateral sees; an odd number."),
        _key("pose_widening", 1, Whole(1, 64), "Channels that a lateral from pose makes of one."),
        _key("rgb_narrowing", 16, Whole(1, 4096), "Channels of RGB that a lateral makes one of."),
        _key("rgb_drop_path", 0.0, Real(0, 1), "How often RGB gets nothing from pose.", TRAINING),
        _key("pose_drop_path", 0.0, Real(0, 1), "How often pose gets nothing from RGB.", TRAINING),
        _dropout(0.5),
    ),
    "c3d_light": (_width(32, "Channels of the first layer; then twice as many."), _dropout(0.5)),
    "x3d_shallow": (
        _width(24, "Channels of the stem."),
        _key("stage_blocks", (2, 5, 3), _BLOCKS, "Blocks of each stage."),
        _key("expansion", 2.25, Real(1e-3, 100), "Width inside a block, relative to outside."),
        _key("squeeze_excite", False, _YES, "Weigh channels by their mean."),
        _key("swish", False, _YES, "Swish in place of ReLU, inside blocks."),
        _dropout(0.5),
    ),
    "stgcn": tuple(_stgcn("stgcn_spatial", "importance", False, "plain", "VC")),
    "stgcnpp": tuple(_stgcn("spatial", "init", True, "multi_branch", "VC")),
    "aagcn": _graph_network(
        64,
        _key("adaptive", True, _YES, "Train the graphs, and add each clip's own."),
        _key("attention", True, _YES, "False for mmaction2's 2s-AGCN."),
    ),
    "ctrgcn": _graph_network(64),
    "msg3d": _graph_network(
        96,
        _key("scales", 13, Whole(1, 100), "Neighbours of up to one step less."),
        _key(
            "window_scales",
            6,
            Whole(1, 100),
            "The same in the graphs over 3 and 5 frames.",
        ),
    ),
}
