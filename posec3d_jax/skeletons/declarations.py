"""Reads a declared joint layout: joints named or numbered, parents found from the limbs."""

import difflib
from collections import deque
from collections.abc import Iterable, Mapping
from numbers import Integral

_REQUIRED = ("joints", "limbs", "pairs")
_OPTIONAL = ("name", "parents")


def read_declaration(spec: dict) -> dict:
    """The five fields of a `Skeleton` from a declaration: every joint an index, parents filled in.

    Args:
        spec: `joints` (names), `limbs` and `pairs` (two joints each, by name or by index), and
            optionally `name` and `parents` (one joint per joint, by name or by index). Without
            `parents` they are found breadth first along the limbs.

    Raises:
        ValueError: an unknown or missing key, an unknown joint name, or a limb or pair that is not
            two joints. Ranges are checked by `Skeleton`.
    """
    name = str(spec.get("name") or "custom")
    for key in spec:
        if key not in _REQUIRED + _OPTIONAL:
            hint = suggest(str(key), _REQUIRED + _OPTIONAL)
            raise ValueError(f"skeleton '{name}': unknown key '{key}'{hint}")
    for key in _REQUIRED:
        if key not in spec:
            raise ValueError(
                f"skeleton '{name}': `{key}` is missing; a layout is declared by "
                f"{', '.join(_REQUIRED)} (limbs and pairs may be empty lists)"
            )
        if not _is_list(spec[key]):
            raise ValueError(f"skeleton '{name}': `{key}` is {spec[key]!r}; expected a list")
    joints = tuple(str(joint) for joint in spec["joints"])
    limbs = _couples(name, "limb", joints, spec["limbs"])
    pairs = _couples(name, "pair", joints, spec["pairs"])
    parents = spec.get("parents")
    if parents is None:
        parents = _parents_from_limbs(len(joints), limbs)
    elif not _is_list(parents) or len(parents) != len(joints):
        raise ValueError(
            f"skeleton '{name}': `parents` is {parents!r}; expected a list of {len(joints)} "
            "joints, one for each (a root is its own parent)"
        )
    parents = tuple(
        _joint_index(name, f"parent of joint {i}", joints, joint) for i, joint in enumerate(parents)
    )
    return dict(name=name, joints=joints, limbs=limbs, pairs=pairs, parents=parents)


def _is_list(value: object) -> bool:
    """Lists, tuples and arrays are; a string is not, although it has a length."""
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)


def _couples(
    name: str, kind: str, joints: tuple[str, ...], items: Iterable
) -> tuple[tuple[int, int], ...]:
    """Limbs or pairs as index tuples, from two joints each, by name or index."""
    couples = []
    for i, item in enumerate(items):
        if not _is_list(item) or len(item) != 2:
            raise ValueError(
                f"skeleton '{name}': {kind} {i} is {item!r}; expected two joints, such as "
                f"{list(joints[:2])} or [0, 1]"
            )
        first, second = (_joint_index(name, f"{kind} {i}", joints, joint) for joint in item)
        couples.append((first, second))
    return tuple(couples)


def _joint_index(name: str, where: str, joints: tuple[str, ...], joint: str | int) -> int:
    """The index of a joint given by name or index; ranges are checked by `Skeleton`."""
    if isinstance(joint, Integral) and not isinstance(joint, bool):
        return int(joint)
    if joint in joints:
        return joints.index(joint)
    raise ValueError(
        f"skeleton '{name}': {where} names the unknown joint {joint!r}"
        f"{suggest(str(joint), joints)}. Joints: {', '.join(joints)}"
    )


def _parents_from_limbs(num_joints: int, limbs: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Breadth first along the limbs from joint 0, then from every joint not reached so far."""
    neighbours: dict[int, list[int]] = {i: [] for i in range(num_joints)}
    for a, b in limbs:
        neighbours.get(a, []).append(b)
        neighbours.get(b, []).append(a)
    parents: dict[int, int] = {}
    for root in range(num_joints):
        parents.setdefault(root, root)
        queue = deque([root])
        while queue:
            joint = queue.popleft()
            fresh = [n for n in neighbours.get(joint, []) if n not in parents]
            parents.update(dict.fromkeys(fresh, joint))
            queue.extend(fresh)
    return tuple(parents[i] for i in range(num_joints))


def suggest(word: str, known: Iterable[str]) -> str:
    """' (did you mean ...?)' with the known words that resemble this one, or nothing."""
    word = word.lower().replace("-", "_").replace(" ", "_")
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(repr(c) for c in close)}?)" if close else ""
