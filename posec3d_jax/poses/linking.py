"""Who is who in another tool's file without ids: our tracker over its frames."""

import numpy as np

from posec3d_jax.data.pose_files.frames import PoseFrames
from posec3d_jax.poses.estimator import make_people
from posec3d_jax.poses.tracking import Tracker

RATE = 30.0  # frames a second, where a file does not say it


def link(frames: PoseFrames, rate: float = RATE) -> list[np.ndarray]:
    """Persons' ids in every frame, int [N] from 0 over the whole video; -1 for doubtful ones."""
    tracker = Tracker()
    return [
        tracker(make_people(persons.keypoint, persons.score), i / rate)
        for i, persons in enumerate(frames.frames)
    ]
