"""Networks of RGB from videos to scores; what is wrong with a video is told before any work."""

from functools import partial
from itertools import islice
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax import train
from posec3d_jax.config import base, networks
from posec3d_jax.data.feed.gathering import gather, train_sampler
from posec3d_jax.data.feed.pipeline import train_batches
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.evaluate import evaluate
from posec3d_jax.export import export_model
from posec3d_jax.fuse import fuse
from posec3d_jax.predict import load_predictor
from posec3d_jax.recognise import Recogniser
from posec3d_jax.runs.evaluations import load_scores
from posec3d_jax.runs.metric_writer import METRICS_FILE, read_metrics
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.steps.protocol import ONE_CLIP
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.steps.state import TrainState
from posec3d_jax.train import train_and_evaluate
from posec3d_jax.video.clips import open_videos
from posec3d_jax.video.decoding import read_frames
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
    _check_predictions(config, tmp_path)


def _check_predictions(config, run):
    """Of a clip's video, or of its frames, as of the evaluation; and refusals."""
    predictor, source = load_predictor(run), open_source(config.data, "test")
    clip, expected = source.sequence(0), load_scores(run / "evaluations" / "test-1-clip")
    video = Path(config.data.video_root) / f"{clip.name}.mp4"
    frames = read_frames(video, range(clip.keypoint.shape[1]))
    for given in (video, frames):
        found = predictor(clip.keypoint, clip.score, clip.frame_size, given)
        np.testing.assert_allclose(found.scores, expected.scores[0], rtol=0, atol=1e-5)
    for given, message in (
        (None, "give the clip's frames"),
        (frames[1:], "frames, and poses of"),
        (frames.astype(np.float32), "expected uint8"),
        (video.with_name("none.mp4"), "does not exist"),
    ):
        with pytest.raises(ValueError, match=message):
            predictor(clip.keypoint, clip.score, clip.frame_size, given)
    for refused in (Recogniser, lambda run: export_model(run, run / "out.onnx")):
        with pytest.raises(ValueError, match="network of RGB frames"):
            refused(run)


def test_a_batch_depends_on_its_step_alone_and_processes_share_it(config):
    source = open_source(config.data, "train")
    options = config.data.video_root, config.data.video_name, (24, 32)
    videos = open_videos(*options, source.names, source.lengths)
    needs = make_recognizer(config).encoder.needs
    make = partial(train_batches, source, sampling=config.sampling, needs=needs, pictures=videos)
    make = partial(make, seed=0, batch_size=4)
    _, second = islice(make(), 2)
    again = next(make(start_step=1))
    parts = [next(make(start_step=1, process_index=i, process_count=2)) for i in (0, 1)]
    for key, values in second.items():
        np.testing.assert_array_equal(again[key], values)
        np.testing.assert_array_equal(np.concatenate([part[key] for part in parts]), values)


@pytest.fixture
def small_network(monkeypatch):
    """One that compiles in no time, and sees the frames."""

    def create_state(recognizer, optimizer, key):
        return TrainState(jnp.int32(0), {"w": jnp.ones(())}, {}, {})

    def make_train_step(recognizer, optimizer, label_smoothing, mixup):
        def step(state, batch, key):
            seen = batch["rgb"].mean() / 255 + batch["rgb_size"].mean() + batch["keypoint"].mean()
            weights = {"w": 0.9 * state.params["w"] + seen}
            metrics = {"loss": weights["w"], "top1": seen, "grad_norm": seen}
            return TrainState(state.step + 1, weights, {}, {}), metrics

        return step

    monkeypatch.setattr(train, "create_state", create_state)
    monkeypatch.setattr(train, "make_train_step", make_train_step)


def test_interrupted_and_resumed_a_run_ends_the_same(config, tmp_path, small_network):
    config = config.copy_and_resolve_references()
    config.data.val_split, config.train.epochs, config.train.checkpoint_every = "", 4, 1

    def stop(plan, step):
        if step == 3 * plan.per_epoch:
            raise InterruptedError

    whole = train_and_evaluate(config, tmp_path / "whole")
    with pytest.raises(InterruptedError):
        train_and_evaluate(config, tmp_path / "run", after_step=stop)
    assert train_and_evaluate(config, tmp_path / "run")["train/loss"] == whole["train/loss"]
    with pytest.raises(InterruptedError):
        train_and_evaluate(config, tmp_path / "other", after_step=stop)
    config.data.video_size = (12, 16)
    with pytest.raises(ValueError, match="RGB frames: decoded to 24 x 32.*now decoded to 12 x 16"):
        train_and_evaluate(config, tmp_path / "other")


def test_networks_of_rgb_alone_are_shown_the_box_of_every_frame(config):
    source = open_source(config.data, "train")
    needs = {"rgb": Needs(1), "pose": Needs(4, whole=True)}
    index = np.arange(2)
    frames = train_sampler(config.sampling, needs)(source.lengths[index], np.random.default_rng(0))
    assert list(frames) == ["rgb"]
    videos = open_videos(
        config.data.video_root, config.data.video_name, (24, 32), source.names, source.lengths
    )
    batch = gather(source, index, frames, needs, pictures=videos)
    assert batch["keypoint"].shape[2] == source.info.max_frames
    for row, clip in enumerate(map(source.sequence, index)):
        length = clip.keypoint.shape[1]
        np.testing.assert_array_equal(batch["keypoint"][row, 0, :length], clip.keypoint[0])
        assert (batch["keypoint"][row, 0, length:] == clip.keypoint[0, -1]).all()


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
    with pytest.raises(ValueError, match="video_root"):
        train_and_evaluate(config, tmp_path / "run")
