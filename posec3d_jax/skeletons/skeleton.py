"""Skeleton layouts: joint names, limbs, left/right pairs and parents; and remaps by joint name.

A layout is looked up by its name in `SKELETONS`, or declared by its user as a mapping::

    get_skeleton({
        "name": "stick_man",
        "joints": ["head", "hip", "left_foot", "right_foot"],
        "limbs": [["head", "hip"], ["hip", "left_foot"], ["hip", "right_foot"]],
        "pairs": [["left_foot", "right_foot"]],
    })
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posec3d_jax.skeletons.declarations import read_declaration, suggest
from posec3d_jax.skeletons.layouts import LAYOUTS


@dataclass(frozen=True)
class Skeleton:
    """A joint layout of V joints and L limbs. Indices are 0-based positions in `joints`.

    Raises:
        ValueError: names are not unique, an index is out of range, a limb is a single point or
            listed twice, a joint has two partners, or the parents form a loop. The message names
            the layout and the item.
    """

    name: str
    joints: tuple[str, ...]  # unique names, snake_case
    limbs: tuple[tuple[int, int], ...]  # the segments drawn as limb channels, in channel order
    pairs: tuple[tuple[int, int], ...]  # (left, right)
    parents: tuple[int, ...]  # [V]; a root is its own parent

    def __post_init__(self) -> None:
        _check_joints(self)
        _check_limbs(self)
        _check_pairs(self)
        _check_parents(self)

    @property
    def num_joints(self) -> int:
        """V."""
        return len(self.joints)

    @property
    def num_limbs(self) -> int:
        """L."""
        return len(self.limbs)

    @property
    def flip_joints(self) -> np.ndarray:
        """The permutation that swaps left and right, int32 [V]; its own inverse."""
        flip = np.arange(self.num_joints, dtype=np.int32)
        for left, right in self.pairs:
            flip[left], flip[right] = right, left
        return flip

    @property
    def flip_limbs(self) -> np.ndarray:
        """The permutation of the limbs under the mirror, int32 [L]; segments have no direction.

        Raises:
            ValueError: the mirror image of a limb is not a limb of this layout.
        """
        position = {frozenset(limb): i for i, limb in enumerate(self.limbs)}
        flip_joints = self.flip_joints.tolist()
        flip = np.zeros(self.num_limbs, np.int32)
        for i, (a, b) in enumerate(self.limbs):
            mirror = flip_joints[a], flip_joints[b]
            if frozenset(mirror) not in position:
                raise ValueError(
                    f"skeleton '{self.name}': the mirror image of limb {i}, "
                    f"{self._segment((a, b))}, is {self._segment(mirror)}, which is not among the "
                    "limbs. Add it, or correct `pairs`: limb channels cannot be flipped otherwise."
                )
            flip[i] = position[frozenset(mirror)]
        return flip

    def to_dict(self) -> dict:
        """The layout as plain, JSON-able lists; `get_skeleton` turns it back."""
        return {
            "name": self.name,
            "joints": list(self.joints),
            "limbs": [list(limb) for limb in self.limbs],
            "pairs": [list(pair) for pair in self.pairs],
            "parents": list(self.parents),
        }

    def _segment(self, limb: Sequence[int]) -> str:
        return " - ".join(self.joints[i] for i in limb)


def get_skeleton(spec: str | Mapping) -> Skeleton:
    """The layout of that name, or the one that a mapping (or ConfigDict) declares.

    Args:
        spec: a key of `SKELETONS`; or a mapping with `joints` (names), `limbs` and `pairs` (two
            joints each, by name or by index; may be empty), and optionally `name` and `parents`
            (one joint per joint). Without `parents` they are found from the limbs, breadth first
            from joint 0; a joint that no limb connects to it starts a tree of its own.

    Raises:
        ValueError: an unknown layout, key or joint (with a suggestion), or a layout that does
            not pass the checks of `Skeleton`.
    """
    if isinstance(spec, str):
        if spec not in SKELETONS:
            raise ValueError(
                f"unknown skeleton layout '{spec}'{suggest(spec, SKELETONS)}. Known: "
                f"{', '.join(SKELETONS)}; or declare one: a mapping with joints, limbs and pairs."
            )
        return SKELETONS[spec]
    if not hasattr(spec, "keys"):  # a ConfigDict is no Mapping, but has keys
        raise ValueError(
            f"a skeleton is a layout's name or a mapping with joints, limbs and pairs; got {spec!r}"
        )
    return Skeleton(**read_declaration({key: spec[key] for key in spec.keys()}))


def remap(source: Skeleton, target: Skeleton) -> np.ndarray:
    """For every joint of `target`, its index in `source`, by name; -1 where the source lacks it.

    Returns:
        int32 [V of target], for `apply_remap`.

    Raises:
        ValueError: the two layouts have no joint name in common.
    """
    position = {name: i for i, name in enumerate(source.joints)}
    index = np.array([position.get(name, -1) for name in target.joints], np.int32)
    if (index < 0).all():
        raise ValueError(
            f"cannot remap skeleton '{source.name}' to '{target.name}': they have no joint name in "
            f"common ({', '.join(source.joints[:5])}, ... against {', '.join(target.joints[:5])}, "
            "...)"
        )
    return index


def common_layout(first: Skeleton, second: Skeleton) -> Skeleton:
    """The joints that two layouts share by name, in the first one's order: what both can become.

    Limbs are those of either between shared joints; parents are found along them.

    Raises:
        ValueError: the layouts have no joint name in common.
    """
    remap(first, second)
    joints = tuple(joint for joint in first.joints if joint in second.joints)

    def shared(couples: str) -> list[tuple[str, ...]]:
        named = [
            tuple(layout.joints[i] for i in couple)
            for layout in (first, second)
            for couple in getattr(layout, couples)
        ]
        once = {frozenset(couple): couple for couple in named if set(couple) <= set(joints)}
        return list(once.values())

    name = f"{first.name} and {second.name}"
    return get_skeleton(
        dict(name=name, joints=joints, limbs=shared("limbs"), pairs=shared("pairs"))
    )


def apply_remap(
    keypoint: np.ndarray, score: np.ndarray, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The joints that `index` (from `remap`) selects; those it lacks are 0 with score 0.

    Args:
        keypoint: [..., V, C].
        score: [..., V].
        index: int [V of target].

    Returns:
        keypoint [..., V of target, C] and score [..., V of target], of the same dtypes.

    Raises:
        ValueError: keypoint and score disagree, or have fewer joints than `index` asks for.
    """
    if keypoint.shape[:-1] != score.shape:
        raise ValueError(
            f"keypoint {keypoint.shape} and score {score.shape} disagree; expected [..., V, C] and "
            "[..., V]"
        )
    if index.max() >= score.shape[-1]:
        raise ValueError(
            f"the remap reads joint {index.max()}, but there are only {score.shape[-1]}: it was "
            "made for another layout"
        )
    missing = index < 0
    keypoint = np.where(missing[:, None], 0, keypoint[..., index, :]).astype(keypoint.dtype)
    return keypoint, np.where(missing, 0, score[..., index]).astype(score.dtype)


