"""Layouts: checks and derived permutations, declarations, remaps; and the class names."""

import json

import numpy as np
import pytest
from ml_collections import ConfigDict

from posec3d_jax.skeletons.class_names import CLASS_NAMES, class_names
from posec3d_jax.skeletons.skeleton import SKELETONS, Skeleton, apply_remap, get_skeleton, remap

# What the reference's limb configs state for COCO-17, and its bones as (child, parent).
REFERENCE_LIMBS = [
    *([0, 5], [0, 6], [5, 7], [7, 9], [6, 8], [8, 10], [5, 11], [11, 13], [13, 15], [6, 12]),
    *([12, 14], [14, 16], [0, 1], [0, 2], [1, 3], [2, 4], [11, 12]),
]
REFERENCE_BONES = [
    *((0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (5, 0), (6, 0), (7, 5), (8, 6), (9, 7), (10, 8)),
    *((11, 0), (12, 0), (13, 11), (14, 12), (15, 13), (16, 14)),
]
STICK_MAN = {
    "name": "stick_man",
    "joints": ["head", "hip", "left_foot", "right_foot"],
    "limbs": [["head", "hip"], ["hip", "left_foot"], ["hip", "right_foot"]],
    "pairs": [["left_foot", "right_foot"]],
}


def _swapped(length: int, left: list[int], right: list[int]) -> list[int]:
    flip = list(range(length))
    for a, b in zip(left, right, strict=True):
        flip[a], flip[b] = b, a
    return flip


@pytest.mark.parametrize("name", SKELETONS)
def test_every_layout_mirrors_onto_itself_and_survives_json(name):
    skeleton = SKELETONS[name]
    assert skeleton.name == name
    for flip, length in [
        (skeleton.flip_joints, skeleton.num_joints),
        (skeleton.flip_limbs, skeleton.num_limbs),
    ]:
        assert flip.dtype == np.int32
        np.testing.assert_array_equal(flip[flip], np.arange(length))
    for joint, partner in zip(skeleton.joints, skeleton.flip_joints, strict=True):
        side, _, part = joint.partition("_")
        if side in ("left", "right"):
            other = {"left": "right", "right": "left"}[side]
            assert skeleton.joints[partner] == f"{other}_{part}"
    assert get_skeleton(json.loads(json.dumps(skeleton.to_dict()))) == skeleton


@pytest.mark.parametrize("name", SKELETONS)
def test_the_parents_of_every_layout_are_one_symmetric_tree(name):
    skeleton = SKELETONS[name]
    roots = [i for i, parent in enumerate(skeleton.parents) if parent == i]
    assert len(roots) == 1
    flip = skeleton.flip_joints
    for joint, parent in enumerate(skeleton.parents):
        assert skeleton.parents[flip[joint]] == flip[parent], skeleton.joints[joint]


def test_layout_sizes():
    sizes = {name: s.num_joints for name, s in SKELETONS.items()}
    assert sizes == {
        "coco_17": 17,
        "coco_17_default_limbs": 17,
        "penn_13": 13,
        "kinect_20": 20,
        "kinect_20_utd": 20,
        "ntu_25": 25,
        "ntu_25_pyskl": 25,
        "openpose_18": 18,
        "body_25": 25,
        "body_25b": 25,
        "halpe_26": 26,
        "halpe_136": 136,
        "blazepose_33": 33,
        "sbu_15": 15,
        "jhmdb_15": 15,
        "hand_21": 21,
        "coco_wholebody_133": 133,
    }


def test_coco_is_the_reference():
    coco = SKELETONS["coco_17"]
    assert [list(limb) for limb in coco.limbs] == REFERENCE_LIMBS
    left, right = [0, 2, 3, 6, 7, 8, 12, 14], [1, 4, 5, 9, 10, 11, 13, 15]
    assert coco.flip_limbs.tolist() == _swapped(17, left, right)
    assert list(enumerate(coco.parents)) == REFERENCE_BONES
    joints = _swapped(17, [1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16])
    assert coco.flip_joints.tolist() == joints


def test_the_default_limb_order_is_the_reference_class_default():
    default = SKELETONS["coco_17_default_limbs"]
    left, right = [0, 2, 4, 5, 6, 10, 11, 12], [1, 3, 7, 8, 9, 13, 14, 15]
    assert default.flip_limbs.tolist() == _swapped(17, left, right)
    assert default.limbs[4:6] == ((0, 5), (5, 7))
    assert {frozenset(limb) for limb in default.limbs} == {frozenset(b) for b in REFERENCE_LIMBS}


def test_whole_body_parts_are_where_its_format_puts_them():
    whole = SKELETONS["coco_wholebody_133"]
    assert whole.joints[:17] == SKELETONS["coco_17"].joints
    assert whole.limbs[:17] == SKELETONS["coco_17"].limbs
    at = whole.joints.index
    assert [at(n) for n in ("left_big_toe", "right_heel", "face_0", "face_67")] == [17, 22, 23, 90]
    assert [at(f"{s}_{j}") for s in ("left", "right") for j in ("hand_root", "pinky_4")] == [
        *(91, 111),
        *(112, 132),
    ]
    flip = whole.flip_joints
    assert flip[23:40].tolist() == list(range(39, 22, -1))  # the jaw, ear to ear
    assert flip[at("face_36")] == at("face_45")  # the outer corners of the eyes
    unpaired = [n for n, f in zip(whole.joints, flip, strict=True) if whole.joints[f] == n]
    middle = (8, 27, 28, 29, 30, 33, 51, 57, 62, 66)
    assert unpaired == ["nose", *(f"face_{i}" for i in middle)]


def test_remap_by_joint_name():
    index = remap(SKELETONS["blazepose_33"], SKELETONS["coco_17"])
    expected = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    assert index.dtype == np.int32 and index.tolist() == expected
    both = remap(SKELETONS["kinect_20_utd"], SKELETONS["kinect_20"])
    assert both.tolist() == [3, 2, 1, 0, *range(4, 20)]
    penn = remap(SKELETONS["penn_13"], SKELETONS["coco_17"])
    assert (penn[:5] == -1).all() and (penn[5:] >= 0).all()  # Penn has no face


def test_apply_remap_marks_missing_joints_with_score_0():
    keypoint = np.arange(1, 27, dtype=np.float16).reshape(1, 13, 2)
    score = np.full((1, 13), 0.5, np.float32)
    index = remap(SKELETONS["penn_13"], SKELETONS["coco_17"])
    moved, moved_score = apply_remap(keypoint, score, index)
    assert moved.shape == (1, 17, 2) and moved.dtype == np.float16
    assert (moved[:, :5] == 0).all() and moved_score[0, :5].tolist() == [0] * 5
    np.testing.assert_array_equal(moved[0, 5], keypoint[0, 2])  # the left shoulder
    assert moved_score[0, 5:].tolist() == [0.5] * 12 and moved_score.dtype == np.float32


def test_remap_refuses_what_cannot_be_remapped():
    coco, hand = SKELETONS["coco_17"], SKELETONS["hand_21"]
    with pytest.raises(ValueError, match="'hand_21' to 'coco_17'.*no joint name in common"):
        remap(hand, coco)
    keypoint, score = np.zeros((2, 13, 2)), np.zeros((2, 13))
    with pytest.raises(ValueError, match="reads joint 16, but there are only 13"):
        apply_remap(keypoint, score, remap(coco, coco))
    with pytest.raises(ValueError, match="disagree"):
        apply_remap(keypoint, score[:1], remap(coco, coco))


@pytest.mark.parametrize("wrap", [dict, ConfigDict])
def test_a_layout_of_ones_own(wrap):
    skeleton = get_skeleton(wrap(STICK_MAN))
    assert skeleton.limbs == ((0, 1), (1, 2), (1, 3)) and skeleton.pairs == ((2, 3),)
    assert skeleton.parents == (0, 0, 1, 1)
    assert skeleton.flip_limbs.tolist() == [0, 2, 1]
    by_index = STICK_MAN | {"limbs": np.array([[0, 1], [1, 2], [1, 3]]), "pairs": [(2, 3)]}
    assert get_skeleton(wrap(by_index)) == skeleton


def test_parents_of_parts_that_no_limb_connects():
    loose = get_skeleton({"joints": list("abcd"), "limbs": [[3, 2]], "pairs": []})
    assert loose.parents == (0, 1, 2, 2) and loose.name == "custom"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limb": []}, r"unknown key 'limb' \(did you mean 'limbs'\?\)"),
        ({"joints": "head"}, "`joints` is 'head'; expected a list"),
        ({"joints": ["head", "hip", "head", "foot"], "limbs": [], "pairs": []}, "'head' occurs 2"),
        ({"joints": [], "limbs": [], "pairs": []}, "no joints"),
        ({"limbs": [["head", "left_fot"]]}, r"limb 0 .*'left_fot' \(did you mean 'left_foot'"),
        ({"limbs": [[0, 4]]}, r"limb 0, \(0, 4\), refers to joint 4.*numbered 0 to 3"),
        ({"limbs": [[0, 1, 2]]}, "limb 0 is .*expected two joints"),
        ({"limbs": [[0, 1], [2, 2]]}, "limb 1, left_foot - left_foot, is a single point"),
        ({"limbs": [[0, 1], [1, 0]]}, "limb 1, hip - head, repeats limb 0"),
        ({"pairs": [[2, 2]]}, "pair 0, left_foot - left_foot, uses 'left_foot' a second time"),
        ({"pairs": [[2, 3], [0, 3]]}, "pair 1, head - right_foot, uses 'right_foot' a second"),
        ({"pairs": [[2, -1]]}, "refers to joint -1"),
        ({"parents": [0, 0, 1]}, "expected a list of 4 joints, one for each"),
        ({"parents": [1, 0, 1, 1]}, "parents of 'head' go round in a circle"),
        ({"parents": ["head", "head", "hip", "hips"]}, "parent of joint 3 names .*'hips'"),
    ],
)
def test_a_faulty_declaration_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        get_skeleton(STICK_MAN | change)
    assert "stick_man" in str(caught.value)


