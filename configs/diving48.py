"""Diving48: 48 classes of dives, HRNet's 2-D poses (COCO-17), PYSKL's recipe.

  posec3d prepare  --config=configs/diving48.py --config.data.source=<diving48_hrnet.pkl>
  posec3d train    --config=configs/diving48.py --workdir=runs/diving48
  posec3d evaluate --workdir=runs/diving48

Variants: joint (default, the only published one), limb or both; slowonly (default), c3d_light or
x3d_shallow; put together with '-', as in `:limb-c3d_light`.

Hardware, and the note on BatchNorm: see configs/ntu60_xsub.py. Time: not measured here.
Expected top-1, 10 clips x flip (PYSKL's README; not yet repeated here): SlowOnly joint 54.5.
"""

from posec3d_jax.config import base, networks

VARIANTS = (networks.STREAMS, networks.NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"diving48_{stream}_{network}"
    base.set_stream(config, stream)
    base.set_network(config, network)
    config.data.dir = "data/diving48"
    config.data.keypoint_dtype = "float16"  # as the published file
    config.data.max_persons = 10  # the reference draws all; `prepare` counts what this cuts
    config.data.num_classes = 48
    config.data.train_split = "train"
    config.data.val_split = config.data.test_split = "test"
    config.optimizer.weight_decay = 1e-4
    return config
