"""Volleyball: 8 group activities of up to 13 persons, one volume for all of them.

  posec3d prepare  --config=configs/volleyball.py --config.data.source=<your pickle>
  posec3d train    --config=configs/volleyball.py:joint --workdir=runs/volleyball_joint
  posec3d evaluate --workdir=runs/volleyball_joint

The paper's group recognition: all persons are drawn into the same channels, so the network and its
cost do not depend on their number. No annotation file was published. Expected
is PYSKL's format (see configs/custom.py): the poses, COCO-17, of 13 persons in 20 frames around
the labelled one, splits `train` and `test`, labels in the order of the class names below.

Variants: joint (default), limb or both; slowonly (default), c3d_light or x3d_shallow; put together
with '-', as in `:limb-c3d_light`. Graph networks with their own streams, as in `:joint-msg3d`, see
all 20 frames of each of the 13 persons. Left and right are part of the label, so that nothing is
mirrored, neither in training nor in testing.

Sizes: 12 frames of 56 x 56 and base width 16, which were not checked against the paper's text, but
give 0.51 M parameters and 1.63 G multiply-adds at the test size of 64 x 64 (published: 0.52 M,
1.6 G). The published training recipe is not known; this one is NTU60's, with batches of 64 for the
3,493 training clips.
Hardware: one GPU. Time: not measured here.
Expected top-1: 91.3 (the first author's CVPR 2022 tutorial, slide 20; protocol not stated, not yet
repeated here).
"""

from posec3d_jax.config import base, networks
from posec3d_jax.skeletons.class_names import CLASS_NAMES

VARIANTS = (networks.ALL_STREAMS, networks.ALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"volleyball_{stream}_{network}"
    base.set_variant(config, stream, network)
    if network == "slowonly":
        config.model.width = 16
    config.data.dir = "data/volleyball"
    config.data.max_persons = 13
    config.data.num_classes = 8
    config.data.class_names = CLASS_NAMES["volleyball"]
    config.data.val_split = config.data.test_split = "test"
    config.sampling.num_frames = 20 if network in networks.GRAPH_NETWORKS else 12
    config.sampling.test_flip = False
    config.geometry.flip = 0.0
    config.train.batch_size = 64
    return config
