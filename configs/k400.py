"""Kinetics-400: 400 classes, HRNet's 2-D poses in compressed packs, PYSKL's recipe.

  posec3d prepare  --config=configs/k400.py --config.data.source=<k400_hrnet.pkl> \\
                   --config.data.reader_options.skeleton_dir=<folder of the packs>
  posec3d train    --config=configs/k400.py:joint --workdir=runs/k400_joint_346
  posec3d evaluate --workdir=runs/k400_joint_346
  (and the same with :limb; `posec3d fuse` adds the two up)

The annotation file only points to the poses. `skeleton_dir` holds PYSKL's files of many clips, or
mmaction2's of one clip each; posec3d_jax/data/readers/pyskl.py says how they are found. `prepare`
unpacks the poses once, where the references unpack them in every epoch; no memcached is needed.

Variants: joint (default), limb or both; 346 (default) and 463, SlowOnly with so many blocks in its
three stages, c3d_light or x3d_shallow; put together with '-', as in `:limb-463`.

Hardware, and the note on BatchNorm: see configs/ntu60_xsub.py. Time: not measured here. The clips
stay on disk (data.in_memory=False): in memory they would take tens of gigabytes.
Expected top-1, 10 clips x flip, joint / limb / fused 1:1 (PYSKL's README; not yet repeated here):
  346          47.3 / 46.9 / 49.1   (mmaction2: joint 47.4)
  463          46.6 / 45.7 / 47.7
"""

from ml_collections import ConfigDict

from posec3d_jax.config import base, networks

VARIANTS = (networks.STREAMS, ("346", "463", "c3d_light", "x3d_shallow"))


def get_config(variant: str = ""):
    stream, network = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"k400_{stream}_{network}"
    base.set_stream(config, stream)
    if network in networks.NETWORKS:
        base.set_network(config, network)
    else:
        base.set_network(config, "slowonly", stage_blocks=tuple(map(int, network)))
    config.data.dir = "data/k400"
    config.data.in_memory = False
    config.data.keypoint_dtype = "float16"  # as the published file
    config.data.max_persons = 10
    config.data.num_classes = 400
    config.data.train_split = "train"
    config.data.val_split = config.data.test_split = "val"
    config.data.reader_options = ConfigDict(
        dict(
            skeleton_dir="",
            squeeze=True,  # frames without anybody are left out
            max_person=10,
            box_thr=0.5,  # without effect, here and in the reference, unless valid_ratio > 0
            valid_ratio=0.0,
        )
    ).lock()
    config.optimizer.weight_decay = 1e-4
    return config
