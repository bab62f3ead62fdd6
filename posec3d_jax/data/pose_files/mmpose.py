"""MMPose: predictions of its inferencer and of its demos, one JSON file a video.

The inferencer writes `[{"frame_id": 0, "instances": [...]}]`, numbered from 0; demos write
`{"meta_info": {...}, "instance_info": [...]}`, numbered from 1, with the joints' names. An instance
has `keypoints` [[x, y], ...] and `keypoint_scores`; there are no ids unless a tracker added
`track_id` or `instance_id`. RTMLib's arrays saved the same way are read as well.
"""

from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import Options, Person, PoseFrames, assemble, same_joints
from posec3d_jax.files.arrays import BadSample, brief, load_json, number_array

LAYOUTS = {17: "coco_17", 26: "halpe_26", 133: "coco_wholebody_133", 21: "hand_21"}
_IDS = ("track_id", "instance_id")


def read(file: Path, options: Options) -> PoseFrames:
    """The frames of a file; a single picture's list of instances is one frame."""
    contents, first, names = load_json(file), 0, None
    if isinstance(contents, dict):
        names, first = _names(contents.get("meta_info")), 1
        contents = contents.get("instance_info")
    if not isinstance(contents, list) or not all(isinstance(item, dict) for item in contents):
        raise BadSample("wrong_type", "expected a list of frames, or 'instance_info' with one")
    if contents and "keypoints" in contents[0]:
        contents = [{"frame_id": first, "instances": contents}]
    found = {}
    for place, frame in enumerate(contents):
        number, instances = frame.get("frame_id", first + place), frame.get("instances")
        if not isinstance(instances, list) or not isinstance(number, int) or number in found:
            message = f"frame {brief(number)}: expected 'instances' and a frame_id of its own"
            raise BadSample("missing_key", message, "instances")
        found[number] = [_person(entry) for entry in instances]
    if names and options.layout is None:
        options = Options(options.frame_size, names, options.notes)
    return assemble(found, same_joints(found, LAYOUTS, options), options, first=first)


def _person(entry) -> Person:
    if not isinstance(entry, dict) or "keypoints" not in entry:
        raise BadSample("missing_key", "an instance has no 'keypoints'", "keypoints")
    points = number_array(entry["keypoints"], "keypoints")
    points = points[0] if points.ndim == 3 and len(points) == 1 else points
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        message = f"shape {points.shape}, expected [[x, y], ...]"
        raise BadSample("wrong_shape", message, "keypoints")
    scores = entry.get("keypoint_scores")
    scores = np.ones(len(points)) if scores is None else number_array(scores, "keypoint_scores")
    if scores.size != len(points):
        message = f"{scores.size} scores for {len(points)} joints"
        raise BadSample("wrong_shape", message, "keypoint_scores")
    track = next((entry[key] for key in _IDS if isinstance(entry.get(key), int)), None)
    track = track if track is not None and track >= 0 else None
    return Person(np.column_stack([points[:, :2], scores.ravel()]), track)


def _names(meta) -> tuple[str, ...] | None:
    """Joint names of a demo's `meta_info`, in order."""
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if not isinstance(names, dict) or not names:
        return None
    if set(names) != {str(i) for i in range(len(names))}:
        raise BadSample("wrong_type", "joints are not numbered from 0", "keypoint_id2name")
    return tuple(str(names[str(i)]) for i in range(len(names)))
