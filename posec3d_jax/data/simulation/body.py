"""The simulated body: joint angles in, 17 COCO joints in metres out, by forward kinematics.

Axes: x to the body's right, y forward, z up; metres. A *pose* is [12, 3]: for each of the 11
rotating joints (raise or flexion, spread or bend, twist) in degrees, and one row for the whole
body (forward and upward travel in metres, turn in degrees). Signs are anatomical, so a pose and
its mirror image hold the same numbers: side `a` is the acting side, `b` the other. The body is
built with `a` on the right; `mirrored` gives the left-handed person.
"""

import numpy as np

POSE_ROWS = (
    "pelvis",  # forward tilt, tilt to side a, turn to side a (the legs do not follow)
    "hip_a",  # the thigh against the vertical: forward raise, outward spread, outward twist
    "hip_b",
    "spine",
    "knee_a",  # flexion only
    "knee_b",
    "neck",
    "shoulder_a",
    "shoulder_b",
    "elbow_a",
    "elbow_b",
    "travel",
)
ROW = {name: row for row, name in enumerate(POSE_ROWS)}

# What turns anatomical angles into rotations about x, y (swing) and z (twist), `a` on the right.
_TORSO, _RIGHT, _LEFT = (-1, 1, -1), (1, -1, -1), (1, 1, 1)
_SIGNS = np.array(
    [_TORSO, _RIGHT, _LEFT, _TORSO, (-1, 0, 0), (-1, 0, 0), _TORSO, _RIGHT, _LEFT]
    + [(1, 0, 0), (1, 0, 0)],
    np.float64,
)
_LIMITS = {"knee_a": (0, 150), "knee_b": (0, 150), "elbow_a": (0, 150), "elbow_b": (0, 150)}

# Joints whose rotation continues that of another one, level by level down the tree.
_LEVELS = (  # (joints, what they continue)
    (slice(3, 6), slice(0, 3)),  # spine and knees: pelvis and hips
    (slice(6, 9), slice(3, 4)),  # neck and shoulders: spine
    (slice(9, 11), slice(7, 9)),  # elbows: shoulders
)

# A bone is turned by one rotating joint; a body point is the sum of the bones leading to it.
BONES = (
    # name, rotating joint, the bone before it, end point at rest as fractions of the stature
    ("hip_a", "pelvis", "", (0.062, 0.0, 0.0)),
    ("hip_b", "pelvis", "", (-0.062, 0.0, 0.0)),
    ("knee_a", "hip_a", "hip_a", (0.0, 0.0, -0.245)),
    ("knee_b", "hip_b", "hip_b", (0.0, 0.0, -0.245)),
    ("ankle_a", "knee_a", "knee_a", (0.0, 0.0, -0.246)),
    ("ankle_b", "knee_b", "knee_b", (0.0, 0.0, -0.246)),
    ("spine", "pelvis", "", (0.0, 0.0, 0.09)),
    ("shoulder_a", "spine", "spine", (0.108, 0.0, 0.198)),
    ("shoulder_b", "spine", "spine", (-0.108, 0.0, 0.198)),
    ("elbow_a", "shoulder_a", "shoulder_a", (0.0, 0.0, -0.172)),
    ("elbow_b", "shoulder_b", "shoulder_b", (0.0, 0.0, -0.172)),
    ("wrist_a", "elbow_a", "elbow_a", (0.0, 0.0, -0.150)),
    ("wrist_b", "elbow_b", "elbow_b", (0.0, 0.0, -0.150)),
    ("neck", "spine", "spine", (0.0, 0.0, 0.235)),
    ("nose", "neck", "neck", (0.0, 0.068, 0.065)),
    ("eye_a", "neck", "neck", (0.019, 0.055, 0.085)),
    ("eye_b", "neck", "neck", (-0.019, 0.055, 0.085)),
    ("ear_a", "neck", "neck", (0.043, 0.005, 0.075)),
    ("ear_b", "neck", "neck", (-0.043, 0.005, 0.075)),
)
ANKLE_HEIGHT = 0.039  # of the stature
# Segment lengths as fractions of the stature after Drillis and Contini (1966), as tabulated in
# D. A. Winter, "Biomechanics and Motor Control of Human Movement"; shoulder and hip breadths are
# those of the joint centres that pose detectors mark, narrower than the outer breadths.