def _check_joints(skeleton: Skeleton) -> None:
    if not skeleton.joints:
        raise ValueError(f"skeleton '{skeleton.name}' has no joints")
    for joint, count in Counter(skeleton.joints).items():
        if count > 1:
            raise ValueError(
                f"skeleton '{skeleton.name}': joint name '{joint}' occurs {count} times; names "
                "must be unique"
            )


def _check_index(skeleton: Skeleton, where: str, index: int) -> None:
    if not 0 <= index < skeleton.num_joints:
        raise ValueError(
            f"skeleton '{skeleton.name}': {where} refers to joint {index}, but its "
            f"{skeleton.num_joints} joints are numbered 0 to {skeleton.num_joints - 1}"
        )


def _check_limbs(skeleton: Skeleton) -> None:
    seen: dict[frozenset[int], int] = {}
    for i, limb in enumerate(skeleton.limbs):
        for index in limb:
            _check_index(skeleton, f"limb {i}, {tuple(limb)},", index)
        first = seen.setdefault(frozenset(limb), i)
        if limb[0] == limb[1] or first != i:
            fault = "is a single point" if limb[0] == limb[1] else f"repeats limb {first}"
            raise ValueError(
                f"skeleton '{skeleton.name}': limb {i}, {skeleton._segment(limb)}, {fault}; a limb "
                "joins two different joints and is listed once"
            )


def _check_pairs(skeleton: Skeleton) -> None:
    """Every joint has at most one partner and never itself, so that two flips undo each other."""
    partner: dict[int, int] = {}
    for i, (left, right) in enumerate(skeleton.pairs):
        for index in (left, right):
            _check_index(skeleton, f"pair {i}, {(left, right)},", index)
            if index in partner or left == right:
                raise ValueError(
                    f"skeleton '{skeleton.name}': pair {i}, {skeleton._segment((left, right))}, "
                    f"uses '{skeleton.joints[index]}' a second time; a joint has one partner, "
                    "another joint"
                )
        partner |= {left: right, right: left}


def _check_parents(skeleton: Skeleton) -> None:
    """Following the parents ends at a root, a joint that is its own parent, from everywhere."""
    if len(skeleton.parents) != skeleton.num_joints:
        raise ValueError(
            f"skeleton '{skeleton.name}': {len(skeleton.parents)} parents for "
            f"{skeleton.num_joints} joints; expected one each (a root is its own parent)"
        )
    for joint, parent in enumerate(skeleton.parents):
        _check_index(skeleton, f"the parent of joint {joint}", parent)
    for start in range(skeleton.num_joints):
        joint = start
        for _ in skeleton.joints:
            joint = skeleton.parents[joint]
        if skeleton.parents[joint] != joint:
            raise ValueError(
                f"skeleton '{skeleton.name}': the parents of '{skeleton.joints[start]}' go round "
                f"in a circle through '{skeleton.joints[joint]}'; they must end at a root, a joint "
                "that is its own parent"
            )


SKELETONS: dict[str, Skeleton] = {
    name: Skeleton(**read_declaration({"name": name} | layout)) for name, layout in LAYOUTS.items()
}
