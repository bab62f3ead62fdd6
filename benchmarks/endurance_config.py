"""A run of seconds that saves after every third step, for benchmarks/endurance.py and the tests.

posec3d prepare --config=benchmarks/endurance_config.py --config.data.dir=DIR
"""

from posec3d_jax.config import base, networks


def get_config():
    config = base.get_config()
    config.name = "endurance"
    config.data.format = "simulated"
    with config.ignore_type():
        config.data.reader_options = {"num_clips": 40}
    config.data.dir = "data/endurance"
    config.data.storage, config.data.loader = "pack", "threads"
    config.data.num_classes = 20
    config.data.test_split = "test"
    config.data.repeat = 1
    config.sampling.num_frames, config.sampling.test_clips = 4, 2
    config.volume.train_size = config.volume.test_size = (16, 16)
    config.model = networks.c3d_light(width=4)
    config.train.batch_size = 12  # 30 clips to train on: an epoch is three steps
    config.train.epochs = 60
    config.train.log_every = 1
    config.train.validate_every = 10
    config.optimizer.learning_rate = 0.2
    return config
