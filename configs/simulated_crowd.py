"""Simulated crowds: 8 group activities of up to 13 persons, held-out performers and viewpoints.

  posec3d prepare  --config=configs/simulated_crowd.py
  posec3d train    --config=configs/simulated_crowd.py --workdir=runs/simulated_crowd
  posec3d evaluate --workdir=runs/simulated_crowd

The task is that of Volleyball, whose poses are not published: on the left or on the right one
person sets, spikes or passes, or a whole group cheers, while the rest stand or walk about
(posec3d_jax/data/simulation/crowd.py).

Variants: joint (default), limb or both; any network, as in `:joint-slowonly`; graph networks with
their own streams, as in `:bone-stgcnpp`. A graph network sees 20 frames of each of the 13 persons,
a volume 12 frames with everybody in it.

Left and right are part of the label, so that nothing is mirrored. People in a crowd stand side by
side: the crop keeps their box's own shape, and the volume is stretched to use all of its height.
Top-1 of C3D-light, storage `pack`, one clip: 59.4 and 57.8 % (seeds 0 and 1; chance is 12.5), in 25
minutes of a CPU core each. ST-GCN++ was trained for five of the 15 passes (three minutes of a core
each) and stayed at chance. It averages features over 13 persons, of whom one acts, so it may need
many more passes.
"""

from posec3d_jax.config import base, networks
from posec3d_jax.data.simulation.crowd import CLASS_NAMES

VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    base.set_variant(config, stream, network)
    config.name = f"simulated_crowd_{stream}" + f"_{network}" * (network != "c3d_light")
    config.data.format = "simulated"
    config.data.dir = "data/simulated_crowd"
    with config.ignore_type():
        config.data.reader_options = {"num_clips": 2000, "crowd": 13}  # 1200 to train on
    config.data.num_classes = len(CLASS_NAMES)
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 13
    base.set_small(config, frames=12, size=40, width=16)
    if network in networks.GRAPH_NETWORKS:
        config.sampling.num_frames = 20
    config.sampling.test_clips = 4
    config.sampling.test_flip = False
    config.geometry.flip = 0.0
    config.geometry.hw_ratio = 0.0
    config.data.repeat = 1
    config.train.epochs = 15
    return config