_BONE = {name: index for index, (name, *_) in enumerate(BONES)}
_TURNED_BY = np.array([ROW[joint] for _, joint, _, _ in BONES])
_COCO_BONES = ["nose", "eye_b", "eye_a", "ear_b", "ear_a"] + [
    f"{joint}_{side}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in "ba"  # COCO lists left before right, and `a` is on the right
]
_MIRROR = np.array([0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15])
_ANKLES = [15, 16]


def _chains() -> np.ndarray:
    """[17, bones]: 1 where a bone lies on the way from the pelvis to a COCO joint."""
    chains = np.zeros((len(_COCO_BONES), len(BONES)))
    for joint, name in enumerate(_COCO_BONES):
        while name:
            chains[joint, _BONE[name]] = 1
            name = BONES[_BONE[name]][2]
    return chains


_CHAINS = _chains()


def pose_points(pose: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """COCO joints relative to the pelvis, before travel: [T, 17, 3] metres.

    Args:
        pose: [T, 12, 3], see the module.
        bones: [bones, 3] metres, the end points of `BONES` at rest.
    """
    rotation = _rotations(np.radians(pose[:, :11] * _SIGNS))
    for joints, parents in _LEVELS:
        rotation[:, joints] = rotation[:, parents] @ rotation[:, joints]
    vectors = np.einsum("tbij,bj->tbi", rotation[:, _TURNED_BY], bones)
    return np.tensordot(vectors, _CHAINS, axes=(1, 1)).transpose(0, 2, 1)


def limited(pose: np.ndarray) -> np.ndarray:
    """`pose` with knees and elbows kept within what a body can do."""
    pose = pose.copy()
    for name, (low, high) in _LIMITS.items():
        np.clip(pose[:, ROW[name], 0], low, high, out=pose[:, ROW[name], 0])
    return pose


def _rotations(angles: np.ndarray) -> np.ndarray:
    """Swing (about a horizontal axis) after twist (about z): radians [..., 3] to [..., 3, 3]."""
    swing, twist = angles[..., :2], angles[..., 2]
    size = np.sqrt((swing**2).sum(-1))
    x, y = np.moveaxis(swing / np.maximum(size, 1e-9)[..., None], -1, 0)
    cos, sin = np.cos(size), np.sin(size)
    rest = 1 - cos
    turn_cos, turn_sin = np.cos(twist), np.sin(twist)
    columns = (
        (cos + rest * x * x, rest * x * y, -sin * y),
        (rest * x * y, cos + rest * y * y, sin * x),
        (sin * y, -sin * x, cos),
    )
    rotation = np.empty((*angles.shape, 3))
    for row in range(3):
        first, second = columns[0][row], columns[1][row]
        rotation[..., row, 0] = first * turn_cos + second * turn_sin
        rotation[..., row, 1] = second * turn_cos - first * turn_sin
        rotation[..., row, 2] = columns[2][row]
    return rotation


def stand_on_ground(points: np.ndarray, travel: np.ndarray, ankle_height: float) -> np.ndarray:
    """Stand the body on the ground and let the planted foot carry it: [T, 17, 3] metres.

    The lower ankle does not slide, so steps move the body by themselves; `travel` [T, 3] adds
    forward metres, lift above the ground (a jump), and the turn in degrees. The first frame
    stands at the origin, facing +y.
    """
    ankles = points[:, _ANKLES]
    heading = np.radians(-travel[:, 2])
    weight = np.exp(-(ankles[..., 2] - ankles[..., 2].min(1, keepdims=True)) / 0.02)
    weight /= weight.sum(1, keepdims=True)
    step = -(np.diff(ankles[..., :2], axis=0) * weight[1:, :, None]).sum(1)
    step[:, 1] += np.diff(travel[:, 0])
    path = np.zeros((len(points), 2))
    np.cumsum(_turned(step, heading[1:]), axis=0, out=path[1:])
    placed = np.empty_like(points)
    placed[..., :2] = _turned(points[..., :2], heading[:, None]) + path[:, None]
    height = ankle_height + travel[:, 1] - ankles[..., 2].min(1)
    placed[..., 2] = points[..., 2] + height[:, None]
    return placed


def _turned(vectors: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Horizontal vectors [..., 2] turned counter-clockwise by `angle` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def mirrored(points: np.ndarray) -> np.ndarray:
    """The left-handed person: [..., 17, 3] reflected in x, sides exchanged."""
    return points[..., _MIRROR, :] * np.array([-1.0, 1.0, 1.0])
