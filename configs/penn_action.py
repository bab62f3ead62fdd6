"""Penn Action: 2,326 clips of 15 sports actions, 13 joints, official split.

  posec3d prepare  --config=configs/penn_action.py --config.data.source=<Penn_Action/labels>
  posec3d train    --config=configs/penn_action.py:joint --workdir=runs/penn_action_joint
  posec3d evaluate --config=configs/penn_action.py:joint --workdir=runs/penn_action_joint
  (and the same with :limb)

Variants: joint (default), limb or both; any network, as in `:joint-slowonly`; graph networks with
their own streams, as in `:bone-stgcnpp` (see configs/ntu60_xsub.py; not measured yet).

Small enough for a CPU, about an hour of one core a stream: width 16, 32 frames of 32 x 32.
Accuracy, one seed: joint 98.4, limb 97.5, fused 98.6 (results/penn_action_*.json).
"""

from posec3d_jax.config import base, networks

VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    base.set_variant(config, stream, network)
    config.name = f"penn_action_{stream}" + f"_{network}" * (network != "c3d_light")
    config.data.format = "penn_action"
    config.data.dir = "data/penn_action"
    config.data.skeleton = "penn_13"
    config.data.num_classes = 15
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 1
    base.set_small(config, frames=32, size=32, width=16)
    config.data.repeat = 1
    config.train.epochs = 36
    config.train.checkpoint_every = 4
    return config
