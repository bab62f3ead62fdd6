"""The built-in data set: simulated people, cameras and detectors; 20 actions, COCO-17 joints.

Everything is made from (seed, clip number); nothing is read. The splits `val` and `test` show
performers that `train` does not have, from viewpoints that `train` does not have; two further
splits change one of the two only:

    split             performers   viewpoints   clips of every 25
    train             train        train        15
    val               val          val           2
    test              test         test          4
    test_performers   test         train         2
    test_views        train        test          2

With `crowd` the clips show up to 20 persons, of whom one or a group does something (`crowd.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from posec3d_jax.data.records import SkeletonDataset, SkeletonSequence, ValidationReport
from posec3d_jax.data.simulation import crowd as crowds
from posec3d_jax.data.simulation.actions import ACTIONS
from posec3d_jax.data.simulation.scene import Plan, shoot
from posec3d_jax.data.simulation.splits import BLOCK, members, split_of
from posec3d_jax.skeletons.skeleton import Skeleton, get_skeleton

CLASS_NAMES = tuple(ACTIONS)
PERFORMERS = {"train": range(0, 75), "val": range(75, 85), "test": range(85, 105)}
_HELD_OUT = (
    "val and test have performers and viewpoints of their own, test_performers only the "
    "performers, test_views only the viewpoints"
)


def read(
    path: Path,
    *,
    skeleton: Skeleton,
    camera: Mapping,
    report: ValidationReport,
    num_clips: int = 2500,
    seed: int = 0,
    actions: Sequence[str] = CLASS_NAMES,
    crowd: int = 0,
    populations: int = 1,
) -> SkeletonDataset:
    """The simulated data set, made as it is read (some 500 clips a second on one core).

    Args:
        path: ignored; nothing is read.
        skeleton: must be COCO-17.
        camera: ignored; the clips are 2-D, with cameras of their own.
        report: left alone; there is nothing to find fault with.
        num_clips: size over all splits. Clips do not depend on it: a larger data set begins with
            the smaller one. Multiples of 250 balance the classes of every split exactly.
        seed: another seed is another data set, with other people.
        actions: the classes, of those there are.
        populations: how many times over there are the people of the table above: those of `seed`,
            of `seed` + 1, ..., who take turns; more of them is more ways to do each action.
        crowd: 0, or the most persons in a clip: then the classes are the group activities of
            `crowd.py`, and 200 clips balance those of every split.

    Raises:
        ValueError: the skeleton is not COCO-17, fewer clips than 25, a negative seed, an action
            that there is not, or a crowd of too few or too many.
    """
    if skeleton.name != "coco_17":
        raise ValueError(
            f"the simulated data set has COCO-17 joints, not {skeleton.name!r}: "
            "set config.data.skeleton='coco_17'"
        )
    if num_clips < len(BLOCK):
        raise ValueError(
            f"num_clips={num_clips} leaves splits empty: ask for {len(BLOCK)} clips or more"
        )
    if seed < 0:
        raise ValueError(f"seed={seed}: the seed of the simulated data set must not be negative")
    if unknown := sorted(set(actions) - set(CLASS_NAMES)):
        raise ValueError(f"there are no actions {unknown}; choose among {CLASS_NAMES}")
    if crowd:
        return _read_crowd(num_clips, seed, actions, crowd)
    return SkeletonDataset(
        name="simulated",
        skeleton=skeleton,
        class_names=tuple(actions),
        splits=members(num_clips, lambda index: clip_name(index, actions)),
        sequences=_sequences(num_clips, seed, actions, populations),
        total=num_clips,
        notes=(f"simulated, seed {seed}; {_HELD_OUT}",),
    )


def _read_crowd(num_clips: int, seed: int, actions: Sequence[str], persons: int) -> SkeletonDataset:
    if not 2 <= persons <= crowds.LARGEST:
        raise ValueError(f"crowd={persons}: expected 2 to {crowds.LARGEST} persons, or 0 for none")
    if tuple(actions) != CLASS_NAMES:
        raise ValueError("a crowd has activities of its own: leave `actions` out, or set crowd=0")
    return SkeletonDataset(
        name="simulated_crowd",
        skeleton=get_skeleton("coco_17"),
        class_names=crowds.CLASS_NAMES,
        splits=members(num_clips, crowds.clip_name),
        sequences=crowds.sequences(num_clips, seed, persons),
        total=num_clips,
        notes=(f"simulated crowds of up to {persons}, seed {seed}; {_HELD_OUT}",),
    )


def plan(index: int, actions: Sequence[str] = CLASS_NAMES) -> tuple[str, Plan]:
    """The split of clip `index`, and who does what in it: classes and performers take turns."""
    split, performers, views, take = split_of(index)
    turn, which = divmod(take, len(actions))
    action = CLASS_NAMES.index(actions[which])
    pool = PERFORMERS[performers]
    who = turn + 7 * action
    other = who + 1 + (3 * turn + 5 * action) % (len(pool) - 1)
    return split, Plan(
        action=action,
        performer=pool[who % len(pool)],
        bystander=pool[other % len(pool)],
        views=views,
    )


def clip_name(index: int, actions: Sequence[str] = CLASS_NAMES) -> str:
    """Such as 'simulated_000042_jumping_jack_p093': number, action and performer."""
    _, chosen = plan(index, actions)
    return f"simulated_{index:06d}_{CLASS_NAMES[chosen.action]}_p{chosen.performer:03d}"


def _sequences(
    num_clips: int, seed: int, actions: Sequence[str], populations: int
) -> Iterator[SkeletonSequence]:
    for index in range(num_clips):
        _, chosen = plan(index, actions)
        clip = shoot(chosen, seed + index // len(BLOCK) % populations, index)
        yield SkeletonSequence(
            name=clip_name(index, actions),
            keypoint=clip.keypoint,
            score=clip.score,
            frame_size=clip.frame_size,
            label=list(actions).index(CLASS_NAMES[chosen.action]),
        )
