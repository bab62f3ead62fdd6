"""NTU RGB+D 120, cross-subject: 120 classes, HRNet's 2-D poses (COCO-17), PYSKL's recipe.

  posec3d prepare  --config=configs/ntu120_xsub.py --config.data.source=<ntu120_hrnet.pkl>
  posec3d train    --config=configs/ntu120_xsub.py:joint --workdir=runs/ntu120_xsub_joint
  posec3d evaluate --workdir=runs/ntu120_xsub_joint
  (and the same with :limb; `posec3d fuse` adds the two up)

The clips of classes 61 to 120, which have fewer clips, are seen twice in an epoch.

Variants: joint (default), limb, both or joint_as_published; slowonly (default), c3d_light or
x3d_shallow; put together with '-'. PYSKL's configs called `joint` draw limbs for this data set, in
another channel order than its limb configs. Here `joint` draws joints; `joint_as_published` is what
those configs say, and the variant to try with the published joint.pth (which of the two it was
trained with is not known). Graph networks: see configs/ntu60_xsub.py; their recipe counts every
clip once. configs/ntu120_xset.py reads the same prepared data set.

Hardware, and the note on BatchNorm: see configs/ntu60_xsub.py. Time: not measured here.
Expected top-1, 10 clips x flip, joint / limb / fused 1:1 (PYSKL's README; not yet repeated here):
  SlowOnly     85.9 / 85.9 / 86.7
Graph networks, 10 clips, joint / all four streams fused 2:2:1:1:
  ST-GCN 80.1 / 84.7   ST-GCN++ 84.4 / 86.4   AAGCN 80.2 / 85.5   CTR-GCN 82.2 / 86.6
  MS-G3D 85.5 / 87.4
"""

from posec3d_jax.config import base, networks
from posec3d_jax.skeletons.class_names import CLASS_NAMES

VARIANTS = ((*networks.ALL_STREAMS, "joint_as_published"), networks.ALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"ntu120_xsub_{stream}_{network}"
    published = stream == "joint_as_published"
    base.set_variant(config, "limb" if published else stream, network)
    if published:
        config.data.skeleton = "coco_17_default_limbs"  # the same joints: same prepared data set
    config.data.dir = "data/ntu120"
    config.data.keypoint_dtype = "float16"  # as the published file
    config.data.num_classes = 120
    config.data.class_names = CLASS_NAMES["ntu120"]
    if config.encoder == "volume":  # the graph networks' recipe does not balance
        config.data.class_weights = (1,) * 60 + (2,) * 60
    config.data.train_split = "xsub_train"
    config.data.val_split = config.data.test_split = "xsub_val"
    return config
