"""NTU RGB+D 120, cross-setup: trained on even setups, tested on odd ones; PYSKL's recipe.

  posec3d prepare  --config=configs/ntu120_xset.py --config.data.source=<ntu120_hrnet.pkl>
  posec3d train    --config=configs/ntu120_xset.py:joint --workdir=runs/ntu120_xset_joint
  posec3d evaluate --workdir=runs/ntu120_xset_joint
  (and the same with :limb; not to be prepared again if configs/ntu120_xsub.py was)

Variants, `joint_as_published` among them: see configs/ntu120_xsub.py. Here every clip counts once.
Hardware, and the note on BatchNorm: see configs/ntu60_xsub.py. Time: not measured here.
Expected top-1, 10 clips x flip, joint / limb / fused 1:1 (PYSKL's README; not yet repeated here):
  SlowOnly     89.7 / 89.7 / 90.3
Graph networks, 10 clips, joint / all four streams fused 2:2:1:1:
  ST-GCN 84.2 / 89.0   ST-GCN++ 88.1 / 90.3   AAGCN 86.3 / 89.9   CTR-GCN 84.5 / 90.1
  MS-G3D 88.2 / 90.9
"""

from configs import ntu120_xsub

VARIANTS = ntu120_xsub.VARIANTS


def get_config(variant: str = ""):
    config = ntu120_xsub.get_config(variant)
    config.name = config.name.replace("xsub", "xset")
    config.data.class_weights = ()
    config.data.train_split = "xset_train"
    config.data.val_split = config.data.test_split = "xset_val"
    return config
