"""Keys of `data`: what the clips are, and where they are."""

from posec3d_jax.config.keys.key import BOTH, COUNT, NOTHING, SIZE, TESTS, TRAINING, Key
from posec3d_jax.config.values import (
    OneOf,
    Real,
    Several,
    Text,
    Whole,
    YesNo,
    groups,
    layout,
    options,
)

# The readers, see posec3d_jax/data/readers/__init__.py.
FORMATS = (
    *("pyskl", "penn_action", "utd_mhad_kinect", "utd_mhad_blazepose", "nw_ucla", "utkinect"),
    *("sbu", "directory", "openpose", "coco_results", "mmpose", "alphapose", "ultralytics"),
    *("mediapipe", "deeplabcut", "sleap", "simulated", "ntu_rgbd"),
)

KEYS = (
    Key("data.format", "pyskl", OneOf(FORMATS), BOTH, "The reader of the annotations."),
    Key("data.source", "", Text("a path"), NOTHING, "File or folder that `prepare` reads."),
    Key("data.reader_options", {}, options(), BOTH, "Keyword arguments of that reader."),
    Key(
        "data.camera.kind",
        "orthographic",
        OneOf(("orthographic", "perspective")),
        BOTH,
        "How 3-D skeletons become 2-D; ignored, with the rest of `camera`, by 2-D data sets.",
    ),
    Key(
        "data.camera.image_size",
        (256, 256),
        Several(Whole(1, 1_000_000), 2, square=True),
        BOTH,
        "Height and width of the picture, pixels.",
    ),
    Key("data.camera.focal", 0.0, Real(0, 1e9), BOTH, "Focal length, pixels; of 'perspective'."),
    Key("data.camera.yaw", 0.0, Real(-1e6, 1e6), BOTH, "Turn about the upright axis, degrees."),
    Key("data.camera.pitch", 0.0, Real(-1e6, 1e6), BOTH, "Tilt of the camera, degrees."),
    Key(
        "data.planes",
        False,
        YesNo(),
        BOTH,
        "Keep the depth of 3-D skeletons: they are stored from the front, the side and above, each "
        "joint three times, in one scale. Of `camera` kind 'orthographic' only. See `planes`.",
        earlier=False,
    ),
    Key(
        "data.normalize",
        "",
        OneOf(("", "pyskl")),
        BOTH,
        "Of data with `planes`, for graph networks: 'pyskl' stores clips in their first person's "
        "frame, in metres, as PYSKL's networks of 3-D joints are trained (PreNormalize3D); they "
        "are then shown x, y and z without a score.",
        earlier="",
    ),
    Key(
        "data.dir",
        "",
        Text("a path"),
        NOTHING,
        "The prepared data set, which `prepare` writes and everything else reads.",
    ),
    Key(
        "data.video_root",
        "",
        Text("a path"),
        NOTHING,
        "The folder of the clips' videos, for networks that need RGB frames. `prepare` checks "
        "them, and can store their frames, which are then used instead.",
        earlier="",
    ),
    Key(
        "data.video_name",
        "{name}.mp4",
        Text("a file name with {name} in it"),
        NOTHING,
        "A clip's video, below that folder.",
        earlier="{name}.mp4",
    ),
    Key(
        "data.video_size",
        (256, 340),
        Several(Whole(*SIZE), 2),
        BOTH,
        "Height and width that a video's frames are brought to when they are decoded.",
        earlier=(256, 340),
    ),
    Key(
        "data.video_step",
        1,
        Whole(1, 1000),
        BOTH,
        "Frames of a video from one pose to the next: 3 where poses were found in each third.",
        earlier=1,
    ),
    Key(
        "data.storage",
        "tfds",
        OneOf(("tfds", "pack")),
        NOTHING,
        "How it is stored: ArrayRecord, or plain arrays, which need no TensorFlow.",
    ),
    Key(
        "data.in_memory",
        True,
        YesNo(),
        NOTHING,
        "Load a split into memory once; False streams it from disk.",
    ),
    Key(
        "data.keypoint_dtype",
        "float32",
        OneOf(("float32", "float16")),
        BOTH,
        "Of the stored keypoints; float16 is what PYSKL's files hold.",
    ),
    Key(
        "data.resident",
        False,
        YesNo(),
        NOTHING,
        "Keep the training split's keypoints on every device; the host then sends frame numbers "
        "only. Not with clips that are streamed from disk.",
        earlier=False,
    ),
    Key(
        "data.loader",
        "tf",
        OneOf(("tf", "threads")),
        NOTHING,
        "What makes batches: tf.data, or threads, which need no TensorFlow.",
    ),
    Key("data.skeleton", "coco_17", layout(), BOTH, "The joints of the annotations."),
    Key(
        "data.remap_to",
        "",
        layout(none=True),
        BOTH,
        "The layout that the joints are converted to by name; '' keeps them.",
    ),
    Key(
        "data.num_classes",
        60,
        Whole(*COUNT),
        BOTH,
        "Classes of the data set; with `data.classes`, as many as are named there.",
    ),
    Key(
        "data.class_names",
        (),
        Several(Text()),
        NOTHING,
        "Names in the order of the labels; () keeps the reader's.",
    ),
    Key("data.train_split", "train", Text("a split"), TRAINING, "Several are joined by '+'."),
    Key(
        "data.val_split",
        "val",
        Text("a split"),
        NOTHING,
        "Validated during training, which changes no update; '' for none.",
    ),
    Key("data.test_split", "val", Text("a split"), TESTS, "What `posec3d evaluate` reports."),
    Key(
        "data.classes",
        (),
        groups(),
        BOTH,
        "What to recognise instead of the data set's classes: each a name, and the classes that it "
        "joins. Clips of others are left out. () for them all.",
        earlier=(),
    ),
    Key(
        "data.clips_per_class",
        0,
        Whole(0, 1_000_000),
        TRAINING,
        "Train on so many clips of each class, chosen by `seed`; 0 for all.",
        earlier=0,
    ),
    Key(
        "data.max_persons",
        2,
        Whole(1, 1000),
        BOTH,
        "Persons that a clip is padded or cut to, the highest total score first.",
    ),
    Key(
        "data.repeat",
        10,
        Whole(*COUNT),
        TRAINING,
        "Passes over the training split that count as one epoch.",
    ),
    Key(
        "data.class_weights",
        (),
        Several(Real(0, 1e6)),
        TRAINING,
        "Of each class, how many times its clips enter an epoch; () for once.",
    ),
)
