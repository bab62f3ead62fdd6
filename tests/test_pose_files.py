"""Pose estimators' own files: what each tool writes, with its pitfalls, becomes the same frames."""

import json
from pathlib import Path

import numpy as np
import pytest

from posec3d_jax.data.pose_files import TOOLS, Options
from posec3d_jax.data.pose_files.sequences import ids_of, to_arrays, with_joints
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.skeletons.skeleton import get_skeleton

SIZE = (100, 200)  # height, width
COCO = get_skeleton("coco_17").joints


def read(tool, path, **options):
    return TOOLS[tool].read(path, Options(**{"frame_size": SIZE} | options))


def save(path, contents) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(contents if isinstance(contents, str) else json.dumps(contents))
    return path


def person(x=10.0, joints=17, each=3, score=0.5):
    """A flat list of joints at (x, 20), (x + 1, 20), ..."""
    points = [[x + i, 20.0, score] for i in range(joints)]
    return [number for point in points for number in point[:each]]


def counts(frames):
    return [len(persons.keypoint) for persons in frames.frames]


def test_openpose_frames_by_number_missing_joints_and_empty_people(tmp_path):
    found = person(joints=25)
    found[3:6] = [0, 0, 0]
    people = [{"person_id": [-1], "pose_keypoints_2d": found}, {"pose_keypoints_2d": []}]
    save(tmp_path / "a_000000000003_keypoints.json", {"people": people})
    save(tmp_path / "a_000000000004_keypoints.json", {"people": []})
    save(tmp_path / "a_000000000006_keypoints.json", {"people": [{"pose_keypoints": found}]})
    frames = read("openpose", tmp_path)
    assert frames.joints == get_skeleton("body_25").joints and counts(frames) == [1, 0, 0, 1]
    assert not frames.frames[0].keypoint[0, 1].any() and frames.frames[0].score[0, 1] == 0
    assert frames.frames[0].keypoint[0, 2].tolist() == [12, 20] and not frames.has_ids
    layout = get_skeleton("body_25b").joints
    assert read("openpose", tmp_path, layout=layout).joints == layout
    with pytest.raises(BadSample, match="frame_size"):
        read("openpose", tmp_path, frame_size=None)
    save(tmp_path / "b_000000000004_keypoints.json", {"people": []})
    with pytest.raises(BadSample, match="several videos"):
        read("openpose", tmp_path)


@pytest.mark.parametrize(("scale", "x", "expected"), [("unit", 0.25, 50), ("signed", -0.5, 50)])
def test_openpose_keypoint_scale_is_told_from_the_numbers(tmp_path, scale, x, expected):
    joints = [x, 0.5, 0.9, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0] + [0.5, 0.5, 0.9] * 15
    save(tmp_path / "0.json", {"people": [{"person_id": [4], "pose_keypoints_2d": joints}]})
    (frame,) = read("openpose", tmp_path).frames
    assert frame.keypoint[0, 0, 0] == expected and frame.ids.tolist() == [0]
    middle = [100, 50] if scale == "signed" else [0, 0]  # 0, 0 is the middle of -1 to 1
    assert frame.keypoint[0, 1].tolist() == middle and not frame.score[0, 2]


def test_coco_results_and_annotations(tmp_path):
    results = [
        {"image_id": 7, "keypoints": person(), "score": 1},
        {"image_id": 9, "keypoints": person()},
    ]
    frames = read("coco_results", save(tmp_path / "r.json", results))
    assert counts(frames) == [1, 0, 1] and frames.frames[0].score[0, 0] == 0.5
    visible = person(score=2)
    visible[2], visible[5] = 0, 1
    images = [
        {"id": 30, "file_name": "b/2.jpg", "height": 100, "width": 200},
        {"id": 12, "file_name": "b/1.jpg", "height": 100, "width": 200},
    ]
    annotations = [{"image_id": 30, "keypoints": visible, "track_id": 5}]
    file = save(tmp_path / "a.json", {"images": images, "annotations": annotations})
    frames = read("coco_results", file, frame_size=None)
    assert counts(frames) == [0, 1] and frames.frame_size == SIZE and frames.has_ids
    assert frames.frames[1].score[0, :3].tolist() == [0, 1, 1]
    listed = save(tmp_path / "v.json", [{"image_id": 0, "keypoints": visible}])
    assert read("coco_results", listed).frames[0].score[0, :3].tolist() == [0, 1, 1]


