"""FineGYM by RGB and poses: PYSKL's RGBPose-Conv3D in its three steps.

  posec3d prepare --config=configs/gym_rgbpose.py --config.data.source=<gym_hrnet.pkl> \
      --config.data.video_root=<videos> --frames=256
  posec3d train --config=configs/gym_rgbpose.py:rgb  --workdir=runs/gym_rgb
  posec3d train --config=configs/gym_rgbpose.py:pose --workdir=runs/gym_pose
  posec3d train --config=configs/gym_rgbpose.py --workdir=runs/gym_rgbpose \
      --config.init_from=runs/gym_rgb --config.init_pose_from=runs/gym_pose
  posec3d evaluate --workdir=runs/gym_rgbpose

Variants: rgbpose (default), rgb, pose. Videos are `<clip>.mp4`; name others by `data.video_name`.
Without `--frames` they are decoded as they are needed, which takes `data.video_root` in training.

Hardware: the reference trains on 8 GPUs, 12, 16 and 6 clips each; these are the batches here, over
all devices there are. Time: not measured here.
Expected mean class accuracy, 1 clip / 10 clips (the authors' slides; not yet repeated here): late
fusion 92.6 / 93.4, laterals from RGB to pose 93.0 / 93.7, from pose to RGB 93.4 / 93.8.
"""

from configs import gym
from posec3d_jax.config import base

MODALITIES = ("rgbpose", "rgb", "pose")
VARIANTS = (MODALITIES,)


def get_config(variant: str = ""):
    (modalities,) = base.parse_variant(variant, *VARIANTS)
    config = gym.get_config()
    base.set_modalities_recipe(config, modalities)
    config.name = f"gym_{modalities}"
    config.data.dir = "data/gym_rgbpose"
    return config
