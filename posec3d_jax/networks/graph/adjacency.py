"""Adjacency matrices of a skeleton, as the graph networks take them: float32 [K, V, V].

Entry [k, v, w] says how much joint w receives from joint v in subset k: rows are sources, columns
receivers. Everything is numpy, computed in float64 and rounded once.
"""

import numpy as np

from posec3d_jax.skeletons.skeleton import Skeleton


def tree_edges(skeleton: Skeleton) -> list[tuple[int, int]]:
    """(child, parent) edges toward the root: the reference's graphs, found for any layout.

    The breadth-first tree over the limbs from the root; joints that no limb connects to it hang on
    their parents. Limbs that close a circle (hip to hip) are left out, as in the reference.
    """
    above = {root(skeleton): root(skeleton)}
    queue = list(above)
    for joint in queue:
        for pair in skeleton.limbs:
            other = sum(pair) - joint
            if joint in pair and other not in above:
                above[other] = joint
                queue.append(other)
    hanging = dict(enumerate(skeleton.parents)) | above
    return [(child, parent) for child, parent in sorted(hanging.items()) if child != parent]


def root(skeleton: Skeleton) -> int:
    """The first joint that is its own parent; the reference's graphs call it the centre."""
    return next(joint for joint, parent in enumerate(skeleton.parents) if joint == parent)


def spatial(skeleton: Skeleton) -> np.ndarray:
    """[3, V, V]: each joint itself, from its parent, and from its children (columns sum to 1)."""
    inward = _matrix(skeleton, tree_edges(skeleton))
    subsets = [np.eye(len(inward)), _normalized(inward), _normalized(inward.T)]
    return np.stack(subsets).astype(np.float32)


def stgcn_spatial(skeleton: Skeleton) -> np.ndarray:
    """[3, V, V]: ST-GCN's partition into self, sources close to the root, and sources further away.

    The reference knows distances of at most one step; all joints further from the root count as
    equally far, so that nearly every neighbour is 'close'. Published weights depend on it.
    """
    inward = _matrix(skeleton, tree_edges(skeleton))
    reached = np.eye(len(inward)) + inward + inward.T
    weight = _normalized(reached)
    distance = np.where(reached[:, root(skeleton)] > 0, 1.0, np.inf)
    distance[root(skeleton)] = 0
    close = distance[:, None] >= distance[None]
    own = np.eye(len(inward), dtype=bool)
    subsets = [weight * own, weight * (close & ~own), weight * (~close & ~own)]
    return np.stack(subsets).astype(np.float32)


def binary(skeleton: Skeleton) -> np.ndarray:
    """[V, V]: ones between neighbours, none on the diagonal."""
    inward = _matrix(skeleton, tree_edges(skeleton))
    return (inward + inward.T).astype(np.float32)


def disentangled(adjacency: np.ndarray, scales: int) -> np.ndarray:
    """[K, V, V]: MS-G3D's shells: joints exactly 0, 1, ... K - 1 steps away, and each one itself.

    `adjacency` [V, V] is binary, with or without a diagonal. Columns sum to 1.
    """
    own = np.eye(len(adjacency))
    step, reach, shells = np.minimum(adjacency + own, 1), own, [own]
    for _ in range(scales - 1):
        further = np.minimum(reach @ step, 1)
        shells.append(further - reach + own)
        reach = further
    return np.stack([_normalized(shell) for shell in shells]).astype(np.float32)


def space_time(adjacency: np.ndarray, window: int) -> np.ndarray:
    """[wV, wV]: a window of w frames, each joined with every frame; node = frame * V + joint."""
    return np.tile(adjacency + np.eye(len(adjacency), dtype=adjacency.dtype), (window, window))


SUBSETS = {"spatial": spatial, "stgcn_spatial": stgcn_spatial}


def _matrix(skeleton: Skeleton, edges: list[tuple[int, int]]) -> np.ndarray:
    """Ones at [parent, child]: the child receives from its parent."""
    matrix = np.zeros((skeleton.num_joints, skeleton.num_joints))
    for child, parent in edges:
        matrix[parent, child] = 1
    return matrix


def _normalized(matrix: np.ndarray) -> np.ndarray:
    """Every column divided by its sum; empty columns stay empty."""
    total = matrix.sum(0)
    return matrix * np.divide(1, total, out=np.zeros_like(total), where=total > 0)