def test_mmpose_inferencer_from_0_and_demo_from_1(tmp_path):
    points = np.reshape(person(each=2), (17, 2)).tolist()
    instance = {"keypoints": points, "keypoint_scores": [1.2] * 17, "bbox": [[1, 2, 3, 4]]}
    inferred = [{"frame_id": 0, "instances": []}, {"frame_id": 1, "instances": [instance]}]
    frames = read("mmpose", save(tmp_path / "i.json", inferred))
    assert counts(frames) == [0, 1] and frames.frames[1].score.max() == 1
    names = {str(i): name for i, name in enumerate(COCO[::-1])}
    demo = {
        "meta_info": {"keypoint_id2name": names},
        "instance_info": [{"frame_id": 2, "instances": [instance | {"track_id": 3}]}],
    }
    frames = read("mmpose", save(tmp_path / "d.json", demo))
    assert counts(frames) == [0, 1] and frames.joints == COCO[::-1] and frames.has_ids
    assert counts(read("mmpose", save(tmp_path / "one.json", [instance, instance]))) == [2]


def test_alphapose_flavours_and_wrapped_ids(tmp_path):
    results = [
        {"image_id": "0.jpg", "keypoints": person(score=1.7), "score": 2.9, "idx": [[2.0]]},
        {"image_id": "2.jpg", "keypoints": person(50.0), "score": 2.9, "idx": 9},
    ]
    frames = read("alphapose", save(tmp_path / "a.json", results))
    assert counts(frames) == [1, 0, 1] and frames.frames[0].score.max() == 1
    assert [p.ids.tolist() for p in frames.frames] == [[0], [], [1]]
    cmu = {"1.jpg": {"version": 0.1, "bodies": [{"joints": person(joints=18)}]}}
    frames = read("alphapose", save(tmp_path / "c.json", cmu))
    assert counts(frames) == [0, 1] and frames.joints == get_skeleton("openpose_18").joints


@pytest.mark.parametrize("tail", [[], [0.9], [4], [0.9, 4], [1.0, 4]])
@pytest.mark.parametrize("each", [2, 3])
def test_ultralytics_labels_columns_ids_and_second_runs(tmp_path, each, tail):
    joints = np.reshape(person(each=3, score=0.5), (17, 3)) / [200, 100, 1]
    joints[0] = 0
    line = " ".join(map(str, [0, 0.5, 0.5, 0.1, 0.1, *joints[:, :each].ravel(), *tail]))
    save(tmp_path / "labels" / "v_2.txt", f"{line}\n{line}\n")
    frames = read("ultralytics", tmp_path / "labels")
    assert counts(frames) == [0, 1], "frames count from 1, one without anybody has no file"
    assert frames.has_ids == (4 in tail) and "twice" in frames.notes[0]
    np.testing.assert_allclose(frames.frames[1].keypoint[0, 1], [11, 20], atol=1e-4)
    score = 0.5 if each == 3 else (tail[0] if tail and tail != [4] else 1)
    assert frames.frames[1].score[0, :2].tolist() == pytest.approx([0, score])


def test_ultralytics_json(tmp_path):
    keypoints = dict(x=[10.0] * 17, y=[20.0] * 17, visible=[0.0] + [0.8] * 16)
    result = {"name": "person", "track_id": 3, "keypoints": keypoints}
    frames = read("ultralytics", save(tmp_path / "a.json", [[], [result]]))
    assert counts(frames) == [0, 1] and frames.has_ids and frames.frames[1].score[0, 0] == 0
    lines = "\n".join(json.dumps(frame) for frame in ([result], [], [result]))
    assert counts(read("ultralytics", save(tmp_path / "b.json", lines))) == [1, 0, 1]


