"""The joint layouts themselves: literal joint names and limbs of the skeletons people have.

Joint names are shared between the layouts, so that one converts into another by name. A name
begins with `left_` or `right_` exactly when the joint has a partner on the other side; sides are
the person's own. The checks, the type and the look-up are in `skeleton.py`.

Index orders: COCO-17 and its two limb orders, NTU-25 and OpenPose-18 are those of PYSKL and
mmaction2; BODY_25 and BODY_25B of OpenPose's documentation; Halpe of its annotations;
BlazePose-33 of MediaPipe's pose landmarker; JHMDB-15 of the puppet annotations;
COCO-WholeBody-133 of its annotation format (face: iBUG-68).
"""

from collections.abc import Sequence


def _pairs(joints: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """(left, right) indices of the joints that are named left_... and right_..."""
    return tuple(
        (i, joints.index("right_" + name.removeprefix("left_")))
        for i, name in enumerate(joints)
        if name.startswith("left_")
    )


def _layout(joints: Sequence[str], limbs: Sequence[tuple[int, int]], **more: Sequence) -> dict:
    """A declaration as `skeletons.get_skeleton` reads it, pairs taken from the names."""
    return dict(joints=tuple(joints), limbs=tuple(limbs), pairs=_pairs(joints)) | more


# fmt: off
_COCO = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)
# The order of the limb channels in the published limb configs: weights depend on it.
_COCO_LIMBS = (
    (0, 5), (0, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (11, 13), (13, 15),
    (6, 12), (12, 14), (14, 16), (0, 1), (0, 2), (1, 3), (2, 4), (11, 12),
)
# PYSKL's published `joint` configs of NTU120 draw limbs by mistake, and with the default order of
# the reference's generator class, which is this one: its checkpoints may expect these channels.
_COCO_DEFAULT_LIMBS = (
    (0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (5, 7), (7, 9), (0, 6), (6, 8), (8, 10),
    (5, 11), (11, 13), (13, 15), (6, 12), (12, 14), (14, 16), (11, 12),
)
# The bones of the reference's bone streams: shoulders and hips hang on the nose.
_COCO_PARENTS = (0, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 0, 0, 11, 12, 13, 14)

# Which side comes first in a pair is UNVERIFIED: Penn Action's files do not say. Front against
# back views suggest the person's right. The pairs are certain, and mirroring needs only those.
_PENN = (
    "head", "right_shoulder", "left_shoulder", "right_elbow", "left_elbow",
    "right_wrist", "left_wrist", "right_hip", "left_hip",
    "right_knee", "left_knee", "right_ankle", "left_ankle",
)
_PENN_LIMBS = (
    (0, 1), (0, 2), (1, 3), (3, 5), (2, 4), (4, 6), (1, 7), (7, 9), (9, 11),
    (2, 8), (8, 10), (10, 12), (7, 8),
)

# Kinect v1: the trunk, then four chains of four. NW-UCLA and UTKinect list the trunk from below,
# UTD-MHAD from above. (UTD-MHAD's sides are mirrored against its own depth video.)
_KINECT_CHAINS = (
    "left_shoulder", "left_elbow", "left_wrist", "left_hand",
    "right_shoulder", "right_elbow", "right_wrist", "right_hand",
    "left_hip", "left_knee", "left_ankle", "left_foot",
    "right_hip", "right_knee", "right_ankle", "right_foot",
)
_KINECT = ("hip_center", "spine", "shoulder_center", "head", *_KINECT_CHAINS)
_KINECT_LIMBS = (
    (0, 1), (1, 2), (2, 3),
    (2, 4), (4, 5), (5, 6), (6, 7), (2, 8), (8, 9), (9, 10), (10, 11),
    (0, 12), (12, 13), (13, 14), (14, 15), (0, 16), (16, 17), (17, 18), (18, 19),
)
_KINECT_UTD = ("head", "shoulder_center", "spine", "hip_center", *_KINECT_CHAINS)
_KINECT_UTD_LIMBS = (
    (0, 1), (1, 2), (2, 3),
    (1, 4), (4, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (10, 11),
    (3, 12), (12, 13), (13, 14), (14, 15), (3, 16), (16, 17), (17, 18), (18, 19),
)

# Kinect v2: its 'base of the spine' is Kinect v1's hip centre, 'spine shoulder' is the shoulder
# centre, and 'neck' lies between that and the head.
_NTU = (
    "hip_center", "spine", "neck", "head", *_KINECT_CHAINS,
    "shoulder_center", "left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb",
)
_NTU_LIMBS = (
    (0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8), (10, 9),
    (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17), (19, 18),
    (21, 7), (22, 7), (23, 11), (24, 11),
)
_NTU_PARENTS = (
    1, 20, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 20, 7, 7, 11, 11,
)
# PYSKL's bones of 3-D joints: the tip of a hand points from its thumb.
_NTU_PYSKL_PARENTS = (*_NTU_PARENTS[:21], 22, 7, 24, 11)

_OPENPOSE = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
)
# As the reference's graphs: hips hang on the shoulders (OpenPose itself draws them from the neck).
_OPENPOSE_LIMBS = (
    (4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8), (11, 5), (8, 2),
    (5, 1), (2, 1), (0, 1), (15, 0), (14, 0), (17, 15), (16, 14),
)
_OPENPOSE_PARENTS = (1, 1, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15)

_BODY_25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist", "hip_center", "right_hip", "right_knee",
    "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)
_BODY_25_LIMBS = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11),
    (8, 12), (12, 13), (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18),
    (14, 19), (19, 20), (14, 21), (11, 22), (22, 23), (11, 24),
)

