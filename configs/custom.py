"""A template for a data set of your own: copy it, edit the lines marked EDIT.

  posec3d configs custom > my_data.py
  posec3d prepare  --config=my_data.py --config.data.source=<my_data.pkl>
  posec3d inspect  --config=my_data.py --out=runs/look      (pictures of clips: look first)
  posec3d train    --config=my_data.py:joint-small --workdir=runs/my_data
  posec3d evaluate --workdir=runs/my_data

Variants: joint (default), limb or both; slowonly (default), c3d_light or x3d_shallow; full (the
paper's size, for a GPU; default) or small (for a CPU); put together with '-', as in `:limb-small`.
Graph networks to compare with: stgcn, stgcnpp, aagcn, ctrgcn or msg3d, and their streams joint,
bone, joint_motion and bone_motion, as in `:bone-stgcnpp`.

The data is a pickle as PYSKL and mmaction2 read it, of plain containers and numpy arrays:

  {"split": {"train": ["clip_a", "clip_b"], "test": ["clip_c"]},
   "annotations": [{"frame_dir": "clip_a",       # the clip's name
                    "label": 0,                  # counts from 0
                    "total_frames": 80,
                    "img_shape": (1080, 1920),   # (height, width), pixels
                    "keypoint": array,           # [persons, 80, joints, 2], (x, y) in pixels
                    "keypoint_score": array}]}   # [persons, 80, joints], 0 to 1; may be left out

A joint that was not found is (0, 0). A bare list of annotations is one split called `all`.
Skeletons in 3-D ([..., 3] metres, y up; neither img_shape nor scores) are projected by
config.data.camera. Without pickles: data.format = "directory", one .npz or .json file a clip, see
posec3d_jax/data/readers/directory.py.
"""

from posec3d_jax.config import base, networks

VARIANTS = (networks.ALL_STREAMS, networks.ALL_NETWORKS, ("full", "small"))


def get_config(variant: str = ""):
    stream, network, size = base.parse_variant(variant, *VARIANTS)
    config = base.get_config()
    config.name = f"custom_{stream}_{network}"  # EDIT: names the runs
    base.set_variant(config, stream, network)

    # --- What is in the data ---------------------------------------------------------------------
    config.data.format = "pyskl"
    config.data.source = ""  # EDIT: the pickle, or give --config.data.source= to `prepare`
    config.data.dir = "data/custom"  # EDIT: where the prepared data set goes
    config.data.num_classes = 8  # EDIT
    config.data.class_names = ()  # EDIT: ("wave", "jump", ...) in order of label; () for numbers
    config.data.max_persons = 1  # EDIT: those with the highest scores are kept if there are more

    # EDIT: the splits, by their names in the file. Validation picks the checkpoint called 'best'
    # and stops nothing; if it is the test split, report the last checkpoint, not the best.
    config.data.train_split = "train"
    config.data.val_split = ""
    config.data.test_split = "test"

    # EDIT: the joints, in the order of the keypoint arrays. A common layout has a name and needs
    # no declaration: config.data.skeleton = "body_25"; see posec3d_jax/skeletons/layouts.py.
    # Limbs matter to limb volumes and to pictures; pairs to every mirrored view: a left or right
    # joint that is in no pair would keep its channel when the person is mirrored.
    base.declare_skeleton(
        config,
        name="stick_person_9",
        joints=(
            "head",
            "left_hand",
            "right_hand",
            "left_shoulder",
            "right_shoulder",
            "left_hip",
            "right_hip",
            "left_foot",
            "right_foot",
        ),
        limbs=(
            ("head", "left_shoulder"),
            ("head", "right_shoulder"),
            ("left_shoulder", "left_hand"),
            ("right_shoulder", "right_hand"),
            ("left_shoulder", "left_hip"),
            ("right_shoulder", "right_hip"),
            ("left_hip", "right_hip"),
            ("left_hip", "left_foot"),
            ("right_hip", "right_foot"),
        ),
        pairs=(
            ("left_hand", "right_hand"),
            ("left_shoulder", "right_shoulder"),
            ("left_hip", "right_hip"),
            ("left_foot", "right_foot"),
        ),
    )

    # --- How it is trained -----------------------------------------------------------------------
    # 48 frames of 56 x 56 and batches of 256 unless `small`: 24 frames of 32 x 32, width 16,
    # batches of 16. The learning rate follows the batch (and training says which it uses).
    if size == "small":
        base.set_small(config, frames=24, size=32, width=16)
        config.name += "_small"
    else:
        config.train.batch_size = 64
    # EDIT: aim at some thousand steps; one is batch_size clips. 24 epochs of 10 passes are the
    # published length for tens of thousands of clips.
    config.data.repeat = 10
    config.train.epochs = 24

    # Actions that differ by side (a left kick and a right kick) must not be mirrored:
    #   config.geometry.flip = 0.0
    #   config.sampling.test_flip = False
    # Where the person is in the frame, or how large, is part of the action: keep the whole frame:
    #   config.geometry.compact = False
    # Scores that mean little (a tracker's 0/1 flags): draw every joint alike:
    #   config.volume.use_score = False
    # Missing joints have a score all the same: do not draw what is at (0, 0):
    #   config.volume.drop_missing = True
    # Start from weights that are there (the stem and the head adapt to other joints and classes):
    #   config.init_from = "runs/ntu60_xsub_joint"
    return config