def test_mediapipe_json_outside_the_picture_and_nobody(tmp_path):
    landmarks = [dict(x=0.5, y=0.5, z=0, visibility=0.9) for _ in range(33)]
    landmarks[28] |= dict(y=1.3)
    for frame in (landmarks, {"pose_landmarks": landmarks}, {"pose_landmarks": [landmarks]}):
        frames = read("mediapipe", save(tmp_path / "a.json", [None, frame, []]))
        assert counts(frames) == [0, 1, 0] and frames.has_ids
        assert frames.frames[1].keypoint[0, 0].tolist() == [100, 50]
        assert not frames.frames[1].score[0, 28] and "outside" in frames.notes[0]


def blazepose_rows():
    """Two frames of x, y, z, visibility [2, 33, 4]."""
    rows = np.zeros((2, 33, 4))
    rows[:, :, 0], rows[:, :, 1], rows[:, :, 3] = np.arange(33) / 40, 0.5, 0.7
    rows[1, 0, :2] = np.nan
    return rows


@pytest.mark.parametrize("form", ["bare", "names", "mediapipe_names", "numbers", "long"])
def test_mediapipe_tables_without_a_standard(tmp_path, form):
    rows, joints = blazepose_rows(), get_skeleton("blazepose_33").joints
    lines = [",".join("" if np.isnan(v) else f"{v:g}" for v in row) for row in rows.reshape(2, -1)]
    if form == "names":
        header = ",".join(f"{name}_{a}" for name in joints for a in ("x", "y", "z", "visibility"))
    elif form == "mediapipe_names":
        swap = {"left_mouth": "MOUTH_LEFT", "right_mouth": "MOUTH_RIGHT"}
        header = ",".join(f"{swap.get(n, n.upper())}_{a}" for n in joints for a in "XYZV")
    elif form == "numbers":
        header = "class," + ",".join(f"{a}{i}" for i in range(1, 34) for a in "xyzv")
        lines = [f"wave,{line}" for line in lines]
    if form == "long":
        header = "frame,landmark,x,y,visibility"
        cells = [(t, j, *rows[t, j, [0, 1, 3]]) for t in range(2) for j in range(33)]
        lines = [",".join("" if v != v else str(v) for v in cell) for cell in cells]
    lines = lines if form == "bare" else [header, *lines]
    frames = read("mediapipe", save(tmp_path / "a.csv", "\n".join(lines)))
    assert counts(frames) == [1, 1] and frames.frames[1].score[0, 0] == 0
    np.testing.assert_allclose(frames.frames[0].keypoint[0, :, 0], np.arange(33) * 5, atol=1e-4)
    np.testing.assert_allclose(frames.frames[0].score[0], 0.7)


def test_deeplabcut_headers_empty_cells_and_h5(tmp_path):
    table = (
        "scorer,n,n,n,n,n,n\nbodyparts,Left Ear,Left Ear,Left Ear,snout,snout,snout\n"
        "coords,x,y,likelihood,x,y,likelihood\n0,10,20,0.5,,,\n2,11,21,0.6,30,40,1\n"
    )
    frames = read("deeplabcut", save(tmp_path / "a.csv", table))
    assert counts(frames) == [1, 0, 1] and frames.frames[0].score[0].tolist() == [0.5, 0]
    index = with_joints(frames, ("nose", "left_ear", "tail"), {"snout": "nose"})
    assert index.tolist() == [1, 0, -1]
    several = (
        "scorer,n,n,n,n\nindividuals,mouse1,mouse1,mouse2,mouse2\nbodyparts,a,a,a,a\n"
        "coords,x,y,x,y\nimg0001.png,,,5,6\nimg0002.png,1,2,7,8\n"
    )
    frames = read("deeplabcut", save(tmp_path / "b.csv", several))
    assert [p.ids.tolist() for p in frames.frames] == [[], [0], [1, 0]]
    with pytest.raises(BadSample, match="save_as_csv"):
        read("deeplabcut", save(tmp_path / "a.h5", "anything"))
    with pytest.raises(BadSample, match="no name in common"):
        with_joints(frames, ("nose",), {})