def test_a_missing_part_or_unknown_layout_is_explained():
    with pytest.raises(ValueError, match="`pairs` is missing"):
        get_skeleton({"joints": ["a"], "limbs": []})
    with pytest.raises(ValueError, match=r"'COCO-17' \(did you mean 'coco_17'"):
        get_skeleton("COCO-17")
    with pytest.raises(ValueError, match="a layout's name or a mapping"):
        get_skeleton(17)


def test_limbs_without_a_mirror_image_cannot_be_flipped():
    lame = get_skeleton(STICK_MAN | {"limbs": [["hip", "left_foot"]]})
    with pytest.raises(ValueError, match="limb 0, hip - left_foot, is hip - right_foot, which"):
        _ = lame.flip_limbs
    assert lame.flip_joints.tolist() == [0, 1, 3, 2]


def test_the_type_itself_checks():
    with pytest.raises(ValueError, match="1 parents for 2 joints"):
        Skeleton("short", ("a", "b"), (), (), (0,))


def test_class_names_match_their_data_sets():
    counts = {name: len(names) for name, names in CLASS_NAMES.items()}
    assert counts == {
        "ntu60": 60,
        "ntu120": 120,
        "ucf101": 101,
        "hmdb51": 51,
        "penn_action": 15,
        "utd_mhad": 27,
        "nw_ucla": 10,
        "utkinect": 10,
        "sbu": 8,
        "volleyball": 8,
    }
    assert all(len(set(names)) == len(names) for names in CLASS_NAMES.values())
    for name in ("ucf101", "hmdb51", "penn_action"):  # labels are the alphabetical rank
        assert sorted(CLASS_NAMES[name], key=str.lower) == list(CLASS_NAMES[name])


def test_class_names_fall_back_to_numbers():
    assert class_names("sbu", 8)[5] == "hugging"
    assert class_names("sbu", 3) == class_names("mine", 3) == ("class 0", "class 1", "class 2")


def test_class_names_are_those_in_the_files(shared):
    from scipy.io import loadmat

    labels = sorted((shared / "data/penn_action/labels").glob("*.mat"))[::40]
    if not labels:
        pytest.skip("the reference data has no Penn Action")
    seen = {str(loadmat(file, variable_names=["action"])["action"][0]) for file in labels}
    assert seen == set(CLASS_NAMES["penn_action"])
    listed = (shared / "data/utkinect/joints/actionLabel.txt").read_text().split("\n")[1:11]
    assert tuple(line.split(":")[0] for line in listed) == CLASS_NAMES["utkinect"]
