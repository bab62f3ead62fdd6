"""A template for a data set of your own: copy it, edit the lines marked EDIT.

  posec3d configs custom > my_data.py
  posec3d prepare  --config=my_data.py --config.data.source=<my_data.pkl>
  posec3d inspect  --config=my_data.py --out=runs/look      (pictures of clips: look first)
  posec3d train    --config=my_data.py --workdir=runs/my_data
  posec3d evaluate --workdir=runs/my_data

Variants, put together with '-', as in `:limb`, `:stgcnpp` or `:bone-stgcnpp-published`:
  networks   of heatmap volumes c3d_light (default), slowonly or x3d_shallow; graph networks
             stgcnpp, stgcn, aagcn, ctrgcn or msg3d
  streams    of volumes joint (default), limb or both; of graph networks joint, bone, joint_motion,
             bone_motion or all (default)
  recipes    own (default): for some hundred to some thousand clips, on a CPU (docs/recipes.md);
             published: the network's published recipe and size, for tens of thousands and a GPU

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

from posec3d_jax.config import base, networks, recipes

VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS, ("own", "published"))


def get_config(variant: str = ""):
    streams, names, words = VARIANTS
    stream, network, recipe = base.parse_variant(variant, ("", *streams), ("", *names), words)
    config = base.get_config()
    config.name = "_".join(filter(None, ("custom", stream, network)))  # EDIT: names the runs

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
    # The own recipe: 60 passes over the clips (of graph networks 80); thousands of clips need
    # fewer, passes=20. The published one: 24 epochs of 10 passes over tens of thousands of clips.
    if recipe == "own":
        recipes.set_own_data(config, network, stream)
    else:
        base.set_variant(config, stream or "joint", network or "c3d_light")
        config.data.repeat, config.train.epochs = 10, 24
        config.train.batch_size = 64

    # The own recipe does not mirror, since most people are right-handed and actions may differ by
    # side. Where they do not, mirrored clips are more clips:
    #   config.geometry.flip = 0.5
    #   config.sampling.test_flip = True
    # Where the person is in the frame, or how large, is part of the action: keep the whole frame,
    # of graph networks by the first line, of volumes by the second:
    #   config.graph.frame = "picture"
    #   config.geometry.compact = False
    # Where an action's pace or an angle in the picture matters, such as lying and standing:
    #   config.sampling.update(share=1.0, warp=0.0)
    #   config.augment.turn = 5.0
    # Scores that say how well a joint was seen: draw what is uncertain fainter (the own recipe of
    # volumes draws every joint alike):
    #   config.volume.use_score = True
    # Start from weights that are there (the stem and the head adapt to other joints and classes):
    #   config.init_from = "runs/ntu60_xsub_joint"
    return config
