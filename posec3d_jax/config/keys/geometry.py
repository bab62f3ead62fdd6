"""Keys of `noise`, `planes`, `augment` and `geometry`: what the device does to keypoints."""

from posec3d_jax.config.keys.key import BOTH, SEED, SIZE, TESTS, TRAINING, Key
from posec3d_jax.config.values import OneOf, Real, Several, Span, Text, Whole, YesNo

_MIRRORS = OneOf(("W-x", "W-1-x"))

NOISE = (
    Key(
        "noise.drop",
        0.0,
        Real(0, 1),
        BOTH,
        "Probability, per person and frame, that one of `noise.joints` goes missing. Damage, to "
        "study it: see posec3d_jax/encoders/noise.py.",
        earlier=0.0,
    ),
    Key(
        "noise.joints",
        (),
        Several(Text("a joint's name")),
        BOTH,
        "() for all elbows, wrists, knees and ankles.",
        earlier=(),
    ),
    Key(
        "noise.jitter",
        0.0,
        Real(0, 1),
        BOTH,
        "Standard deviation of x and y, as a share of the clip's longer side.",
        earlier=0.0,
    ),
    Key(
        "noise.offset",
        0.0,
        Real(0, 1),
        BOTH,
        "The same of a shift that a joint keeps throughout the clip.",
        earlier=0.0,
    ),
    Key("noise.score", 0.0, Real(0, 10), BOTH, "Standard deviation of the scores.", earlier=0.0),
    Key("noise.in_training", False, YesNo(), TRAINING, "Do it in training.", earlier=False),
    Key(
        "noise.in_test",
        True,
        YesNo(),
        TESTS,
        "Do it in tests; never in `posec3d predict`.",
        earlier=True,
    ),
    Key(
        "noise.seed",
        0,
        Whole(*SEED),
        TESTS,
        "Of the noise in tests, which is the same for every network.",
        earlier=0,
    ),
)

_ONCE = "in training, alike for all frames of a clip."
AUGMENT = (
    Key(
        "augment.turn",
        0.0,
        Real(0, 180),
        TRAINING,
        f"Degrees by which the picture is turned at most, {_ONCE}",
        earlier=0.0,
    ),
    Key(
        "augment.stretch",
        0.0,
        Real(0, 10),
        TRAINING,
        f"x and y are each multiplied by up to 1 + this, or divided by as much, {_ONCE}",
        earlier=0.0,
    ),
    Key(
        "augment.shear",
        0.0,
        Real(0, 10),
        TRAINING,
        f"x changes by up to this times y, {_ONCE}",
        earlier=0.0,
    ),
    Key(
        "augment.shift",
        0.0,
        Real(0, 10),
        TRAINING,
        f"x and y move by up to this share of the box around the persons, {_ONCE}",
        earlier=0.0,
    ),
)

PLANES = (
    Key(
        "planes.shown",
        ("front", "side", "top"),
        Several(OneOf(("front", "side", "top"))),
        BOTH,
        "Of data with `data.planes`: what the network sees. Graph networks get x, y and z instead, "
        "or with 'front' alone x and y.",
        earlier=("front", "side", "top"),
    ),
    Key(
        "planes.yaw",
        0.0,
        Real(0, 180),
        TRAINING,
        "Degrees by which skeletons are turned about the vertical at most, in training.",
        earlier=0.0,
    ),
    Key("planes.pitch", 0.0, Real(0, 180), TRAINING, "The same of tilting.", earlier=0.0),
    Key(
        "planes.facing",
        False,
        YesNo(),
        BOTH,
        "Turn each clip first so that the line from right to left joints, on the whole, lies along "
        "x: the person's own frame of reference.",
        earlier=False,
    ),
)

GEOMETRY = (
    Key(
        "geometry.compact",
        True,
        YesNo(),
        BOTH,
        "Crop to the persons. Of `geometry`, encoder 'graph' heeds only `flip`.",
    ),
    Key("geometry.padding", 0.25, Real(0, 100), BOTH, "Of that crop, relative to its size."),
    Key(
        "geometry.threshold",
        10.0,
        Real(0, 1e6),
        BOTH,
        "Pixels; smaller crops leave the clip as it is.",
    ),
    Key(
        "geometry.hw_ratio",
        1.0,
        Real(0, 100),
        BOTH,
        "Height / width that the crop is grown to; 0 leaves it.",
    ),
    Key(
        "geometry.allow_imgpad",
        True,
        YesNo(),
        BOTH,
        "The crop may leave the frame (PYSKL's name for it); False cuts it there.",
        earlier=True,
    ),
    Key(
        "geometry.missing",
        "coordinate",
        OneOf(("coordinate", "joint")),
        BOTH,
        "Which zeros crop and flip leave alone: x and y each for itself, as PYSKL and mmaction2 "
        "do, or only where both are zero.",
        earlier="coordinate",
    ),
    Key(
        "geometry.train_resize",
        64,
        Whole(0, SIZE[1]),
        TRAINING,
        "Short side before the random crop; 0 for none.",
    ),
    Key(
        "geometry.test_resize",
        "square",
        OneOf(("square", "center_crop")),
        BOTH,
        "How a test clip gets its size: squeezed (PYSKL), or cut out of the middle (mmaction2's "
        "NTU60).",
    ),
    Key(
        "geometry.crop_area",
        (0.56, 1.0),
        Span(Real(1e-6, 1)),
        TRAINING,
        "Share of the random resized crop; (1.0, 1.0) turns it off.",
    ),
    Key(
        "geometry.crop_aspect",
        (0.75, 4 / 3),
        Span(Real(1e-3, 1e3)),
        TRAINING,
        "Its width / height.",
    ),
    Key("geometry.flip", 0.5, Real(0, 1), TRAINING, "Probability of a horizontal flip."),
    Key(
        "geometry.train_mirror",
        "W-x",
        _MIRRORS,
        TRAINING,
        "Where that flip sends column x of W; the default is PYSKL's and mmaction2's.",
        earlier="W-x",
    ),
    Key(
        "geometry.test_mirror",
        "W-1-x",
        _MIRRORS,
        TESTS,
        "The same for the mirrored views of a test.",
        earlier="W-1-x",
    ),
)

KEYS = (*NOISE, *PLANES, *AUGMENT, *GEOMETRY)
