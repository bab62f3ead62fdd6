"""What the tests of readers share: reading as `prepare` does, and a sample of PYSKL's."""

import pickle

import numpy as np

from posec3d_jax.data.readers import read_dataset
from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.skeletons.skeleton import get_skeleton

CAMERA = dict(kind="orthographic", image_size=(256, 256), focal=0.0, yaw=0.0, pitch=0.0)


def read(name, path, skeleton="coco_17", num_classes=60, camera=CAMERA, **options):
    """The data set, its checked clips by name, and the report."""
    report = ValidationReport()
    dataset = read_dataset(
        name,
        path,
        skeleton=get_skeleton(skeleton),
        camera=camera,
        report=report,
        options=options,
    )
    checked = check_dataset(dataset, num_classes=num_classes, max_persons=2, report=report)
    return dataset, {clip.name: clip for clip in checked}, report


def sample(name, frames=5, joints=17, channels=2, **changes):
    rng = np.random.default_rng(0)
    contents = {
        "frame_dir": name,
        "label": np.int64(1),
        "total_frames": frames,
        "img_shape": (100, 120),
        "keypoint": rng.uniform(5, 95, (1, frames, joints, channels)).astype(np.float16),
        "keypoint_score": np.full((1, frames, joints), 0.75, np.float16),
    } | changes
    return {key: value for key, value in contents.items() if value is not None}


def write(path, contents, protocol=2):
    path.write_bytes(pickle.dumps(contents, protocol=protocol))
    return path
