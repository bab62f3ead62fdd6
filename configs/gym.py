"""FineGYM: 99 classes of gymnastics, HRNet's 2-D poses of the athlete, PYSKL's recipe.

  posec3d prepare  --config=configs/gym.py --config.data.source=<gym_hrnet.pkl>
  posec3d train    --config=configs/gym.py:joint --workdir=runs/gym_joint
  posec3d evaluate --workdir=runs/gym_joint
  (and the same with :limb; `posec3d fuse` adds the two up)

Variants: joint (default), limb or both; slowonly (default), c3d_light or x3d_shallow; put together
with '-', as in `:limb-c3d_light`. Graph networks too: see configs/ntu60_xsub.py.

Hardware, and the note on BatchNorm: see configs/ntu60_xsub.py. Time: not measured here.
Expected *mean class* accuracy, the figure published for this data set, 10 clips x flip, joint /
limb / fused 1:1 (PYSKL's README; not yet repeated here):
  SlowOnly     93.8 / 93.8 / 94.1
  C3D-light    91.8 / 91.2 / 92.1
  X3D-shallow  91.4 / 90.0 / 91.8
"""

from posec3d_jax.config import base, networks

VARIANTS = (networks.ALL_STREAMS, networks.ALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"gym_{stream}_{network}"
    base.set_variant(config, stream, network)
    config.data.dir = "data/gym"
    config.data.keypoint_dtype = "float16"  # as the published file
    config.data.num_classes = 99
    config.data.train_split = "train"
    config.data.val_split = config.data.test_split = "val"
    return config
