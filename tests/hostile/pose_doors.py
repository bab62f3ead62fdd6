"""Valid files of every pose estimator that we read, and the reading of one as a data set."""

import csv
import io
import json
from pathlib import Path

import numpy as np

from posec3d_jax.skeletons.skeleton import get_skeleton

COCO = get_skeleton("coco_17").joints
_FLAT = np.column_stack([np.linspace(10, 90, 17), np.full(17, 40.0), np.full(17, 0.5)])


def pose_files() -> list[tuple[str, str, str, object]]:
    """(tool, layout, name below the tool's folder, value: JSON, rows of a table, or an array)."""
    points = _FLAT.ravel().tolist()
    landmarks = [dict(x=0.5, y=0.01 * i, z=0.0, visibility=0.9) for i in range(33)]
    instance = dict(keypoints=_FLAT[:, :2].tolist(), keypoint_scores=_FLAT[:, 2].tolist())
    named = dict(x=_FLAT[:, 0].tolist(), y=_FLAT[:, 1].tolist(), visible=_FLAT[:, 2].tolist())
    images = [dict(id=7, file_name="1.jpg", height=100, width=120)]
    meta = dict(keypoint_id2name={str(i): name for i, name in enumerate(COCO)})
    label = [[0, 0.5, 0.5, 0.1, 0.1, *(points / np.tile([120, 100, 1], 17)), 0.9, 3]]
    mice = [
        ["scorer", "n", "n", "n"],
        ["individuals", "a", "a", "a"],
        ["bodyparts", "nose", "nose", "nose"],
        ["coords", "x", "y", "likelihood"],
        [0, 5.5, 6.5, 0.9],
    ]
    wide = [[f"{a}{i}" for i in range(33) for a in "xyzv"], [0.25] * 132]
    long = [["frame", "landmark", "x", "y"], [0, "nose", 0.5, 0.5], [2, "left_hip", 0.5, 0.5]]
    demo = dict(meta_info=meta, instance_info=[dict(frame_id=1, instances=[instance])])
    people = dict(people=[dict(person_id=[1], pose_keypoints_2d=points)])
    result = dict(image_id=1, keypoints=points, score=0.9)
    return [
        ("openpose", "coco_17", "a/000_keypoints.json", people),
        ("coco_results", "coco_17", "a.json", [result | dict(track_id=1), result]),
        (
            "coco_results",
            "coco_17",
            "b.json",
            dict(images=images, annotations=[result | dict(image_id=7)]),
        ),
        ("mmpose", "coco_17", "a.json", [dict(frame_id=0, instances=[instance])]),
        ("mmpose", "coco_17", "b.json", demo),
        ("alphapose", "coco_17", "a.json", [result | dict(image_id="1.jpg", idx=[2])]),
        (
            "alphapose",
            "openpose_18",
            "c.json",
            {"1.jpg": dict(bodies=[dict(joints=points + points[:3])])},
        ),
        ("ultralytics", "coco_17", "a/a_1.txt", label),
        ("ultralytics", "coco_17", "b.json", [[dict(track_id=1, keypoints=named)], []]),
        ("mediapipe", "blazepose_33", "a.json", [landmarks, None]),
        ("mediapipe", "blazepose_33", "b.csv", wide),
        ("mediapipe", "blazepose_33", "c.csv", long),
        ("mediapipe", "blazepose_33", "d/0.npy", np.full(1662, 0.25)),
        ("deeplabcut", "coco_17", "a.csv", mice),
        ("sleap", "coco_17", "a.h5", sleap()),
    ]


def sleap() -> bytes:
    """A small analysis file."""
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as contents:
        contents["tracks"] = np.ones((2, 2, 3, 4))
        contents["tracks"].attrs["dims"] = json.dumps(["track", "xy", "node", "frame"])
        contents["node_names"] = np.array([b"nose", b"left_hip", b"tail"])
        contents["point_scores"] = np.ones((2, 3, 4))
    return file.getvalue()


def as_bytes(name: str, value) -> bytes:
    """The file of a value, by the ending of its name."""
    suffix = Path(name).suffix
    if isinstance(value, bytes):
        return value
    if suffix == ".npy":
        file = io.BytesIO()
        np.save(file, np.asarray(value))
        return file.getvalue()
    if suffix in (".csv", ".txt"):
        text = io.StringIO()
        csv.writer(text, delimiter="," if suffix == ".csv" else " ").writerows(value)
        return text.getvalue().encode()
    return json.dumps(value).encode()
