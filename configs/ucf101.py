"""UCF101: 101 classes, HRNet's 2-D poses (COCO-17), fine-tuned from Kinetics-400, PYSKL's recipe.

  posec3d prepare  --config=configs/ucf101.py --config.data.source=<ucf101_hrnet.pkl>
  posec3d train    --config=configs/ucf101.py:split1 --workdir=runs/ucf101_split1
  posec3d evaluate --workdir=runs/ucf101_split1

Training starts from a run of configs/k400.py with the same stream and network, in
runs/k400_joint_346 for the default variant; `--config.init_from=` names another one (a
working directory or a checkpoint), or '' to start from scratch.

Variants: joint (default, the only published one), limb or both; slowonly (default), c3d_light or
x3d_shallow; split1 (default), split2 or split3; put together with '-', as in `:limb-split2`.

Hardware: the reference trains on 8 GPUs, 16 clips each; see configs/ntu60_xsub.py, also for the
note on BatchNorm. Time: not measured here.
Expected top-1, 10 clips x flip, split 1, SlowOnly joint: 86.9 (PYSKL's README; not yet repeated
here). mmaction2 reports 86.8.
"""

from posec3d_jax.config import base, networks
from posec3d_jax.skeletons.class_names import CLASS_NAMES

VARIANTS = (networks.STREAMS, networks.NETWORKS, ("split1", "split2", "split3"))


def get_config(variant: str = ""):
    stream, network, split = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"ucf101_{stream}_{network}_{split}"
    base.set_stream(config, stream)
    if network == "slowonly":
        base.set_network(config, network, stage_blocks=(3, 4, 6))
    else:
        base.set_network(config, network)
    config.data.dir = "data/ucf101"
    config.data.keypoint_dtype = "float16"  # as the published file
    config.data.max_persons = 10  # the reference draws all; `prepare` counts what this cuts
    config.data.num_classes = 101
    config.data.class_names = CLASS_NAMES["ucf101"]
    config.data.train_split = split.replace("split", "train")
    config.data.val_split = config.data.test_split = split.replace("split", "test")
    config.volume.train_size = (48, 48)
    config.volume.test_size = (56, 56)
    config.train.batch_size = 128
    config.train.epochs = 12
    config.init_from = f"runs/k400_{stream}_{network.replace('slowonly', '346')}"
    config.optimizer.learning_rate = 0.01
    config.optimizer.reference_batch = 128
    config.optimizer.schedule = "step"
    config.optimizer.step_epochs = (9, 11)
    return config
