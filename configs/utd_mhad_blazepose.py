"""UTD-MHAD, BlazePose-33 poses found in the depth video: the same clips and split as the Kinect's.

  posec3d prepare  --config=configs/utd_mhad_blazepose.py --config.data.source=<...stride3.npz>
  posec3d train    --config=configs/utd_mhad_blazepose.py --workdir=runs/utd_mhad_blazepose
  posec3d evaluate --workdir=runs/utd_mhad_blazepose

The 33 joints are reduced by name to COCO's 17: the rest are fingers, toes and face. Every third
frame was kept by whoever made the file, and about 3 % of the frames have no pose.
About a quarter of an hour on two CPU cores; its accuracy has not been measured yet.
"""

from configs import base


def get_config(stream: str = "joint"):
    config = base.get_config()
    base.set_stream(config, stream)
    config.name = f"utd_mhad_blazepose_{stream}"
    config.data.format = "utd_mhad_blazepose"
    config.data.dir = "data/utd_mhad_blazepose"
    config.data.skeleton = "blazepose_33"
    config.data.remap_to = "coco_17"
    config.data.num_classes = 27
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 1
    config.model = base.c3d_light()
    base.set_small(config, frames=24, size=32, width=16)
    config.data.repeat = 10
    config.train.epochs = 6
    return config
