"""UT-Interaction: 120 video clips of 6 interactions of two persons; poses are extracted first.

  python -m experiments.video_labels ut_interaction <labels.csv> --out=labels.csv
  posec3d extract <clips> --out=skeletons/ut_interaction_lightning --estimator=lightning --every=3 \
      --labels=labels.csv
  posec3d prepare  --config=configs/ut_interaction.py
  posec3d train    --config=configs/ut_interaction.py --workdir=runs/ut_interaction
  posec3d evaluate --workdir=runs/ut_interaction

Variants: joint (default), limb or both; c3d_light (default) or slowonly. Splits: sequences
(default; 72 clips train, 36 test), or scenes (the parking lot trains, the lawn tests; 60 each). The
same people may be on both sides of either.

The clips were cut around the action, so that their shape and length alone name many of them: the
square crop around the people and a fixed number of frames, both of which are defaults, hide both.
Recipe: `base.set_few_clips`. No accuracy has been measured yet; experiments/studies/interactions.py
does.
"""

from posec3d_jax.config import base, networks

SPLITS = {  # trained on, tested on; the first also has 12 clips of 'sequences_val', left alone here
    "sequences": ("sequences_train", "sequences_test"),
    "scenes": ("parking_lot", "lawn"),
}
VARIANTS = (networks.STREAMS, ("c3d_light", "slowonly"), tuple(SPLITS))


def get_config(variant: str = ""):
    stream, network, split = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    base.set_variant(config, stream, network)
    config.name = f"ut_interaction_{split}_{stream}" + f"_{network}" * (network != "c3d_light")
    config.data.format = "directory"
    config.data.source = "skeletons/ut_interaction_lightning"
    config.data.dir = "data/ut_interaction_lightning"
    config.data.skeleton = "coco_17"
    config.data.num_classes = 6
    config.data.train_split, config.data.test_split = SPLITS[split]
    config.data.val_split = ""  # nothing is chosen: the last checkpoint is reported
    config.data.max_persons = 2
    base.set_small(config, frames=16, size=24, width=16)
    base.set_few_clips(config)
    config.data.repeat = 10
    config.train.epochs = 6
    return config