@pytest.mark.parametrize("order", ["track xy node frame", "frame track node xy", None])
def test_sleap_axes_nan_and_links(tmp_path, order):
    h5py = pytest.importorskip("h5py")
    tracks = np.full((2, 2, 3, 4), np.nan)  # track, xy, node, frame
    tracks[1, :, :, 1:3] = np.arange(6).reshape(2, 3, 1) + 1
    names = (order or "track xy node frame").split()
    axes = ["track xy node frame".split().index(name) for name in names]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("tracks", data=tracks.transpose(axes))
        if order:
            data.attrs["dims"] = json.dumps(names)
        file["node_names"] = np.array([b"head", b"thorax", b"tail"])
        file["outside"] = h5py.ExternalLink("other.h5", "/tracks")
    frames = read("sleap", tmp_path / "a.h5")
    assert frames.joints == ("head", "thorax", "tail") and counts(frames) == [0, 1, 1, 0]
    assert frames.frames[1].keypoint[0].tolist() == [[1, 4], [2, 5], [3, 6]]
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["tracks"]
        file["tracks"] = h5py.ExternalLink("other.h5", "/tracks")
    with pytest.raises(BadSample, match="elsewhere|no data set"):
        read("sleap", tmp_path / "a.h5")


def test_ids_become_rows_and_never_two_persons_one(tmp_path):
    results = [
        {"image_id": i, "keypoints": person(x), "idx": name}
        for i, x, name in [(0, 10.0, 7), (0, 60.0, 3), (1, 61.0, 3), (2, 12.0, 7)]
    ]
    frames = read("alphapose", save(tmp_path / "a.json", results))
    keypoint, score = to_arrays(frames, with_joints(frames, COCO[1:3], {}), ids_of(frames, None))
    assert keypoint[..., 0, 0].tolist() == [[11, 0, 13], [61, 62, 0]] and score.shape == (2, 3, 2)
    results[1]["idx"] = 7
    with pytest.raises(BadSample, match="twice"):
        read("alphapose", save(tmp_path / "b.json", results))


@pytest.mark.parametrize("tool", sorted(set(TOOLS) - {"openpose"}))
def test_damaged_files_are_told(tmp_path, tool):
    for suffix in TOOLS[tool].suffixes:
        for number, text in enumerate(("", "{", "[1]", '{"a": [[1]]}', "a,b\n1,2\n")):
            with pytest.raises(BadSample):
                read(tool, save(tmp_path / f"{number}{suffix}", text))


def test_numbers_that_ask_for_memory_are_refused(tmp_path):
    results = [{"image_id": i, "keypoints": person()} for i in (0, 1 << 40)]
    with pytest.raises(BadSample, match="frames are numbered"):
        read("coco_results", save(tmp_path / "a.json", results))


def test_real_openpose_and_rtmpose_of_the_same_video_agree(shared):
    poses = shared / "data" / "poses"
    size, layout = (1920, 1088), get_skeleton("body_25b").joints
    ours = poses / "openpose_body25b" / "balancing_cam03_json"
    openpose = read("openpose", ours, frame_size=size, layout=layout)
    rtmpose = read("openpose", poses / "rtmpose_halpe26" / "balancing_cam03_json", frame_size=size)
    assert rtmpose.joints == get_skeleton("halpe_26").joints
    assert len(openpose.frames) == len(rtmpose.frames) == 100
    apart = []
    for a, b in zip(openpose.frames, rtmpose.frames, strict=True):
        i, j = (with_joints(frames, COCO, {}) for frames in (openpose, rtmpose))
        both = (a.score[0, i] > 0.3) & (b.score[0, j] > 0.3)
        apart += np.linalg.norm(a.keypoint[0, i] - b.keypoint[0, j], axis=1)[both].tolist()
    assert np.median(apart) < 15, "pixels of a person 900 tall: the joints mean the same"


def test_real_holistic_arrays(shared):
    folder = shared / "data" / "poses" / "mediapipe_holistic"
    clip = next(path for path in sorted(folder.rglob("*")) if list(path.glob("*.npy")))
    frames = read("mediapipe", clip, frame_size=(480, 640))
    assert len(frames.frames) == 30 and frames.has_ids and "outside" in frames.notes[0]
    assert max(counts(frames)) == 1 and frames.frames[5].keypoint.max() < 640
