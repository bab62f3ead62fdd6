"""Every way into the package: valid files, and the function of ours that reads one."""

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.io import savemat

from posec3d_jax.config import base, stored
from posec3d_jax.data.readers import read_dataset
from posec3d_jax.data.records import ValidationReport
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.data.validation import check_dataset
from posec3d_jax.prepare import prepare
from posec3d_jax.reports.inspection import describe, inspect_dataset
from posec3d_jax.runs.evaluations import Scores, load_scores, save_scores
from posec3d_jax.runs.metric_writer import METRICS_FILE, validation_top1
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.weights.checkpoint_file import read_checkpoint
from tests.hostile import orbax_folders, predict_doors, video_doors
from tests.hostile.pose_doors import as_bytes, pose_files
from tests.reference import FIXTURES

CAMERA = dict(kind="orthographic", image_size=(256, 256), focal=0.0, yaw=0.0, pitch=0.0)


@dataclass(frozen=True)
class Door:
    """One kind of file. `read` takes the file's path, after `valid` was changed and written."""

    kind: str
    name: str  # of the file, below a folder of the door's own
    valid: bytes
    read: Callable[[Path], object]
    value: object = None  # what `dump` turns into the bytes; None for files changed as bytes only
    dump: Callable[[object], bytes] | None = None


def doors(folder: Path) -> list[Door]:
    """All of them; what must lie beside a file is put into `folder`/<kind>."""
    return [
        *_pickles(folder),
        *_directory(folder),
        *_published(folder),
        *_poses(folder),
        *_checkpoints(),
        *_orbax(folder),
        *_prepared(folder),
        *_runs(folder),
        *_to_predict(),
        *_videos(),
    ]


def _drain(reader: str, path: Path, skeleton: str, classes: int, **options) -> ValidationReport:
    """Reads a data set as `prepare` does, to its last clip."""
    report = ValidationReport()
    dataset = read_dataset(
        reader,
        path,
        skeleton=get_skeleton(skeleton),
        camera=CAMERA,
        report=report,
        options=options,
    )
    for _ in check_dataset(dataset, num_classes=classes, max_persons=2, report=report):
        pass
    report.summary()
    json.dumps(report.to_dict())
    return report


