"""NTU RGB+D: .skeleton files, their splits and bodies, the shared arrays; packs within a pickle."""

import numpy as np
import pytest

from posec3d_jax.data.readers.ntu import splits_of
from tests.reading import CAMERA, read, sample, write

NAME = "S001C002P001R001A024"


def _body(frames, seed, motion=0.02, tall=1.6):
    """[T, 25, 5]: metres and colour pixels of somebody upright who moves about."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((-0.3, 0, 3), (0.3, tall, 3.2), (25, 3)) + np.cumsum(
        rng.normal(0, motion, (frames, 1, 3)), axis=0
    )
    pixels = points[..., :2] * (300, -300) + (960, 800)
    return np.concatenate([points, pixels], axis=-1).astype(np.float32)


def _write(path, frames, bodies):
    """A .skeleton file; `bodies` maps a number to its first frame and [T, 25, 5]."""
    lines = [str(frames)]
    for frame in range(frames):
        here = {n: b[frame - at] for n, (at, b) in bodies.items() if at <= frame < at + len(b)}
        lines.append(str(len(here)))
        for number, joints in here.items():
            lines += [f"7205759403792{number} 0 1 1 0 0 0 0.1 -0.2 2", "25"]
            for x, y, z, u, v in joints:
                lines.append(f"{x} {y} {z} 250.5 190.2 {u} {v} 0.1 0.2 0.3 0.4 2")
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "nturgb+d_skeletons"
    place.mkdir()
    _write(place / f"{NAME}.skeleton", 30, {1: (0, _body(30, 0))})
    _write(
        place / "S002C001P003R001A058.skeleton", 20, {1: (0, _body(20, 1)), 2: (5, _body(15, 2))}
    )
    return place


def test_a_folder_as_pixels_of_the_colour_image(folder):
    dataset, clips, report = read("ntu_rgbd", folder, "ntu_25")
    assert not report.errors and len(dataset.class_names) == 60
    clip = clips[NAME]
    assert clip.keypoint.shape == (1, 30, 25, 2) and clip.frame_size == (1080, 1920)
    np.testing.assert_allclose(clip.keypoint[0], _body(30, 0)[..., 3:], rtol=1e-5)
    assert clip.label == 23 and clip.score.min() == 1
    two = clips["S002C001P003R001A058"]
    assert two.keypoint.shape == (2, 20, 25, 2)
    assert sorted(two.score.sum(axis=(1, 2))) == [375, 500]


def test_the_same_in_three_dimensions_is_projected(folder):
    dataset, clips, _ = read("ntu_rgbd", folder, "ntu_25", coordinates="3d")
    clip = clips[NAME]
    assert clip.frame_size == CAMERA["image_size"] and "projected from 3-D" in dataset.notes[0]
    heights = _body(30, 0)[0, :, 1]
    assert (np.argsort(-heights) == np.argsort(clip.keypoint[0, 0, :, 1])).all(), "y points down"


def test_splits_follow_from_names():
    names = [NAME, "S002C001P003R001A058", "S018C003P103R002A120", "S017C001P040R001A001"]
    splits = splits_of(names)
    assert splits["xsub_train"] == (names[0], names[2])
    assert splits["xsub_val"] == (names[1], names[3])
    assert set(splits["xview_train"]) == {names[0], names[2]}
    assert set(splits["xset_train"]) == {names[1], names[2]}
    assert set(splits["xset_val"]) == {names[0], names[3]}


def test_furniture_and_short_tracks_go_and_a_person_found_again_continues(tmp_path):
    wide = _body(30, 3)
    wide[..., 0] *= 6  # a sofa
    person = _body(30, 0)
    bodies = {
        1: (0, person[:12]),
        2: (15, person[15:]),  # the same one under another number, after three frames without
        3: (0, wide),
        4: (20, _body(8, 5, motion=1.0)),  # a flicker
    }
    _write(tmp_path / f"{NAME}.skeleton", 30, bodies)
    _, clips, _ = read("ntu_rgbd", tmp_path, "ntu_25")
    clip = clips[NAME]
    assert clip.keypoint.shape == (1, 27, 25, 2)
    np.testing.assert_allclose(clip.keypoint[0, -1], person[-1, :, 3:], rtol=1e-5)


def test_missing_skeletons_are_left_out_by_list_or_told(folder, tmp_path):
    _write(folder / "S001C003P002R002A001.skeleton", 5, {})
    (folder / "S001C003P002R002A002.skeleton").write_text("3\n1\n72 0 1\n")
    (folder / "mine.skeleton").write_text("0\n")
    _, clips, report = read("ntu_rgbd", folder, "ntu_25")
    kinds = {f.sample: f.kind for f in report.errors}
    assert kinds["S001C003P002R002A001"] == "no_person" and kinds["mine"] == "bad_name"
    assert kinds["S001C003P002R002A002"] == "unreadable_file" and len(clips) == 2
    listed = tmp_path / "missing.txt"
    listed.write_text("These are missing\nS001C003P002R002A001\nS001C003P002R002A002\n")
    dataset, _, report = read("ntu_rgbd", folder, "ntu_25", missing=str(listed))
    assert dataset.total == 3 and {f.sample for f in report.errors} == {"mine"}
    with pytest.raises(FileNotFoundError, match="reader_options.missing"):
        read("ntu_rgbd", folder, "ntu_25", missing="gone.txt")


def test_arrays_that_graph_network_projects_share(tmp_path):
    data = np.zeros((3, 12, 2, 25, 3), np.float32)
    for i in range(3):
        data[i, : 8 + i, 0] = _body(8 + i, i)[..., :3]
    data[2, :4, 1] = _body(4, 9)[..., :3]
    flat, labels = data.reshape(3, 12, 150), np.eye(60)[[4, 0, 59]]
    path = tmp_path / "NTU60_CS.npz"
    np.savez(path, x_train=flat[:2], y_train=labels[:2], x_test=flat[2:], y_test=labels[2:])
    dataset, clips, report = read("ntu_rgbd", path, "ntu_25")
    assert dataset.splits == {"train": ("train_000000", "train_000001"), "test": ("test_000000",)}
    assert [clip.label for clip in clips.values()] == [4, 0, 59] and not report.findings
    shapes = [clip.keypoint.shape[:2] for clip in clips.values()]
    assert shapes == [(1, 8), (1, 9), (2, 10)]
    content = bytearray(path.read_bytes())
    content[1000] ^= 1  # within x_train
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"NTU60_CS.npz is damaged: .*copy it again"):
        read("ntu_rgbd", path, "ntu_25")
    np.savez(path, x_train=flat[..., :75], y_train=labels)
    with pytest.raises(ValueError, match=r"expected x_train, x_test \[N, T, 150\]"):
        read("ntu_rgbd", path, "ntu_25")


@pytest.mark.parametrize("total", [9, None])
def test_a_pack_within_the_sample_is_unfolded(tmp_path, total):
    rows = np.random.default_rng(0).uniform(5, 95, (5, 17, 3)).astype(np.float16)
    frames = np.array([0, 0, 2, 3, 3])
    packed = sample("a", keypoint=rows, frame_inds=frames, keypoint_score=None, total_frames=total)
    dataset, clips, report = read("pyskl", write(tmp_path / "a.pkl", [packed]))
    assert not report.errors and "compressed poses unfolded" in dataset.notes[0]
    clip = clips["a"]
    assert clip.keypoint.shape == (2, 3, 17, 2)
    np.testing.assert_array_equal(clip.keypoint[1, 0], rows[1, :, :2])
    np.testing.assert_array_equal(clip.score[0, 1], rows[2, :, 2])
    with pytest.raises(ValueError, match="17 joints"):
        read("pyskl", tmp_path / "a.pkl", "ntu_25")
