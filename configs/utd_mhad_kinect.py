"""UTD-MHAD, Kinect skeletons: 861 clips of 27 actions, odd subjects train, even ones test.

  posec3d prepare  --config=configs/utd_mhad_kinect.py --config.data.source=<Skeleton>
  posec3d train    --config=configs/utd_mhad_kinect.py --workdir=runs/utd_mhad_kinect
  posec3d evaluate --workdir=runs/utd_mhad_kinect

Variants: joint (default), limb or both; any network, as in `:joint-slowonly`; graph networks with
their own streams, as in `:bone-stgcnpp` (see configs/ntu60_xsub.py; not measured yet). Recipe:
few_clips (default; `base.set_few_clips`, and no mirror images), published, or own, which is
`recipes.set_own_data`, as in `:all-stgcnpp-own` and `:c3d_light-own`.

The 3-D joints are projected to 2-D by a virtual camera in front of the person, so depth is lost;
results of networks that see depth do not compare directly. 45 minutes on one slow CPU core.
Accuracy, one seed: 80.9 (results/utd_mhad_kinect_joint.json), by the published recipe 77.9, and
88.8 by `:all-stgcnpp-own` (results/utd_mhad_kinect_own.json, a quarter of an hour);
for an SVM see results/baselines/svm.json.
"""

from posec3d_jax.config import base, networks, recipes

RECIPES = ("few_clips", "own", "published")
VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS, RECIPES)


def get_config(variant: str = ""):
    stream, network, recipe = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    base.set_variant(config, stream, network)
    config.name = f"utd_mhad_kinect_{stream}" + f"_{network}" * (network != "c3d_light")
    config.data.format = "utd_mhad_kinect"
    config.data.dir = "data/utd_mhad_kinect"
    config.data.skeleton = "kinect_20_utd"
    config.data.num_classes = 27
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 1
    if recipe == "own":
        recipes.set_own_data(config, network, stream)
        return config
    base.set_small(config, frames=24, size=32, width=16)
    if recipe == "few_clips":
        base.set_few_clips(config)
        config.geometry.flip = 0.0  # everybody is right-handed: mirror images mislead,
        config.sampling.test_flip = False  # in tests too
    config.data.repeat = 10
    config.train.epochs = 6
    return config
