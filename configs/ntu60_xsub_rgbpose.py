"""NTU RGB+D 60, cross-subject, by RGB and poses: PYSKL's RGBPose-Conv3D in its three steps.

  posec3d prepare --config=configs/ntu60_xsub_rgbpose.py --config.data.source=<ntu60_hrnet.pkl> \
      --config.data.video_root=<videos> --frames=256
  posec3d train --config=configs/ntu60_xsub_rgbpose.py:rgb  --workdir=runs/ntu60_rgb
  posec3d train --config=configs/ntu60_xsub_rgbpose.py:pose --workdir=runs/ntu60_pose
  posec3d train --config=configs/ntu60_xsub_rgbpose.py --workdir=runs/ntu60_rgbpose \
      --config.init_from=runs/ntu60_rgb --config.init_pose_from=runs/ntu60_pose
  posec3d evaluate --workdir=runs/ntu60_rgbpose

Variants: rgbpose (default), rgb, pose. Videos are `<clip>.mp4`; name others by `data.video_name`.
Without `--frames` they are decoded as they are needed, which takes `data.video_root` in training.

Hardware: the reference trains on 8 GPUs, 12, 16 and 6 clips each; these are the batches here, over
all devices there are. Time: not measured here.
Expected top-1, 1 clip / 10 clips (PYSKL's README; not yet repeated here):
  RGB only 94.4 / 95.1   pose only 92.9 / 93.2   late fusion 95.8 / 96.1   RGBPose 96.6 / 96.9
"""

from configs import ntu60_xsub
from posec3d_jax.config import base

MODALITIES = ("rgbpose", "rgb", "pose")
VARIANTS = (MODALITIES,)


def get_config(variant: str = ""):
    (modalities,) = base.parse_variant(variant, *VARIANTS)
    config = ntu60_xsub.get_config()
    base.set_modalities_recipe(config, modalities)
    config.name = f"ntu60_xsub_{modalities}"
    config.data.dir = "data/ntu60_rgbpose"
    return config
