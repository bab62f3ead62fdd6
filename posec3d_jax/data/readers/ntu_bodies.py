"""The bodies in a .skeleton file of NTU RGB+D, and the two that act.

The Kinect takes furniture for bodies, loses people and finds them again under another number. The
choice is that of the published pre-processing of graph networks (CTR-GCN's, which PYSKL's follows):
of several bodies, those of up to 11 frames go, then those that are wider than 0.8 of their height
in seven of ten frames; the rest stand in the order of their motion, and one that is never there
together with the first (or else with the second) continues it.
"""

from pathlib import Path

import numpy as np

from posec3d_jax.files.arrays import BadSample
from posec3d_jax.files.text import load_text

JOINTS, _PER_JOINT, _PER_BODY = 25, 12, 10
_X, _Y, _Z, _COLOR_X, _COLOR_Y = 0, 1, 2, 5, 6  # places in a joint's line
_SHORT = 11  # frames
_WIDE, _WIDE_SHARE = 0.8, 0.69754
_MOST_BODIES = 1000  # in a clip; real ones have a dozen
_LONGEST = 100_000  # frames

Bodies = dict[str, np.ndarray]  # number to [T, V, 5]: x, y, z in metres, x, y in pixels


def parse_bodies(file: Path) -> Bodies:
    """Every body of the file; it is zero in frames without it.

    Raises:
      BadSample: the file is cut short, or none of these.
    """
    words = load_text(file).split()
    try:
        return _parse(words)
    except (IndexError, ValueError) as error:
        message = f"no whole .skeleton file ({len(words)} numbers): {error}"
        raise BadSample("unreadable_file", message) from error


def _parse(words: list[str]) -> Bodies:
    at, bodies = 1, {}
    frames = int(words[0])
    if not 0 <= frames <= min(_LONGEST, len(words)):
        raise ValueError(f"{frames} frames")
    for frame in range(frames):
        count, at = int(words[at]), at + 1
        for _ in range(count):
            number, joints = words[at], int(words[at + _PER_BODY])
            if joints != JOINTS:
                raise ValueError(f"a body of {joints} joints; expected {JOINTS}")
            start = at + _PER_BODY + 1
            at = start + JOINTS * _PER_JOINT
            if at > len(words):
                raise IndexError("it ends within a body")
            rows = np.array(words[start:at], np.float32).reshape(JOINTS, _PER_JOINT)
            if number not in bodies:
                if len(bodies) >= _MOST_BODIES:
                    raise ValueError(f"more than {_MOST_BODIES} bodies")
                bodies[number] = np.zeros((frames, JOINTS, 5), np.float32)
            bodies[number][frame] = rows[:, [_X, _Y, _Z, _COLOR_X, _COLOR_Y]]
    return bodies


def choose_bodies(bodies: Bodies) -> np.ndarray:
    """The one or two who act: [M, T, V, 5], without the frames in which neither is there.

    Raises:
      BadSample: there is nobody.
    """
    found = [body for body in bodies.values() if body.any()]
    found = _unless_all([body for body in found if len(_frames(body)) > _SHORT], found)
    found = _unless_all([body for body in found if not _is_wide(body)], found)
    found.sort(key=_motion, reverse=True)
    actors: list[np.ndarray] = []
    for body in found:
        there = body.any(axis=(1, 2))
        for actor in actors:
            if not (actor.any(axis=(1, 2)) & there).any():
                actor[there] = body[there]
                break
        else:
            if len(actors) < 2:
                actors.append(body.copy())
    if not actors:
        raise BadSample("no_person", "nobody in any frame: a missing skeleton", "keypoint")
    chosen = np.stack(actors)
    return chosen[:, chosen.any(axis=(0, 2, 3))]


def _unless_all(kept: list[np.ndarray], before: list[np.ndarray]) -> list[np.ndarray]:
    """What is kept, if it is anything and there was a choice."""
    return kept if kept and len(before) > 1 else before


def _frames(body: np.ndarray) -> np.ndarray:
    """The frames with the body: [T', V, 3], metres."""
    return body[body.any(axis=(1, 2))][..., :3]


def _is_wide(body: np.ndarray) -> bool:
    extent = np.ptp(_frames(body), axis=1)
    return bool((extent[:, 0] > _WIDE * extent[:, 1]).mean() >= _WIDE_SHARE)


def _motion(body: np.ndarray) -> float:
    return float(np.var(_frames(body).reshape(-1, 3), axis=0).sum())
