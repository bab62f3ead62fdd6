"""Skeletons of three planes: every joint as seen from the front, from the side and from above.

A 3-D skeleton is stored so where `config.data.planes` asks for it: as 2-D joints, three times as
many, all in pixels of one scale about one middle. Depth is then in the data like any other joint,
and the device can turn the skeletons before a network sees them (encoders/turning.py).
"""

from posec3d_jax.skeletons.skeleton import Skeleton, get_skeleton

PLANES = ("front", "side", "top")


def planes_of(skeleton: Skeleton, planes: tuple[str, ...] = PLANES) -> Skeleton:
    """The layout of the planes' joints, plane after plane: 'front_head', ..., 'top_head', ...

    Limbs, pairs and parents are those of each plane; mirroring swaps left and right in all.
    """

    def shifted(couples: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return tuple(tuple(i + start for i in couple) for start in starts for couple in couples)

    starts = [number * skeleton.num_joints for number in range(len(planes))]
    return Skeleton(
        name=f"{skeleton.name}, {' + '.join(planes)}",
        joints=tuple(f"{plane}_{joint}" for plane in planes for joint in skeleton.joints),
        limbs=shifted(skeleton.limbs),
        pairs=shifted(skeleton.pairs),
        parents=tuple(parent + start for start in starts for parent in skeleton.parents),
    )


def flat_layout(config_data) -> Skeleton:
    """The joints of a config's data without planes, after `remap_to`."""
    return get_skeleton(config_data.remap_to or config_data.skeleton)


def stored_layout(config_data) -> Skeleton:
    """The joints that the prepared data of a config have, in order."""
    flat = flat_layout(config_data)
    return planes_of(flat) if config_data.planes else flat


def source_layout(config_data) -> Skeleton:
    """The joints that a config's clips come in, before `remap_to`, with their planes."""
    source = get_skeleton(config_data.skeleton)
    return planes_of(source) if config_data.planes else source
