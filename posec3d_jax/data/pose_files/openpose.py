"""OpenPose: a folder of JSON files, one a frame (also what Pose2Sim and RTMLib users write).

`{"people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, c, ...]}]}`; old files call the key
`pose_keypoints`. A joint that was not found is 0, 0, 0. Coordinates follow `--keypoint_scale`:
pixels, 0 to 1 or -1 to 1, which is told from their size.
"""

from pathlib import Path

from posec3d_jax.data.pose_files.frames import (
    Options,
    Person,
    PoseFrames,
    assemble,
    guess_unit,
    same_joints,
    triples,
)
from posec3d_jax.data.pose_files.naming import numbered_files
from posec3d_jax.files.arrays import BadSample, load_json

LAYOUTS = {
    25: "body_25",
    18: "openpose_18",
    17: "coco_17",
    26: "halpe_26",
    133: "coco_wholebody_133",
    136: "halpe_136",
}
_KEYS = ("pose_keypoints_2d", "pose_keypoints")


def read(folder: Path, options: Options) -> PoseFrames:
    """The frames of a folder; see `frames.assemble` for what is mended and raised."""
    files = numbered_files(folder, "*.json")
    found = {number: persons_of(load_json(file), file.name) for number, file in files.items()}
    joints = same_joints(found, LAYOUTS, options)
    return assemble(found, joints, options, unit=guess_unit(found))


def persons_of(contents, where: str) -> list[Person]:
    """The persons of one frame's file, without those that have no keypoints."""
    if not isinstance(contents, dict) or not isinstance(contents.get("people"), list):
        raise BadSample("missing_key", f"{where} has no list 'people'", "people")
    persons = []
    for entry in contents["people"]:
        if not isinstance(entry, dict):
            raise BadSample("wrong_type", f"{where}: a person is no mapping", "people")
        values = next((entry[key] for key in _KEYS if entry.get(key)), None)
        if values is not None:
            persons.append(Person(triples(values, _KEYS[0]), _tracked(entry.get("person_id"))))
    return persons


def _tracked(value) -> int | None:
    """The person's id where there is one: OpenPose writes [-1] without tracking."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return value if isinstance(value, int) and value >= 0 else None
