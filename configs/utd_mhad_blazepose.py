"""UTD-MHAD, BlazePose-33 poses found in the depth video: the same clips and split as the Kinect's.

  posec3d prepare  --config=configs/utd_mhad_blazepose.py --config.data.source=<...stride3.npz>
  posec3d train    --config=configs/utd_mhad_blazepose.py --workdir=runs/utd_mhad_blazepose
  posec3d evaluate --workdir=runs/utd_mhad_blazepose

Variants: joint (default), limb or both; any network, as in `:joint-slowonly`; graph networks with
their own streams, as in `:bone-stgcnpp` (see configs/ntu60_xsub.py; not measured yet). Recipe:
few_clips (default; `base.set_few_clips`, and no mirror images), published, or own, which is
`recipes.set_own_data`, as in `:all-stgcnpp-own` and `:c3d_light-own`.

The 33 joints are reduced by name to COCO's 17: the rest are fingers, toes and face. The file
has every third frame, and about 3 % of its frames have no pose.
Half an hour on one CPU core. Accuracy, one seed: 82.8 (results/utd_mhad_blazepose_joint.json), by
the published recipe 77.0; for an SVM see results/baselines/svm.json.
"""

from posec3d_jax.config import base, networks, recipes

RECIPES = ("few_clips", "own", "published")
VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS, RECIPES)


def get_config(variant: str = ""):
    stream, network, recipe = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    base.set_variant(config, stream, network)
    config.name = f"utd_mhad_blazepose_{stream}" + f"_{network}" * (network != "c3d_light")
    config.data.format = "utd_mhad_blazepose"
    config.data.dir = "data/utd_mhad_blazepose"
    config.data.skeleton = "blazepose_33"
    config.data.remap_to = "coco_17"
    config.data.num_classes = 27
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 1
    if recipe == "own":
        recipes.set_own_data(config, network, stream)
        return config
    base.set_small(config, frames=16, size=32, width=16)
    if recipe == "few_clips":
        base.set_few_clips(config)
        config.geometry.flip = 0.0  # everybody is right-handed: mirror images mislead,
        config.sampling.test_flip = False  # in tests too
    config.data.repeat = 10
    config.train.epochs = 6
    return config
