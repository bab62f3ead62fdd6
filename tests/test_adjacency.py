"""The graphs of every layout: the reference's counts, and what holds for any."""

import numpy as np
import pytest

from posec3d_jax.networks.graph.adjacency import (
    binary,
    disentangled,
    root,
    space_time,
    spatial,
    stgcn_spatial,
    tree_edges,
)
from posec3d_jax.skeletons.skeleton import SKELETONS

# layout: entries of each subset, then their sums
SPATIAL = {
    "coco_17": ([17, 16, 16], [17, 16, 11]),
    "ntu_25": ([25, 24, 24], [25, 24, 18]),
    "openpose_18": ([18, 17, 17], [18, 17, 12]),
}
STGCN_SPATIAL = {
    "coco_17": ([17, 22, 10], [6.366667, 7.133333, 3.5]),
    "ntu_25": ([25, 40, 8], [9.116667, 13.133333, 2.75]),
    "openpose_18": ([18, 25, 9], [6.666667, 8.583333, 2.75]),
}
SHELLS = {
    "coco_17": [17, 49, 57, 73, 79, 65, 41, 25, 19, 17, 17, 17, 17],
    "ntu_25": [25, 73, 83, 85, 91, 97, 105, 97, 81, 65, 57, 41, 25],
    "openpose_18": [18, 52, 58, 70, 80, 78, 58, 34, 20, 18, 18, 18, 18],
}
WINDOWS = {
    ("coco_17", 3): [51, 441, 411, 555, 609, 483],
    ("coco_17", 5): [85, 1225, 1085, 1485, 1635, 1285],
    ("ntu_25", 3): [75, 657, 597, 615, 669, 723],
    ("ntu_25", 5): [125, 1825, 1575, 1625, 1775, 1925],
}
FURTHER = "(0,1)(0,2)(0,5)(0,6)(1,3)(2,4)(5,7)(5,11)(6,8)(6,12)"


def _entries(graph) -> list[int]:
    return (graph > 0).sum((1, 2)).tolist()


@pytest.mark.parametrize("layout", SPATIAL)
def test_entries_are_the_references(layout):
    skeleton = SKELETONS[layout]
    for make, expected in ((spatial, SPATIAL), (stgcn_spatial, STGCN_SPATIAL)):
        graph = make(skeleton)
        assert _entries(graph) == expected[layout][0]
        np.testing.assert_allclose(graph.sum((1, 2)), expected[layout][1], rtol=1e-6)
    assert _entries(disentangled(binary(skeleton), 13)) == SHELLS[layout]


@pytest.mark.parametrize(("layout", "window"), WINDOWS)
def test_entries_of_windows_are_the_references(layout, window):
    graph = disentangled(space_time(binary(SKELETONS[layout]), window), 6)
    assert _entries(graph) == WINDOWS[layout, window]


def test_sources_are_rows_and_receivers_columns():
    """An elbow (7) receives from its shoulder (5) inward, the shoulder from the elbow outward."""
    _, inward, outward = spatial(SKELETONS["coco_17"])
    assert inward[5, 7] == 1 and inward[7, 5] == 0
    assert outward[7, 5] == 0.5 and outward[5, 7] == 0  # it has a hip as well
    further = zip(*np.nonzero(stgcn_spatial(SKELETONS["coco_17"])[2]), strict=True)
    assert "".join(f"({v},{w})" for v, w in further) == FURTHER


@pytest.mark.parametrize("layout", SKELETONS)
def test_every_layout_is_one_tree_with_averages_for_columns(layout):
    skeleton = SKELETONS[layout]
    edges = tree_edges(skeleton)
    children = [child for child, _ in edges]
    assert sorted([*children, root(skeleton)]) == list(range(skeleton.num_joints))
    near = disentangled(binary(skeleton), 2)
    np.testing.assert_allclose(near.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(stgcn_spatial(skeleton).sum((0, 1)), 1, rtol=1e-6)
    reach = np.linalg.matrix_power(binary(skeleton).astype(float) + np.eye(len(near[0])), 40)
    assert (reach > 0).all()
