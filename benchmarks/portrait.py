"""One person in portrait format: our keypoints beside two other estimators' of the same frames.

    python -m benchmarks.portrait VIDEO --others NAME=FOLDER[:LAYOUT] ...
        [--estimators thunder lightning ...] [--out=FILE.json]

Each FOLDER holds OpenPose JSON files, one a frame, of that joint layout. For every pair: the median
distance of the joints that both have (of COCO's 17, score above 0.3), in lengths of the torso
(middle of the shoulders to middle of the hips), over all frames in which both see somebody; and how
many of these joints are farther apart than half a torso.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import Options
from posec3d_jax.data.pose_files.opening import open_poses
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.poses.recording import RecordingSettings, record
from posec3d_jax.skeletons.skeleton import SKELETONS
from posec3d_jax.video.decoding import Tally
from posec3d_jax.video.info import probe

JOINTS = SKELETONS["coco_17"].joints
TORSO = ("shoulder", "hip")
CERTAIN, FAR = 0.3, 0.5


def ours(video: Path, estimator: str) -> np.ndarray:
    """The longest track's joints [T, 17, 2]; NaN where there is none."""
    (clip,) = record(video, open_estimator(estimator), RecordingSettings(), Tally())
    best = clip.score.sum((1, 2)).argmax()
    return np.where(clip.score[best][..., None] > CERTAIN, clip.keypoint[best], np.nan)


def theirs(place: str, size: tuple[int, int]) -> np.ndarray:
    """The largest person's joints [T, 17, 2]; NaN where there is none."""
    folder, _, layout = place.partition(":")
    poses = open_poses(Path(folder), Options(size, SKELETONS[layout].joints if layout else None))
    order = [poses.joints.index(joint) for joint in JOINTS]
    frames = np.full((len(poses.frames), len(JOINTS), 2), np.nan)
    for t, people in enumerate(poses.frames):
        if len(people.keypoint):
            person = int(np.argmax([np.ptp(k[k.any(1), 1]) for k in people.keypoint]))
            sure = people.score[person][order] > CERTAIN
            frames[t, sure] = people.keypoint[person][order][sure]
    return frames


def compare(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """How far apart two estimators are."""
    shoulders, hips = ([JOINTS.index(f"{s}_{j}") for s in ("left", "right")] for j in TORSO)
    frames = min(len(one), len(other))
    one, other = one[:frames], other[:frames]
    mean = (one + other) / 2
    torso = np.linalg.norm(mean[:, shoulders].mean(1) - mean[:, hips].mean(1), axis=-1)
    distance = np.linalg.norm(one - other, axis=-1) / np.nanmedian(torso)
    distance = distance[np.isfinite(distance)]
    return {
        "median_in_torsos": round(float(np.median(distance)), 4),
        "share_farther_than_half": round(float((distance > FAR).mean()), 4),
        "joints": int(distance.size),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("video", type=Path)
    parser.add_argument("--others", nargs="+", default=[])
    parser.add_argument("--estimators", nargs="*", default=["thunder", "lightning", "multipose"])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    size = probe(arguments.video).size
    poses = {name: ours(arguments.video, name) for name in arguments.estimators}
    for other in arguments.others:
        name, place = other.split("=", 1)
        poses[name] = theirs(place, size)
    record = {f"{a} / {b}": compare(poses[a], poses[b]) for a, b in combinations(poses, 2)}
    print(json.dumps(record, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