# COCO's joints first; feet in another order than Halpe's.
_BODY_25B = (
    *_COCO, "upper_neck", "head_top",
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)
_BODY_25B_LIMBS = (
    *_COCO_LIMBS, (0, 17), (17, 18), (15, 19), (19, 20), (15, 21), (16, 22), (22, 23), (16, 24),
)

_HALPE = (
    *_COCO, "head", "neck", "hip_center",
    "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe", "left_heel", "right_heel",
)
_HALPE_LIMBS = (
    *_COCO_LIMBS, (0, 17), (17, 18), (18, 19),
    (15, 20), (20, 22), (15, 24), (16, 21), (21, 23), (16, 25),
)
_HALPE_PARENTS = (*_COCO_PARENTS, 0, 17, 18, 15, 16, 20, 21, 15, 16)

_BLAZEPOSE = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer",
    "right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear",
    "left_mouth", "right_mouth", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee",
    "left_ankle", "right_ankle", "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)
_BLAZEPOSE_LIMBS = (
    (0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10), (11, 12),
    (11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19),
    (12, 14), (14, 16), (16, 18), (16, 20), (16, 22), (18, 20),
    (11, 23), (12, 24), (23, 24), (23, 25), (24, 26), (25, 27), (26, 28),
    (27, 29), (28, 30), (29, 31), (30, 32), (27, 31), (28, 32),
)
# Written out, because the limbs leave the mouth and the face apart from the body.
_BLAZEPOSE_PARENTS = (
    0, 0, 1, 2, 0, 4, 5, 3, 6, 0, 0, 0, 0, 11, 12, 13, 14, 15, 16, 15, 16, 15, 16,
    11, 12, 23, 24, 25, 26, 27, 28, 29, 30,
)

_SBU = (
    "head", "neck", "torso", "left_shoulder", "left_elbow", "left_hand",
    "right_shoulder", "right_elbow", "right_hand", "left_hip", "left_knee", "left_foot",
    "right_hip", "right_knee", "right_foot",
)
_SBU_LIMBS = (
    (0, 1), (1, 2), (1, 3), (3, 4), (4, 5), (1, 6), (6, 7), (7, 8),
    (2, 9), (9, 10), (10, 11), (2, 12), (12, 13), (13, 14),
)

# The head is the puppet's 'face'.
_JHMDB = (
    "neck", "belly", "head", "right_shoulder", "left_shoulder", "right_hip", "left_hip",
    "right_elbow", "left_elbow", "right_knee", "left_knee", "right_wrist", "left_wrist",
    "right_ankle", "left_ankle",
)
_JHMDB_LIMBS = (
    (0, 1), (0, 2), (0, 3), (0, 4), (1, 5), (1, 6), (3, 7), (4, 8), (5, 9), (6, 10),
    (7, 11), (8, 12), (9, 13), (10, 14),
)
# fmt: on

# A finger's joints count from its base to its tip.
_FINGERS = tuple(
    f"{finger}_{i}"
    for finger in ("thumb", "index", "middle", "ring", "pinky")
    for i in (1, 2, 3, 4)
)
_HAND_LIMBS = tuple((0 if i % 4 == 1 else i - 1, i) for i in range(1, 21))


