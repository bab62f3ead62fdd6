"""A data set and a network small enough for tests."""

from pathlib import Path

from posec3d_jax.config import base, networks
from posec3d_jax.prepare import prepare


def tiny_network():
    """A SlowOnly of one block: stem, bottleneck, head."""
    stages = dict(stage_blocks=(1,), inflate=(1,), temporal_strides=(2,))
    return networks.slowonly(width=4, **stages, dropout=0.2)


def tiny_config(folder: Path):
    """A few steps of a very narrow SlowOnly on 100 simulated clips, prepared below `folder`."""
    config = base.get_config()
    config.name = "tiny"
    config.data.format = "simulated"
    with config.ignore_type():
        config.data.reader_options = {"num_clips": 100}
    config.data.dir = str(folder / "simulated")
    config.data.storage = "pack"
    config.data.loader = "threads"
    config.data.num_classes = 20
    config.data.test_split = "test"
    config.data.repeat = 1
    config.sampling.num_frames = 6
    config.sampling.test_clips = 2
    config.volume.train_size = config.volume.test_size = (16, 16)
    config.model = tiny_network()
    config.train.batch_size = 12
    config.train.epochs = 2
    config.train.log_every = 1
    if not (folder / "simulated").exists():
        prepare(config.data, progress=lambda line: None)
    return config
