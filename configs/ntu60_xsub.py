"""NTU RGB+D 60, cross-subject: 60 classes, HRNet's 2-D poses (COCO-17), PYSKL's recipe.

  posec3d prepare  --config=configs/ntu60_xsub.py --config.data.source=<ntu60_hrnet.pkl>
  posec3d train    --config=configs/ntu60_xsub.py:joint --workdir=runs/ntu60_xsub_joint
  posec3d evaluate --workdir=runs/ntu60_xsub_joint
  (and the same with :limb; `posec3d fuse` adds the two up)

Variants: joint (default), limb or both; slowonly (default), c3d_light or x3d_shallow; put together
with '-', as in `:limb-c3d_light`. And the graph networks stgcn, stgcnpp, aagcn, ctrgcn and msg3d by
PYSKL's recipe for them, with the streams joint, bone, joint_motion and bone_motion, as in
`:bone-stgcnpp`. configs/ntu60_xview.py reads the same prepared data set.

Hardware: the reference trains on 8 GPUs, 32 clips each. Here the batch of 256 is over all devices
there are; on fewer, `--config.train.batch_size=64` scales the learning rate along.
Time: not measured here.
Expected top-1, 10 clips x flip, joint / limb / fused 1:1 (PYSKL's README; not yet repeated here):
  SlowOnly     93.7 / 93.4 / 94.1
  C3D-light    92.7 / 92.6 / 93.3
  X3D-shallow  92.1 / 91.6 / 92.4
Graph networks, 10 clips, joint / all four streams fused 2:2:1:1:
  ST-GCN 89.0 / 92.4   ST-GCN++ 89.3 / 93.2   AAGCN 89.7 / 93.0   CTR-GCN 90.6 / 93.6
  MS-G3D 92.7 / 94.1

BatchNorm is over the global batch; the reference's is over each GPU's 32 clips, which is
`--config.train.batch_norm_groups=8`. mmaction2's recipe (93.6 / 93.5 / 94.0) has the same rate per
clip with batches of 128, and is tested otherwise: sampling.reference=mmaction2,
geometry.test_resize=center_crop, volume.epsilon=1e-4.
"""

from posec3d_jax.config import base, networks
from posec3d_jax.skeletons.class_names import CLASS_NAMES

VARIANTS = (networks.ALL_STREAMS, networks.ALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"ntu60_xsub_{stream}_{network}"
    base.set_variant(config, stream, network)
    config.data.dir = "data/ntu60"
    config.data.keypoint_dtype = "float16"  # as the published file
    config.data.num_classes = 60
    config.data.class_names = CLASS_NAMES["ntu60"]
    config.data.train_split = "xsub_train"
    config.data.val_split = config.data.test_split = "xsub_val"
    return config
