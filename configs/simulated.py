"""The model in the package: all twenty simulated actions, trained to be given away.

  posec3d prepare --config=configs/simulated.py
  posec3d train   --config=configs/simulated.py --workdir=runs/simulated

takes about 40 minutes of one CPU core. Forty populations of performers, all the viewpoints but
those of `val`; `test_performers` and `test` show people that training does not, `val` viewpoints
too.
"""

from posec3d_jax.config import base, networks

POPULATIONS = 40  # 3,000 training performers, each with a manner of their own for every action


def get_config(stream: str = "joint"):
    config = base.get_config()
    base.set_stream(config, stream)
    config.name = f"simulated_{stream}"
    config.data.format = "simulated"
    config.data.dir = "data/simulated"
    config.data.storage, config.data.loader = "pack", "threads"
    config.data.keypoint_dtype = "float16"
    with config.ignore_type():
        config.data.reader_options = {"num_clips": 30000, "populations": POPULATIONS}
    config.data.num_classes = 20
    config.data.train_split = "train+test_views"  # the same people, from the test's viewpoints
    config.data.val_split = "val"
    config.data.test_split = "test_performers+test"
    config.data.repeat = 1
    # Two passes over so many people leave nothing to fit by heart: no dropout, mild crops, and
    # small batches, for the number of steps is what a short training lacks.
    config.model = networks.c3d_light(dropout=0.0)
    base.set_small(config, frames=16, size=24, width=16)
    config.geometry.crop_area, config.geometry.crop_aspect = (0.7, 1.0), (0.8, 1.25)
    config.train.batch_size = 16
    config.train.epochs = 2
    return config