def _points(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(5, 95, shape)


def _pickles(folder: Path) -> list[Door]:
    samples = [
        {
            "frame_dir": f"clip{i}",
            "label": i,
            "total_frames": 3,
            "img_shape": (100, 120),
            "keypoint": _points(1, 3, 17, 2).astype(np.float16),
            "keypoint_score": np.full((1, 3, 17), 0.75, np.float16),
        }
        for i in range(2)
    ]
    packs = [
        {
            "frame_dir": "k0",
            "label": 1,
            "total_frames": 5,
            "img_shape": (100, 120),
            "frame_inds": np.array([0, 0, 2, 3], np.int16),
            "box_score": np.full(4, 0.9),
            "valid": {0.5: 3},
            "raw_file": "packs.pkl",
        }
    ]
    rows = {"k0": {"keypoint": _points(4, 17, 3).astype(np.float16)}}
    values = {
        "plain": {"split": {"train": ["clip0"], "val": ["clip1"]}, "annotations": samples},
        "packs": packs,
    }
    found = []
    for name, value in values.items():
        place = folder / f"pickle {name}"
        place.mkdir()
        (place / "packs.pkl").write_bytes(pickle.dumps(rows))
        for protocol in (0, 2, 4, 5):
            found.append(
                Door(
                    "pickle",
                    f"pickle {name}/annotations.pkl",
                    pickle.dumps(value, protocol),
                    lambda path: _drain("pyskl", path, "coco_17", 60, valid_ratio=0.1),
                    value,
                    lambda value, protocol=protocol: pickle.dumps(value, protocol),
                )
            )
    return found


def _npz(arrays: dict) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _mat(value: dict) -> bytes:
    file = io.BytesIO()
    savemat(file, value, do_compression=True)
    return file.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _directory(folder: Path) -> list[Door]:
    place = folder / "directory"
    (place / "day2").mkdir(parents=True)
    points = _points(1, 3, 17, 2)
    clip = dict(keypoint=points, score=np.ones((1, 3, 17)), frame_size=(100, 120), label=1)
    lists = dict(keypoint=points.tolist(), frame_size=[100, 120], label=0)
    splits = {"train": ["a"], "test": ["day2/b", "../../x"]}
    files = {
        "a.npz": ("npz", clip, _npz),
        "day2/b.json": ("json", lists, _json),
        "splits.json": ("json", splits, _json),
        "classes.json": ("json", ["wave", "jump"], _json),
    }
    for name, (_, value, dump) in files.items():
        (place / name).write_bytes(dump(value))

    def read(path):
        return _drain("directory", place, "coco_17", 2)

    return [
        Door(kind, f"directory/{name}", dump(value), read, value, dump)
        for name, (kind, value, dump) in files.items()
    ]


def _published(folder: Path) -> list[Door]:
    x = np.full((4, 13), 50.0)
    penn = dict(action="squat", x=x, y=x, visibility=x > 0, train=1, dimensions=[[100, 120, 4]])
    ucla = dict(file_name="a01_s01_e00_v01", skeletons=_points(3, 20, 3).tolist(), label=1)
    sbu = "\n".join(",".join(map(str, [i, *_points(90).round(2)])) for i in range(3))
    kinect = "\n".join(" ".join(map(str, [i, *_points(60).round(2)])) for i in range(3))
    blaze = {"a1_s1_t1": _points(3, 33, 3), "a2_s2_t1": _points(2, 33, 3)}
    skeleton = {"d_skel": _points(20, 3, 4)}
    segments, kinect_20 = "s01_e01\nwalk: 0 2\n", ("utd_mhad_kinect", "kinect_20_utd")
    readers = [
        ("mat", "penn/0001.mat", "penn_action", "penn_13", 15, penn, _mat),
        ("mat", "utd/a1_s1_t1_skeleton.mat", *kinect_20, 27, skeleton, _mat),
        ("npz", "blaze/blazepose.npz", "utd_mhad_blazepose", "blazepose_33", 27, blaze, _npz),
        ("json", "ucla/a01_s01_e00_v01.json", "nw_ucla", "kinect_20", 10, ucla, _json),
        ("text", "sbu/s01s02/01/001/skeleton_pos.txt", "sbu", "sbu_15", 8, sbu, None),
        ("text", "kinect/joints_s01_e01.txt", "utkinect", "kinect_20", 10, kinect, None),
        ("text", "kinect/actionLabel.txt", "utkinect", "kinect_20", 10, segments, None),
        (
            "text",
            f"ntu/{predict_doors.NTU_NAME}",
            "ntu_rgbd",
            "ntu_25",
            60,
            predict_doors.NTU,
            None,
        ),
    ]
    found = []
    for kind, name, reader, layout, classes, value, dump in readers:
        valid = dump(value) if dump else value.encode()
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(valid)
        root = folder / name.split("/")[0]

        def read(path, reader=reader, root=root, layout=layout, classes=classes):
            return _drain(reader, root, layout, classes)

        found.append(Door(kind, name, valid, read, value if dump else None, dump))
    return found


def _poses(folder: Path) -> list[Door]:
    """Pose estimators' files, each read as a data set of one clip."""
    found = []
    for number, (tool, layout, name, value) in enumerate(pose_files()):
        root = folder / f"poses {number}"
        place, valid = root / "wave" / name, as_bytes(name, value)
        place.parent.mkdir(parents=True)
        place.write_bytes(valid)

        def read(path, tool=tool, root=root, layout=layout):
            return _drain(tool, root, layout, 1, frame_size=(100, 120))

        kind = {".json": "json", ".npy": "npz", ".h5": "hdf5"}.get(place.suffix, "text")
        door = place.relative_to(folder).as_posix()
        if isinstance(value, bytes):
            found.append(Door(kind, door, valid, read))
        else:
            dump = partial(as_bytes, name)
            found.append(Door(kind, door, valid, read, value, dump))
    return found


def _checkpoints() -> list[Door]:
    names = ("objects.pth", "objects_legacy.pth", "tiny_x3d_se_swish.safetensors")
    return [
        Door("checkpoint", name, (FIXTURES / name).read_bytes(), read_checkpoint) for name in names
    ]


def _orbax(folder: Path) -> list[Door]:
    """Every file that is read of a checkpoint folder without checksums."""
    run, found = folder / "orbax", []
    checkpoint = orbax_folders.write_run(run)
    for path in sorted(p for p in checkpoint.rglob("*") if p.is_file()):
        data, name = path.read_bytes(), path.relative_to(folder).as_posix()
        if "training" in path.parts or path.name == "commit_success.txt":
            continue
        value, dump = (json.loads(data), _json) if data.startswith(b"{") else (None, None)
        found.append(Door("orbax", name, data, lambda path: orbax_folders.load(run), value, dump))
    return found


def _prepared(folder: Path) -> list[Door]:
    """A prepared data set of either storage: what is read of it when training begins."""
    found = []
    for storage in ("pack", "tfds"):
        place = folder / f"prepared {storage}"
        config = base.get_config().data
        config.format, config.source = "directory", str(folder / "directory")
        config.num_classes, config.val_split, config.test_split = 2, "", ""
        config.storage, config.dir = storage, str(place)
        prepare(config, skip_bad=True, progress=lambda line: None)

        def read(path, config=config, place=place):
            describe(inspect_dataset(place))
            source = open_source(config, "train")
            source.gather(np.array([0]), np.array([[0, 1]]))

        for path in sorted(p for p in place.rglob("*") if p.is_file()):
            value, dump = None, None
            if path.suffix == ".json":
                value, dump = json.loads(path.read_text()), _json
            elif path.suffix == ".npz":
                value, dump = dict(np.load(path)), _npz
            name = path.relative_to(folder).as_posix()
            found.append(Door("prepared", name, path.read_bytes(), read, value, dump))
    return found


def _to_predict() -> list[Door]:
    """Clips of every form, without labels."""
    return [
        Door("to predict", f"to predict {i}/{name}", data, predict_doors.read, value, dump)
        for i, (name, data, value, dump) in enumerate(predict_doors.files())
    ]


def _videos() -> list[Door]:
    """Videos, and labels beside them."""
    found = [
        Door("video", f"videos/{name}", data, video_doors.read)
        for name, data in video_doors.files()
    ]
    labels = video_doors.LABELS
    return [*found, Door("text", "labels/labels.csv", labels, video_doors.read_labels)]


def _runs(folder: Path) -> list[Door]:
    """Of a run's directory what is plain data: its config and its scores."""
    place = folder / "run"
    place.mkdir()
    labels = np.arange(3) % 2
    scores = np.random.default_rng(0).random((3, 2)).astype(np.float32)
    save_scores(place / "scores.npz", Scores(("a", "b", "c"), labels, scores, (), "1 clip"))
    scores = dict(np.load(place / "scores.npz"))
    config = {"volume": {"sigma": 0.6}, "evaluate": {}, "seed": 0}
    lines = b'{"step": 1, "train/loss": 2.5}\n{"step": 2, "val/top1": 0.5, "epoch": 1.0}\n'
    return [
        Door("run", f"run/{METRICS_FILE}", lines, lambda path: validation_top1(path.parent)),
        Door("run", "run/scores.npz", _npz(scores), load_scores, scores, _npz),
        Door(
            "run",
            f"run/{stored.CONFIG_FILE}",
            _json(config),
            lambda path: stored.load_config(path.parent),
            config,
            _json,
        ),
    ]