# COCO-WholeBody: 17 body, 6 feet, 68 face, 21 left hand, 21 right hand.
_FEET = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)
_FACE_START, _LEFT_HAND, _RIGHT_HAND = 23, 91, 112
_WHOLEBODY = (
    *_COCO,
    *_FEET,
    *(f"face_{i}" for i in range(68)),
    *(f"{side}_{part}" for side in ("left", "right") for part in ("hand_root", *_FINGERS)),
)
# fmt: off
# iBUG-68 points, (left, right): jaw, brows, nostrils, eyes, outer lips, inner lips.
_FACE_PAIRS = (
    *((16 - i, i) for i in range(8)),
    *((26 - i, 17 + i) for i in range(5)),
    (35, 31), (34, 32),
    (45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41),
    (54, 48), (53, 49), (52, 50), (55, 59), (56, 58),
    (64, 60), (63, 61), (65, 67),
)
# fmt: on


def _coco_wholebody() -> dict:
    """The 133 points. The face has joints but no limbs: drawn at 56 x 56 each would be a dot."""
    feet = tuple((15 if i < 20 else 16, i) for i in range(17, 23))
    hands = tuple(
        (root + a, root + b) for root in (_LEFT_HAND, _RIGHT_HAND) for a, b in _HAND_LIMBS
    )
    layout = _layout(_WHOLEBODY, (*_COCO_LIMBS, *feet, *hands))
    layout["pairs"] += tuple((_FACE_START + a, _FACE_START + b) for a, b in _FACE_PAIRS)
    above = {child: parent for parent, child in (*feet, *hands)}
    above |= {_LEFT_HAND: 9, _RIGHT_HAND: 10}  # the hands hang on the body's wrists
    rest = (above.get(i, 0) for i in range(len(_COCO), len(_WHOLEBODY)))  # the face on the nose
    return layout | dict(parents=(*_COCO_PARENTS, *rest))


# Halpe-136: the 26 of the body, then face and hands as COCO-WholeBody has them.
def _halpe_full() -> dict:
    """The 136 points; as above the face has no limbs."""
    start = len(_HALPE)
    hands = tuple((root + a, root + b) for root in (start + 68, start + 89) for a, b in _HAND_LIMBS)
    layout = _layout((*_HALPE, *_WHOLEBODY[_FACE_START:]), (*_HALPE_LIMBS, *hands))
    layout["pairs"] += tuple((start + a, start + b) for a, b in _FACE_PAIRS)
    above = {child: parent for parent, child in hands} | {start + 68: 9, start + 89: 10}
    rest = (above.get(i, 0) for i in range(start, len(layout["joints"])))
    return layout | dict(parents=(*_HALPE_PARENTS, *rest))


# Without parents they follow from the limbs, see `skeletons.get_skeleton`.
LAYOUTS: dict[str, dict] = {
    "coco_17": _layout(_COCO, _COCO_LIMBS, parents=_COCO_PARENTS),
    "coco_17_default_limbs": _layout(_COCO, _COCO_DEFAULT_LIMBS, parents=_COCO_PARENTS),
    "penn_13": _layout(_PENN, _PENN_LIMBS),
    "kinect_20": _layout(_KINECT, _KINECT_LIMBS),
    "kinect_20_utd": _layout(_KINECT_UTD, _KINECT_UTD_LIMBS),
    "ntu_25": _layout(_NTU, _NTU_LIMBS, parents=_NTU_PARENTS),
    "ntu_25_pyskl": _layout(_NTU, _NTU_LIMBS, parents=_NTU_PYSKL_PARENTS),
    "openpose_18": _layout(_OPENPOSE, _OPENPOSE_LIMBS, parents=_OPENPOSE_PARENTS),
    "body_25": _layout(_BODY_25, _BODY_25_LIMBS),
    "body_25b": _layout(_BODY_25B, _BODY_25B_LIMBS),
    "halpe_26": _layout(_HALPE, _HALPE_LIMBS, parents=_HALPE_PARENTS),
    "halpe_136": _halpe_full(),
    "blazepose_33": _layout(_BLAZEPOSE, _BLAZEPOSE_LIMBS, parents=_BLAZEPOSE_PARENTS),
    "sbu_15": _layout(_SBU, _SBU_LIMBS),
    "jhmdb_15": _layout(_JHMDB, _JHMDB_LIMBS),
    # One hand has no sides: mirrored, a left hand is a right hand with the same joints.
    "hand_21": _layout(("wrist", *_FINGERS), _HAND_LIMBS),
    "coco_wholebody_133": _coco_wholebody(),
}
