"""Networks of RGB from videos to scores; what is wrong with a video is told before any work."""

import numpy as np
import pytest

from posec3d_jax.config import base, networks
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.evaluate import evaluate
from posec3d_jax.fuse import fuse
from posec3d_jax.runs.metric_writer import METRICS_FILE, read_metrics
from posec3d_jax.steps.protocol import ONE_CLIP
from posec3d_jax.train import train_and_evaluate
from posec3d_jax.video.clips import open_videos
from tests.tiny import tiny_config
from tests.videos import LEVEL, write_video

pytest.importorskip("av", reason="videos need the extra 'video'")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A tiny network of both modalities, and a small video of every clip."""
    folder = tmp_path_factory.mktemp("rgb")
    config = tiny_config(folder)
    base.set_modalities(config, "rgbpose")
    config.model = networks.rgbpose(
        rgb_width=2, pose_width=1, rgb_blocks=(1,) * 4, pose_blocks=(1,) * 3
    )
    config.sampling.num_frames, config.rgb.num_frames = 4, 1
    config.rgb.train_resize, config.data.video_size = (20, 20), (24, 32)
    config.rgb.train_size = config.rgb.test_size = (16, 16)
    config.volume.train_size = config.volume.test_size = (4, 4)
    config.train.epochs, config.data.clips_per_class = 1, 1
    config.data.video_root = str(folder)
    for split in ("train", "test"):
        source = open_source(config.data, split)
        for name, length in zip(source.names, source.lengths, strict=True):
            write_video(folder / f"{name}.mp4", int(length), (24, 32))
    return config


def test_training_and_evaluation(config, tmp_path):
    config.data.val_split = ""
    last = train_and_evaluate(config, tmp_path)
    assert np.isfinite(last["train/loss"])
    lines = [line for line in read_metrics(tmp_path / METRICS_FILE) if "train/loss" in line]
    for line in lines:
        parts = line["train/loss_rgb"] + line["train/loss_pose"]
        assert line["train/loss"] == pytest.approx(parts, rel=1e-5)
    (result,) = evaluate(config, tmp_path, chosen=(ONE_CLIP,)).values()
    assert result["clips"] == len(open_source(config.data, "test"))
    figures = result["outputs"]
    assert list(figures)[2:] == ["rgb:pose 1:1", "rgb:pose 2:1", "rgb:pose 1:2"]
    apart = [tmp_path / "evaluations" / f"test-{output}-1-clip" for output in ("rgb", "pose")]
    again = fuse(apart, (2, 1))
    assert again["fused"]["top5"] == figures["rgb:pose 2:1"]["top5"]
    assert fuse(apart)["fused"]["top5"] == figures["rgb:pose 1:1"]["top5"] == result["top5"]


def test_frames_are_those_that_were_asked_for(config):
    source = open_source(config.data, "test")
    options = config.data.video_root, config.data.video_name, (24, 32)
    videos = open_videos(*options, source.names, source.lengths)
    part = videos(np.array([0, 3]), np.array([[5, 5, 1], [0, 2, 7]]))
    assert part["rgb"].dtype == np.uint8 and part["rgb_size"].tolist() == [[24, 32]] * 2
    levels = part["rgb"].mean((2, 3, 4))
    np.testing.assert_allclose(levels, 16 + LEVEL * np.array([[5, 5, 1], [0, 2, 7]]), atol=3)


def test_every_fault_is_told_before_any_work(config, tmp_path):
    write_video(tmp_path / "short.mp4", 5, (24, 32))
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(ValueError, match="3 of 3 videos") as caught:
        open_videos(tmp_path, "{name}.mp4", (24, 32), ["short", "broken", "none"], [6, 5, 5])
    text = str(caught.value)
    assert "clip 'short'" in text and "5 frames, its poses have 6" in text
    assert "clip 'broken'" in text and "none.mp4 does not exist" in text
    config = config.copy_and_resolve_references()
    config.data.video_root = ""
    with pytest.raises(ValueError, match="config.data.video_root"):
        train_and_evaluate(config, tmp_path / "run")
