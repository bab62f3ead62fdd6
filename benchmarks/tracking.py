"""How well people are told apart over time, in simulated crowds that walk and cross.

    python -m benchmarks.tracking [--clips=40] [--seed=1000] [--out=FILE.json]

Everybody walks through the middle of a court, each in a direction of their own; the camera sees
them from the side. People hidden by others, and now and then others, are not detected, so that
tracks have gaps. With norfair installed (in an environment of its own: it is no dependency) its
tracker runs on the same detections, with the settings of its own documentation's pose demo.
The settings of ours were chosen on other seeds (`--choose`).
"""

import argparse
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from posec3d_jax.data.simulation.camera import draw_azimuth, draw_camera, frame, rays
from posec3d_jax.data.simulation.detector import detect, hidden_joints
from posec3d_jax.data.simulation.motion import perform
from posec3d_jax.data.simulation.performers import manner, performer
from posec3d_jax.data.simulation.scene import turned
from posec3d_jax.poses.estimator import People, make_people
from posec3d_jax.poses.tracking import Tracker, TrackerSettings

FRAMES, RATE = 120, 30.0
CHOOSING, TESTING = 0, 1000  # first seeds
_HIDDEN = 0.7  # share of joints behind others from which somebody is not detected
_COURT = 3.0  # metres from the middle within which everybody passes


@dataclass(frozen=True)
class Scene:
    """Detections of every frame, in random order, and who they are."""

    people: list[People]
    who: list[np.ndarray]  # int [M] of each frame


def crossing(persons: int, seed: int) -> Scene:
    """A crowd of which everybody walks straight through the middle."""
    rng = np.random.default_rng((seed, persons))
    points = np.stack([_walker(seed, number, rng) for number in range(persons)])
    everyone = points.reshape(-1, *points.shape[2:])
    camera = draw_camera(draw_azimuth("test", rng), everyone, rng)
    directions, depth = rays(camera, points)
    focal, centre = frame(camera, directions, rng)
    pixels = centre + focal * directions
    keypoint, score = detect(pixels, depth, focal, camera.frame_size, rng)
    hidden = hidden_joints(pixels.astype(np.float32), depth.astype(np.float32), focal).mean(2)
    seen = (hidden < _HIDDEN) & ((score > 0).sum(2) > 4)  # [M, T]
    people, who = [], []
    for t in range(FRAMES):
        order = rng.permutation(np.flatnonzero(seen[:, t]))
        people.append(make_people(keypoint[order, t], score[order, t]))
        who.append(order)
    return Scene(people, who)


def _walker(seed: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Somebody [FRAMES, 17, 3] on a straight way past the middle, in a direction of their own."""
    points = perform(performer(seed, number), manner(seed, number, "walk"), rng)
    points = points[np.linspace(0, len(points) - 1, FRAMES).round().astype(int)]
    way = rng.uniform(0, 2 * np.pi)
    points = turned(points, np.array([np.cos(way), np.sin(way)]))
    points[..., :2] += rng.uniform(-_COURT, _COURT, 2) - points[..., :2].mean(axis=(0, 1))
    return points


def measure(scene: Scene, ids: list[np.ndarray]) -> dict[str, int]:
    """Counts that add up over scenes: identity true positives, sightings, numbered, switches."""
    together, last, switches = Counter(), {}, 0
    for who, given in zip(scene.who, ids, strict=True):
        for person, number in zip(who.tolist(), given.tolist(), strict=True):
            if number >= 0:
                together[person, number] += 1
                switches += last.get(person, number) != number
                last[person] = number
    people, numbers = ({pair[i] for pair in together} for i in (0, 1))
    counts = np.zeros((len(people), len(numbers)))
    rows, columns = ({x: i for i, x in enumerate(sorted(s))} for s in (people, numbers))
    for (person, number), count in together.items():
        counts[rows[person], columns[number]] = count
    best = counts[linear_sum_assignment(-counts)].sum()
    sightings = sum(map(len, scene.who))
    return {
        "true": int(best),
        "sightings": sightings,
        "numbered": sum(together.values()),
        "switches": switches,
    }


def by_ours(scene: Scene, settings: TrackerSettings) -> list[np.ndarray]:
    """Our tracker's numbers."""
    tracker = Tracker(settings)
    return [tracker(people, t / RATE) for t, people in enumerate(scene.people)]


def by_norfair(scene: Scene) -> list[np.ndarray]:
    """Norfair's numbers, by the keypoint distance and settings of its pose demos."""
    from norfair import Detection
    from norfair import Tracker as Norfair
    from norfair.distances import create_keypoints_voting_distance

    sides = np.concatenate([p.box[:, 2:] - p.box[:, :2] for p in scene.people])
    # Its demos take a third of a fixed threshold of pixels; here a share of a person's height.
    near = float(np.median(sides[:, 1])) / 5
    distance = create_keypoints_voting_distance(near, 0.1)
    tracker = Norfair(distance, distance_threshold=1 - 1 / 17 * 3, initialization_delay=0)
    numbers = []
    for people in scene.people:
        found = [
            Detection(k, s, data=n)
            for n, (k, s) in enumerate(zip(people.keypoint, people.score, strict=True))
        ]
        given = np.full(len(people), -1)
        for track in tracker.update(detections=found):
            if track.last_detection in found and track.id is not None:
                given[track.last_detection.data] = track.id
        numbers.append(given)
    return numbers


def score(persons: int, seeds: range, track: Callable[[Scene], list[np.ndarray]]) -> dict:
    """IDF1 and identity switches a person-minute over scenes."""
    totals: Counter = Counter()
    for seed in seeds:
        scene = crossing(persons, seed)
        totals.update(measure(scene, track(scene)))
    minutes = totals["sightings"] / RATE / 60
    return {
        "idf1": round(2 * totals["true"] / (totals["sightings"] + totals["numbered"]), 4),
        "switches": totals["switches"],
        "switches_a_person_minute": round(totals["switches"] / minutes, 2),
        "person_minutes": round(minutes, 2),
    }


def choose(clips: int) -> Iterator[tuple[float, TrackerSettings]]:
    """(mean IDF1, settings) of every combination, on the seeds set aside for choosing."""
    for wider, least, steady in product((1.0, 1.5, 2.0, 3.0), (0.1, 0.2, 0.3), (0.15, 0.3, 0.6)):
        settings = replace(TrackerSettings(), wider=wider, least=least, steady=steady)
        seeds = range(CHOOSING, CHOOSING + clips)
        results = [score(n, seeds, lambda s, c=settings: by_ours(s, c)) for n in (6, 12)]
        yield float(np.mean([r["idf1"] for r in results])), settings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--seed", type=int, default=TESTING)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--out", default="")
    arguments = parser.parse_args()
    if arguments.choose:
        for idf1, settings in sorted(choose(arguments.clips), key=lambda pair: pair[0]):
            print(f"{idf1:.4f} {settings}")
        return
    seeds = range(arguments.seed, arguments.seed + arguments.clips)
    logging.disable(logging.WARNING)  # norfair repeats one for every tracker
    trackers: dict[str, Callable] = {"ours": lambda scene: by_ours(scene, TrackerSettings())}
    try:
        import norfair

        trackers[f"norfair {norfair.__version__}"] = by_norfair
    except ImportError:
        print("norfair is not installed; ours only")
    record = {"clips": arguments.clips, "first_seed": arguments.seed, "frames": FRAMES}
    for persons in (6, 12):
        record[f"{persons}_persons"] = {n: score(persons, seeds, t) for n, t in trackers.items()}
    print(json.dumps(record, indent=1))
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
