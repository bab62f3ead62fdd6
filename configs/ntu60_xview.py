"""NTU RGB+D 60, cross-view: trained on cameras 2 and 3, tested on camera 1; PYSKL's recipe.

  posec3d prepare  --config=configs/ntu60_xview.py --config.data.source=<ntu60_hrnet.pkl>
  posec3d train    --config=configs/ntu60_xview.py:joint --workdir=runs/ntu60_xview_joint
  posec3d evaluate --workdir=runs/ntu60_xview_joint
  (and the same with :limb; not to be prepared again if configs/ntu60_xsub.py was)

Variants, hardware and the note on BatchNorm: see configs/ntu60_xsub.py, from which only the split
differs. Time: not measured here.
Expected top-1, 10 clips x flip, joint / limb / fused 1:1 (PYSKL's README; not yet repeated here):
  SlowOnly     96.5 / 96.0 / 96.9
Graph networks, 10 clips, joint / all four streams fused 2:2:1:1:
  ST-GCN 98.0 / 98.3   ST-GCN++ 97.4 / 98.5   AAGCN 97.1 / 98.2   CTR-GCN 96.9 / 98.4
  MS-G3D 97.1 / 98.3
"""

from configs import ntu60_xsub

VARIANTS = ntu60_xsub.VARIANTS


def get_config(variant: str = ""):
    config = ntu60_xsub.get_config(variant)
    config.name = config.name.replace("xsub", "xview")
    config.data.train_split = "xview_train"
    config.data.val_split = config.data.test_split = "xview_val"
    return config
