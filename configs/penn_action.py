"""Penn Action: 2,326 clips of 15 sports actions, 13 joints, official split.

  posec3d prepare  --config=configs/penn_action.py --config.data.source=<Penn_Action/labels>
  posec3d train    --config=configs/penn_action.py:joint --workdir=runs/penn_action_joint
  posec3d evaluate --config=configs/penn_action.py:joint --workdir=runs/penn_action_joint
  (and the same with :limb)

A size that a CPU trains in about an hour a stream on one core: C3D-light of width 16, 32 frames of
32 x 32. `:joint-slowonly` is Pose-SlowOnly at 24 frames of 28 x 28.
"""

from configs import base

NETWORKS = ("c3d_light", "slowonly")


def get_config(variant: str = "joint"):
    stream, network = base.parse_variant(variant, base.STREAMS, NETWORKS)
    config = base.get_config()
    base.set_stream(config, stream)
    config.name = f"penn_action_{stream}"
    config.data.format = "penn_action"
    config.data.dir = "data/penn_action"
    config.data.skeleton = "penn_13"
    config.data.num_classes = 15
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 1
    base.set_network(config, network)
    if network == "c3d_light":
        base.set_small(config, frames=32, size=32, width=16)
        config.train.epochs = 36
    else:
        config.name += "_slowonly"
        base.set_small(config, frames=24, size=28, width=16)
        config.train.epochs = 28
    config.data.repeat = 1
    config.train.checkpoint_every = 4
    return config
