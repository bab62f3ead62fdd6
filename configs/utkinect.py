"""UTKinect-Action3D: 199 clips of 10 actions, subjects 1 to 5 train, 6 to 10 test.

  posec3d prepare  --config=configs/utkinect.py --config.data.source=<joints>
  posec3d train    --config=configs/utkinect.py --workdir=runs/utkinect
  posec3d evaluate --workdir=runs/utkinect

Variants: joint (default), limb or both; any network, as in `:joint-slowonly`; graph networks with
their own streams, as in `:bone-stgcnpp` (see configs/ntu60_xsub.py; not measured yet).

Too small for an accuracy of its own: it is here for studies across data sets, with NW-UCLA.
A few minutes on one CPU core.
"""

from posec3d_jax.config import base, networks

VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    base.set_variant(config, stream, network)
    config.name = f"utkinect_{stream}" + f"_{network}" * (network != "c3d_light")
    config.data.format = "utkinect"
    config.data.dir = "data/utkinect"
    config.data.skeleton = "kinect_20"
    config.data.num_classes = 10
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 1
    base.set_small(config, frames=16, size=24, width=16)
    config.data.repeat = 10
    config.train.epochs = 8
    return config
