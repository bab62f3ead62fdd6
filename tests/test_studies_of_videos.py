"""Studies that begin with videos: labels of files, what shapes tell, heatmaps or coordinates."""

import numpy as np
import pytest

from experiments import video_labels
from experiments.studies import interactions, pose_storage
from experiments.studies.stored_volumes import STORED, Clip, read_clips
from posec3d_jax.files.disk import write_json
from posec3d_jax.poses.estimator import Heatmaps
from posec3d_jax.poses.heatmap_file import write_arrays, write_heatmaps

TABLE = """file,label,label_id,source_set,sequence,frames,width,height,split_scene,split_seq
clips/a.mp4,hug,1,1,1,100,320,240,train,train
clips/b.mp4,kick,2,1,2,60,200,240,train,test
clips/c.mp4,hug,1,2,11,101,321,240,test,train
none/d.mp4,none,6,1,1,64,320,240,train,train
clips/e.mp4,kick,2,2,12,61,201,240,test,test
"""


def test_labels_of_videos(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(TABLE)
    rows = list(video_labels.ut_interaction(table))
    assert rows[0] == ("a.mp4", "hug", "sequences_train;parking_lot") and len(rows) == 4
    for name in ("a1_s1_t1", "a2_s1_t1", "a3_s2_t4", "other"):
        (tmp_path / f"{name}.mp4").touch()
    expected = [("a1_s1_t1.mp4", "a01", "train"), ("a3_s2_t4.mp4", "a03", "test")]
    assert list(video_labels.utd_mhad(tmp_path, every=2)) == expected


def test_the_nearest_shape_names_a_clip(tmp_path, monkeypatch):
    monkeypatch.setattr(interactions, "NEIGHBOURS", 1)
    table = tmp_path / "labels.csv"
    table.write_text(TABLE)
    found = dict(interactions.accuracies(table))
    assert found == {"sequences": 0.0, "scenes": 1.0, "each sequence left out": 1.0}


def test_shapes_tell_of_real_clips_what_their_publisher_says(shared):
    found = dict(interactions.accuracies(shared / "data/ut_interaction/labels.csv"))
    assert found["each sequence left out"] == pytest.approx(0.63, abs=0.005)


@pytest.fixture
def poses(tmp_path):
    """Two persons of whom one is seen in a frame only; their heatmaps have a peak at each joint."""
    rng = np.random.default_rng(0)
    keypoint = rng.integers(20, 80, (2, 3, 17, 2)).astype(np.float32)
    keypoint[1, 1:] = 0
    score = np.where(keypoint.any(-1), 0.8, 0).astype(np.float32)
    window = np.where(score.any(-1)[..., None], np.array([10, 10, 106, 106], np.float32), 0)
    maps = np.zeros((2, 3, 48, 48, 17), np.uint8)
    for m, t, v in np.argwhere(score > 0):
        x, y = ((keypoint[m, t, v] - 10) // 2).astype(int)
        maps[m, t, y, x, v] = 204
    clip = {"keypoint": keypoint, "score": score, "frame_size": np.array([120, 120])}
    write_arrays(tmp_path / "clip.npz", **clip, label=np.array(1))
    write_heatmaps(tmp_path / "clip.heatmaps", Heatmaps(maps, window))
    write_json(tmp_path / "splits.json", {"train": ["clip"]})
    return tmp_path


def test_heatmaps_and_coordinates_lie_at_the_same_places(poses):
    clips = {
        stored: next(read_clips(poses, "train", stored, persons=2, size=32)) for stored in STORED
    }
    volumes = [clips[stored].volume.astype(float) for stored in STORED]
    assert all(volume.shape == (3, 32, 32, 17) for volume in volumes)
    rows, columns = np.mgrid[:32, :32]
    centres = [
        np.stack([(v * axis[..., None]).sum((1, 2)) for axis in (rows, columns)]) / v.sum((1, 2))
        for v in volumes
    ]
    np.testing.assert_allclose(*centres, atol=0.6)
    with pytest.raises(FileNotFoundError, match="no clips of 'val'"):
        next(read_clips(poses, "val", "heatmaps", persons=1, size=32))


def test_stored_volumes_train_a_network():
    config = pose_storage.config_for("small", "ut_interaction", "thunder", seed=0)
    config.sampling.num_frames, config.model.width, config.data.num_classes = 2, 4, 2
    config.volume.train_size = config.volume.test_size = (8, 8)
    config.data.repeat, config.train.batch_size = 20, 4
    clips = []
    for n in range(8):
        volume = np.zeros((3, 8, 8, 17), np.float16)
        volume[:, 2:6, 2:6, n % 2] = 1
        clips.append(Clip(volume, n % 2))
    assert pose_storage.train_and_test(config, clips, clips) == 1.0
