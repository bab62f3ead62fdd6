"""AlphaPose: `alphapose-results.json`, one file a video, in any of its three flavours.

The default is a list of `{"image_id": "7.jpg", "keypoints": [x, y, c, ...], "idx": 1}`, from image
0. `--format cmu` and `--format open` write a mapping from image to persons in OpenPose's 18 joints.
Confidences above 1 are cut off at 1; `idx` may be wrapped in lists.
"""

from collections import defaultdict
from pathlib import Path

from posec3d_jax.data.pose_files.frames import (
    Options,
    Person,
    PoseFrames,
    assemble,
    same_joints,
    triples,
)
from posec3d_jax.data.pose_files.naming import frame_number
from posec3d_jax.files.arrays import BadSample, brief, load_json

LAYOUTS = {17: "coco_17", 26: "halpe_26", 133: "coco_wholebody_133", 136: "halpe_136"}
OTHER_LAYOUTS = {18: "openpose_18"}  # of the flavours cmu and open
_PERSONS, _KEYPOINTS = ("bodies", "people"), ("joints", "pose_keypoints_2d")


def read(file: Path, options: Options) -> PoseFrames:
    """The frames of a file of results; images without anybody are not in it, and come back."""
    contents = load_json(file)
    if isinstance(contents, dict):
        found = {frame_number(image): _mapped(image, entry) for image, entry in contents.items()}
        layouts = OTHER_LAYOUTS
    elif isinstance(contents, list):
        found, layouts = _listed(contents), LAYOUTS
    else:
        raise BadSample("wrong_type", "expected a list of results or a mapping from images")
    return assemble(found, same_joints(found, layouts, options), options, first=0)


def _listed(contents: list) -> dict[int, list[Person]]:
    found = defaultdict(list)
    for entry in contents:
        if not isinstance(entry, dict) or "image_id" not in entry or "keypoints" not in entry:
            raise BadSample("missing_key", f"{brief(entry)} lacks 'image_id' or 'keypoints'")
        points = triples(entry["keypoints"], "keypoints")
        found[frame_number(entry["image_id"])].append(Person(points, _id(entry.get("idx"))))
    return dict(found)


def _mapped(image: str, entry) -> list[Person]:
    """The persons of one image, in either of the other flavours."""
    key = next((key for key in _PERSONS if isinstance(entry, dict) and key in entry), None)
    if key is None or not isinstance(entry[key], list):
        raise BadSample("missing_key", f"{brief(image)} has no list of {' or '.join(_PERSONS)}")
    persons = []
    for person in entry[key]:
        name = next((k for k in _KEYPOINTS if isinstance(person, dict) and k in person), None)
        if name is None:
            raise BadSample("missing_key", f"{brief(image)}: a person without keypoints", key)
        persons.append(Person(triples(person[name], name), _id(person.get("idx"))))
    return persons


def _id(value) -> int | None:
    """The person's number, out of the lists it may be wrapped in."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return int(value) if whole and value >= 0 else None
