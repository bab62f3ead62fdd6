"""The built-in data set: 20 simulated actions, held-out performers and viewpoints.

  make demo

does all of it (prepare, train, evaluate, report) on two CPU cores in under ten minutes.
"""

from configs import base


def get_config(stream: str = "joint"):
    config = base.get_config()
    base.set_stream(config, stream)
    config.name = f"demo_{stream}"
    config.data.format = "simulated"
    config.data.dir = "data/demo"
    config.data.num_classes = 20
    config.data.val_split = "val"
    config.data.test_split = "test"
    base.set_small(config, frames=16, size=24, width=16, stage_blocks=(2, 2, 1))
    config.data.repeat = 1
    config.train.epochs = 13
    config.train.validate_every = 4
    return config
