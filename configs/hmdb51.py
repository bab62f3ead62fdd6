"""HMDB51: 51 classes, HRNet's 2-D poses (COCO-17), fine-tuned from Kinetics-400, PYSKL's recipe.

  posec3d prepare  --config=configs/hmdb51.py --config.data.source=<hmdb51_hrnet.pkl>
  posec3d train    --config=configs/hmdb51.py:split1 --workdir=runs/hmdb51_split1
  posec3d evaluate --workdir=runs/hmdb51_split1
  (and the same with :split2 and :split3)

As configs/ucf101.py, which explains the variants and where training starts from, with a smaller
weight decay. Time: not measured here.
Expected top-1, 10 clips x flip, split 1, SlowOnly joint: 69.4 (PYSKL's README; not yet repeated
here). mmaction2 reports 69.6 with a weight decay of 3e-4.
"""

from configs import ucf101
from posec3d_jax.skeletons.class_names import CLASS_NAMES

VARIANTS = ucf101.VARIANTS


def get_config(variant: str = ""):
    config = ucf101.get_config(variant)
    config.name = config.name.replace("ucf101", "hmdb51")
    config.data.dir = "data/hmdb51"
    config.data.num_classes = 51
    config.data.class_names = CLASS_NAMES["hmdb51"]
    config.optimizer.weight_decay = 1e-4
    return config
