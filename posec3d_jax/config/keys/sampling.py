"""Keys of `sampling`, `encoder`, `graph` and `volume`: what the network sees of a clip."""

from posec3d_jax.config.keys.key import BOTH, SEED, SIZE, TESTS, TRAINING, Key
from posec3d_jax.config.values import OneOf, Real, Several, Whole, YesNo

GRAPH_STREAMS = ("joint", "bone", "joint_motion", "bone_motion", "all")
_SIZE = Several(Whole(*SIZE), 2, square=True)

KEYS = (
    Key(
        "sampling.method",
        "uniform",
        OneOf(("uniform", "stride", "spread")),
        BOTH,
        "Which frames: one of each of `num_frames` equal parts, at random (short clips go round); "
        "consecutive ones, `stride` apart; or, 'spread', equally spaced ones from the clip's start "
        "to its end, however short it is.",
    ),
    Key("sampling.num_frames", 48, Whole(*SIZE), BOTH, "Frames that the network sees, T."),
    Key("sampling.stride", 2, Whole(*SIZE), BOTH, "Of method 'stride' only."),
    Key(
        "sampling.share",
        1.0,
        Real(0.01, 1),
        TRAINING,
        "Of method 'spread': the least part of a clip that a training sample spans; how much and "
        "which is drawn.",
        earlier=1.0,
    ),
    Key(
        "sampling.warp",
        0.0,
        Real(0, 0.9),
        TRAINING,
        "Of method 'spread': how unevenly time may pass in a training sample; 0.5 lets the "
        "speed vary by up to half.",
        earlier=0.0,
    ),
    Key(
        "sampling.reference",
        "pyskl",
        OneOf(("pyskl", "mmaction2")),
        BOTH,
        "Whose seeded test clips to reproduce.",
    ),
    Key("sampling.test_seed", 255, Whole(*SEED), BOTH, "Of the frames of test clips."),
    Key("sampling.test_clips", 10, Whole(*SIZE), TESTS, "Clips of the multi-view protocol."),
    Key(
        "sampling.test_flip",
        True,
        YesNo(),
        TESTS,
        "That protocol sees each also mirrored: volumes yes, graph networks no.",
        earlier=True,
    ),
    Key(
        "encoder",
        "volume",
        OneOf(("volume", "graph", "rgb", "rgbpose")),
        BOTH,
        "What the network is shown: heatmap volumes (3-D CNNs), joints (graph networks), RGB "
        "frames cropped to the persons, or frames and volumes.",
        earlier="volume",
    ),
    Key(
        "graph.stream",
        "joint",
        OneOf(GRAPH_STREAMS),
        BOTH,
        "What graph networks get of each joint: (x, y, score), x and y -1 to 1 across the frame; "
        "or the difference to its parent; or of either the change to the next frame; or 'all': "
        "joints, bones, and the joints' change from one of the network's frames to the next.",
        earlier="joint",
    ),
    Key(
        "graph.frame",
        "picture",
        OneOf(("picture", "person")),
        BOTH,
        "What x and y are -1 to 1 across: the picture, as in PYSKL, or the box around the persons "
        "of the clip.",
        earlier="picture",
    ),
    Key(
        "graph.threshold",
        0.01,
        Real(0, 1),
        BOTH,
        "Joints with scores up to this are put into the middle, as PYSKL does.",
        earlier=0.01,
    ),
    Key(
        "graph.use_score",
        True,
        YesNo(),
        BOTH,
        "False: the third channel only says which joints there are.",
        earlier=True,
    ),
    Key("rgb.num_frames", 8, Whole(*SIZE), BOTH, "RGB frames of a clip.", earlier=8),
    Key(
        "rgb.train_resize",
        (256, 256),
        _SIZE,
        TRAINING,
        "What the persons' box is resized to before the random crop.",
        earlier=(256, 256),
    ),
    Key(
        "rgb.train_size",
        (224, 224),
        _SIZE,
        TRAINING,
        "Height and width of frames in training.",
        earlier=(224, 224),
    ),
    Key(
        "rgb.test_size",
        (224, 224),
        _SIZE,
        BOTH,
        "The same in validation and tests.",
        earlier=(224, 224),
    ),
    Key("volume.keypoints", True, YesNo(), BOTH, "Draw joint channels. For encoder 'volume' only."),
    Key("volume.limbs", False, YesNo(), BOTH, "Draw limb channels; with both, joints come first."),
    Key("volume.sigma", 0.6, Real(1e-3, 1e3), BOTH, "Of the gaussians, pixels of the volume."),
    Key("volume.use_score", True, YesNo(), BOTH, "Scale each gaussian by the detector's score."),
    Key(
        "volume.drop_missing",
        False,
        YesNo(),
        BOTH,
        "True: joints at exactly (0, 0) are never drawn.",
    ),
    Key(
        "volume.epsilon",
        1e-3,
        Real(0, 1),
        BOTH,
        "Scores below are not drawn (PYSKL 1e-3, mmaction2 1e-4).",
    ),
    Key(
        "volume.short_limb",
        "start",
        OneOf(("start", "lower")),
        BOTH,
        "A limb under 1 pixel is a blob with the score of its first joint, as PYSKL and mmaction2 "
        "draw it, or with the lower of both, as longer limbs have.",
        earlier="start",
    ),
    Key("volume.train_size", (56, 56), _SIZE, TRAINING, "Height and width in training."),
    Key("volume.test_size", (64, 64), _SIZE, BOTH, "The same in validation and tests."),
)
