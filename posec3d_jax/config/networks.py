"""Every network there is, with the options of its `config.model`, and the streams it can have."""

from ml_collections import ConfigDict


# Locked here: assigned to a config that is locked already, they would stay open otherwise.
def slowonly(**changes) -> ConfigDict:
    """Pose-SlowOnly, the paper's main network (about 2.0 M parameters)."""
    return ConfigDict(
        dict(
            name="slowonly",
            width=32,  # channels of the stem; stages have 4, 8 and 16 times as many
            stage_blocks=(4, 6, 3),  # (3, 4, 6) for Kinetics, UCF101, HMDB51
            inflate=(0, 1, 1),  # stages whose first 1x1x1 convolutions become 3x1x1
            temporal_strides=(1, 1, 2),  # (1, 1, 1) keeps every frame
            dropout=0.5,
        )
        | changes
    ).lock()


def c3d_light(**changes) -> ConfigDict:
    """C3D-light, the shallow plain network (about 3.4 M parameters)."""
    return ConfigDict(dict(name="c3d_light", width=32, dropout=0.5) | changes).lock()


def x3d_shallow(**changes) -> ConfigDict:
    """X3D-shallow, the cheap one (about 0.25 M parameters, 0.6 G multiply-adds)."""
    return ConfigDict(
        dict(
            name="x3d_shallow",
            width=24,
            stage_blocks=(2, 5, 3),
            expansion=2.25,
            squeeze_excite=False,
            swish=False,
            dropout=0.5,
        )
        | changes
    ).lock()


def stgcn(**changes) -> ConfigDict:
    """ST-GCN, the first graph network (about 3.1 M parameters)."""
    return ConfigDict(
        dict(
            name="stgcn",
            width=64,  # channels of the first four blocks; then twice, then four times as many
            graph="stgcn_spatial",  # or 'spatial': see posec3d_jax/networks/graph/adjacency.py
            adaptive="importance",  # trained weights on each edge; 'init': a trained graph;
            #                         'offset': trained offsets; 'fixed'
            residual=False,  # around the graph convolution alone
            temporal="plain",  # one convolution over 9 frames, or 'multi_branch'
            data_bn="VC",  # what the input is normalised per: 'VC' joint and channel, 'MVC' person
            #                too (as many as in training), 'none' for not at all
            tcn_dropout=0.0,  # after each temporal module but the first
            dropout=0.0,  # before the classifier
        )
        | changes
    ).lock()


def stgcnpp(**changes) -> ConfigDict:
    """ST-GCN++: trained graphs, residuals, branches along time (about 1.4 M parameters)."""
    plus = dict(
        name="stgcnpp", graph="spatial", adaptive="init", residual=True, temporal="multi_branch"
    )
    return stgcn(**plus | changes)


def aagcn(**changes) -> ConfigDict:
    """AAGCN, 2s-AGCN with attention (about 3.8 M parameters)."""
    return ConfigDict(
        dict(
            name="aagcn",
            width=64,
            adaptive=True,  # train the graphs, and add each clip's own
            attention=True,  # False for mmaction2's 2s-AGCN
            data_bn="MVC",
            tcn_dropout=0.0,
            dropout=0.0,
        )
        | changes
    ).lock()


def ctrgcn(**changes) -> ConfigDict:
    """CTR-GCN, a graph for every channel (about 1.4 M parameters)."""
    return ConfigDict(
        dict(name="ctrgcn", width=64, data_bn="MVC", tcn_dropout=0.0, dropout=0.0) | changes
    ).lock()


def msg3d(**changes) -> ConfigDict:
    """MS-G3D, what the paper compares itself with (about 3.0 M parameters)."""
    return ConfigDict(
        dict(
            name="msg3d",
            width=96,
            scales=13,  # neighbours of up to 12 steps
            window_scales=6,  # and up to 5 in the graphs over 3 and 5 frames
            data_bn="MVC",
            tcn_dropout=0.0,
            dropout=0.0,
        )
        | changes
    ).lock()


NETWORKS = {"slowonly": slowonly, "c3d_light": c3d_light, "x3d_shallow": x3d_shallow}
STREAMS = ("joint", "limb", "both")
GRAPH_NETWORKS = {
    "stgcn": stgcn,
    "stgcnpp": stgcnpp,
    "aagcn": aagcn,
    "ctrgcn": ctrgcn,
    "msg3d": msg3d,
}
GRAPH_STREAMS = ("joint", "bone", "joint_motion", "bone_motion")
# The words of a variant for configs that have both; `set_variant` refuses a limb stream of a graph
# network, or a bone stream of volumes.
ALL_STREAMS = tuple(dict.fromkeys(STREAMS + GRAPH_STREAMS))
ALL_NETWORKS = NETWORKS | GRAPH_NETWORKS
# The same for the small configs, whose default is the network that a CPU trains fastest.
SMALL_NETWORKS = tuple(sorted(ALL_NETWORKS, key=lambda name: name != "c3d_light"))
