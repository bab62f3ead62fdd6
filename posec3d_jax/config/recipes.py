"""A recipe of our own, for people's data: some hundred to some thousand clips, trained on a CPU.

What speaks for each part of it: docs/recipes.md.
"""

from ml_collections import ConfigDict

from posec3d_jax.config import base, networks

PASSES = 60  # over the training clips, of volumes; of graph networks, which are cheaper, twice that


def set_own_data(
    config: ConfigDict, network: str = "c3d_light", stream: str = "joint", passes: int = 0
) -> None:
    """Makes `config` the recipe for clips of one's own; what the data are is left alone.

    Small volumes of a narrow network, mild crops, positions alone, no mirror images; of graph
    networks a quarter of the width, with noise and smoothed labels.

    Args:
      config: changed in place.
      network: of volumes, or a graph network.
      stream: what it sees of the skeletons, one of the network's own.
      passes: over the training clips, in tens; 0 for the recipe's. Thousands of clips need fewer.

    Raises:
      ValueError: there is no such network, or it has no such stream.
    """
    graph = network in networks.GRAPH_NETWORKS
    base.set_variant(config, stream, network)
    base.set_small(config, frames=24, size=32, width=config.model.width // 2)
    if graph:
        _set_noisy_graphs(config)
    base.set_few_clips(config)
    config.geometry.flip, config.sampling.test_flip = 0.0, False
    config.data.repeat = 10
    config.train.epochs = max(1, (passes or PASSES * (1 + graph)) // 10)


def _set_noisy_graphs(config: ConfigDict) -> None:
    """The noise that experiments/studies/noise_training.py has, on 16 frames.

    But no joints go missing: a layout must name elbows, wrists, knees or ankles for that.
    """
    config.sampling.num_frames = 16
    config.noise.update(jitter=0.02, offset=0.03, score=0.3)
    config.noise.in_training, config.noise.in_test = True, False
    config.train.label_smoothing = 0.1
