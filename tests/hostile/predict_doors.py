"""Clips that somebody gives to `posec3d predict`: valid ones of every form, and their reading."""

import io
import json
import pickle
from pathlib import Path

import numpy as np

from posec3d_jax.config import base
from posec3d_jax.data.readers.unlabelled import read_clips
from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.validation import check_sequence
from posec3d_jax.skeletons.skeleton import get_skeleton

NTU_NAME = "S001C001P001R001A001.skeleton"
_JOINT = "0.1 0.2 3.1 250 190 900 500 0 0 0 0 2\n"
NTU = "3\n" + ("1\n72057 0 1 1 0 0 0 0.1 -0.2 2\n25\n" + _JOINT * 25) * 3  # three frames


def files() -> list[tuple[str, bytes, object, object]]:
    """(name, content, value, dump) of one file of each form; see `doors.Door`."""
    points = np.random.default_rng(0).uniform(5, 95, (1, 3, 17, 2))
    clip = dict(keypoint=points, frame_size=np.array([100, 120]))
    sample = dict(keypoint=points, img_shape=(100, 120))
    lists = dict(keypoint=points.tolist(), frame_size=[100, 120])
    flat = np.random.default_rng(0).uniform(-1, 1, (2, 4, 150)).astype(np.float32)
    arrays = dict(x_train=flat, x_test=flat, y_train=np.eye(60)[:2], y_test=np.eye(60)[:2])
    return [
        ("clip.npz", _npz(clip), clip, _npz),
        ("clip.json", json.dumps(lists).encode(), lists, lambda v: json.dumps(v).encode()),
        ("clip.pkl", pickle.dumps(sample), sample, pickle.dumps),
        (NTU_NAME, NTU.encode(), None, None),
        ("NTU60_CS.npz", _npz(arrays), arrays, _npz),
    ]


def read(path: Path) -> ValidationReport:
    """Reads the clips of a file as prediction does, to the last."""
    config, report = base.get_config().data, ValidationReport()
    joints = "ntu_25" if path.suffix == ".skeleton" or path.name.startswith("NTU") else "coco_17"
    skeleton = get_skeleton(joints)
    for clip in read_clips(path, config, skeleton, report):
        check_sequence(clip, skeleton=skeleton, num_classes=60, max_persons=2, report=report)
    report.summary()
    return report


def _npz(arrays: dict) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
