"""A recipe of our own, for people's data: some hundred to some thousand clips, trained on a CPU.

What speaks for each part of it: docs/recipes.md.
"""

from ml_collections import ConfigDict

from posec3d_jax.config import base, networks

VOLUME_PASSES, GRAPH_PASSES = 60, 80  # over the training clips


def set_own_data(config: ConfigDict, network: str = "", stream: str = "", passes: int = 0) -> None:
    """Makes `config` the recipe for clips of one's own; what the data are is left alone.

    Small volumes of half of C3D-light, with mild crops; or another network: of graphs a quarter of
    its width, shown joints, bones and motions at once. Positions alone, of clips that are turned,
    stretched, sheared and hurried a little in training, and never mirrored.

    Args:
      config: changed in place.
      network: of volumes, or a graph network; '' for C3D-light, or for ST-GCN++ where `stream` is
        one of graph networks alone.
      stream: what it sees of the skeletons, one of the network's own; '' for 'all' of a graph
        network, and 'joint' of volumes.
      passes: over the training clips, in tens; 0 for the recipe's. Thousands of clips need fewer.

    Raises:
      ValueError: there is no such network, or it has no such stream.
    """
    of_graphs = stream in networks.GRAPH_STREAMS and stream not in networks.STREAMS
    network = network or ("stgcnpp" if of_graphs else "c3d_light")
    graph = network in networks.GRAPH_NETWORKS
    base.set_variant(config, stream or ("all" if graph else "joint"), network)
    base.set_small(config, frames=24, size=32, width=config.model.width // 2)
    base.set_few_clips(config)
    if graph:
        _set_noisy_graphs(config)
    config.augment.update(turn=15.0, stretch=0.2, shear=0.1)
    config.sampling.update(num_frames=24, method="spread", share=0.8, warp=0.3)
    config.geometry.flip, config.sampling.test_flip = 0.0, False
    config.data.repeat = 10
    config.train.epochs = max(1, (passes or (GRAPH_PASSES if graph else VOLUME_PASSES)) // 10)


def _set_noisy_graphs(config: ConfigDict) -> None:
    """Joints in the persons' box, positions alone, which are shaken, and smoothed labels."""
    config.graph.frame, config.graph.use_score = "person", False
    config.noise.update(jitter=0.02, offset=0.03)
    config.noise.in_training, config.noise.in_test = True, False
    config.train.label_smoothing = 0.1
