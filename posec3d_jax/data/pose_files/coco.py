"""COCO keypoints: a list of results, or annotations with their images; one file a video.

A result is `{"image_id": 7, "keypoints": [x, y, s, ...], "score": 0.9}`, the third number the
joint's score; in annotations it is 0 (absent), 1 (hidden) or 2 (visible), which count as 0, 1, 1.
`track_id`, as PoseTrack has it, is the person's id.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import (
    Options,
    Person,
    PoseFrames,
    assemble,
    guess_unit,
    same_joints,
    triples,
)
from posec3d_jax.data.pose_files.naming import frame_number
from posec3d_jax.files.arrays import BadSample, brief, load_json

LAYOUTS = {17: "coco_17", 26: "halpe_26", 133: "coco_wholebody_133", 136: "halpe_136"}


def read(file: Path, options: Options) -> PoseFrames:
    """The frames of a file of results or annotations, in the order of the images."""
    contents, size, place = load_json(file), None, None
    if isinstance(contents, dict):
        size, place = _images(contents)
        contents = contents.get("annotations")
    if not isinstance(contents, list):
        expected = "a list of results, or a mapping with 'images' and 'annotations'"
        raise BadSample("wrong_type", f"expected {expected}")
    found: dict[int, list[Person]] = defaultdict(list)
    for number in (place or {}).values():
        found[number] = []
    for entry in contents:
        if not isinstance(entry, dict) or "keypoints" not in entry or "image_id" not in entry:
            raise BadSample("missing_key", f"{brief(entry)} lacks 'image_id' or 'keypoints'")
        found[_frame_of(entry["image_id"], place)].append(person_of(entry))
    if place is not None or _are_visibilities(found):
        found = {number: [_seen(p) for p in persons] for number, persons in found.items()}
    joints = same_joints(found, LAYOUTS, options)
    return assemble(found, joints, options, unit=guess_unit(found), frame_size=size)


def person_of(entry: dict) -> Person:
    """One result; its id is `track_id`, where there is one."""
    track = entry.get("track_id")
    track = track if isinstance(track, int) and track >= 0 else None
    return Person(triples(entry["keypoints"], "keypoints"), track)


def _images(contents: dict) -> tuple[tuple[int, int] | None, dict]:
    """(height, width) that all images have, and the frame number of each image id."""
    images = contents.get("images")
    if not isinstance(images, list) or not all(isinstance(i, dict) and "id" in i for i in images):
        raise BadSample("missing_key", "expected 'images', a list with an 'id' each", "images")
    sides = [[image.get("height"), image.get("width")] for image in images]
    if any(side != sides[0] for side in sides):
        raise BadSample(
            "several_videos", "images of different sizes; a file is one video", "images"
        )
    named = [(image.get("frame_id", image.get("file_name", "")), image["id"]) for image in images]
    if not all(isinstance(value, int | str) for pair in named for value in pair):
        raise BadSample("wrong_type", "ids and names are no numbers and texts", "images")
    ordered = sorted(named, key=lambda pair: (isinstance(pair[0], str), pair[0]))
    size = (
        tuple(sides[0]) if sides and all(isinstance(s, int) and s > 0 for s in sides[0]) else None
    )
    return size, {image: place for place, (_, image) in enumerate(ordered)}


def _frame_of(image: object, place: dict | None) -> int:
    if place is None:
        return frame_number(image)
    if not isinstance(image, int | str) or image not in place:
        raise BadSample("unknown_image", f"image_id {brief(image)} is not among the images")
    return place[image]


def _are_visibilities(found) -> bool:
    """Whether the third numbers are 0, 1 and 2 instead of scores."""
    third = [p.points[:, 2] for persons in found.values() for p in persons]
    third = np.concatenate(third) if third else np.zeros(0)
    return bool((third == 2).any() and np.isin(third, (0, 1, 2)).all())


def _seen(person: Person) -> Person:
    points = person.points.copy()
    points[:, 2] = points[:, 2] > 0
    return Person(points, person.id)
