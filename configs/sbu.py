"""SBU Kinect Interaction: 282 clips of 8 interactions of two persons, five folds by pair.

  posec3d prepare --config=configs/sbu.py --config.data.source=<SBU>
  python -m experiments.cross_validate --config=configs/sbu.py --folds=1,2,3,4,5 \
      --workdir=runs/sbu --record=results/sbu_joint.json

A variant is stream and fold: `configs/sbu.py:joint-fold3`. The third coordinate is dropped.
Some minutes a fold on one CPU core. Accuracy, one seed, mean of the folds: 92.6
(results/sbu_joint.json); for an SVM see results/baselines/svm.json.
"""

from posec3d_jax.config import base, networks


def get_config(variant: str = "joint-fold1"):
    stream, _, fold = variant.partition("-")
    if fold not in {f"fold{n}" for n in range(1, 6)}:
        raise ValueError(
            f"unknown variant {variant!r}; expected like 'joint-fold1' to 'joint-fold5'"
        )
    config = base.get_config()
    base.set_stream(config, stream)
    config.name = f"sbu_{stream}_{fold}"
    config.data.format = "sbu"
    config.data.dir = "data/sbu"
    config.data.skeleton = "sbu_15"
    config.data.num_classes = 8
    config.data.train_split = f"{fold}_train"
    config.data.val_split = ""  # the test split chooses nothing: the last checkpoint is reported
    config.data.test_split = f"{fold}_test"
    config.model = networks.c3d_light()
    base.set_small(config, frames=16, size=24, width=16)
    config.data.repeat = 10
    config.train.epochs = 3
    return config
