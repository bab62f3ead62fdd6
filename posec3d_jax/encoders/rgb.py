"""What networks of RGB are shown: frames cropped to the persons, and their heatmaps beside them.

The reference's pipelines of RGB-only and RGBPose networks, in their order; frames and keypoints are
cropped, resized and mirrored together.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.encoder import Batch, Encoder, Inputs, as_tuples
from posec3d_jax.encoders.frames import crop_resized, flip_frames, normalised
from posec3d_jax.encoders.volume import VolumeEncoder
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.skeletons.skeleton import Skeleton


@dataclass(frozen=True)
class FrameOptions:
    """The keys of `config.rgb`, which says what they mean."""

    num_frames: int
    train_resize: tuple[int, int]
    train_size: tuple[int, int]
    test_size: tuple[int, int]


@dataclass(frozen=True)
class FrameEncoder:
    """Frames float32 [B, T, H, W, 3], normalised; with `pose` {'rgb': those, 'pose': volumes}.

    A batch holds `rgb` uint8 [B, T, H, W, 3] and `rgb_size` int [B, 2], the frames' own height and
    width in it; keypoints are scaled where they were annotated at another `frame_size`.
    """

    options: FrameOptions
    volume: VolumeEncoder
    pose: bool

    def train(self, batch: Batch, key: jax.Array) -> Inputs:
        """Augmented frames, and volumes; random numbers come from `key`."""
        geometry, options = self.volume.geometry, self.options
        crop_key, flip_key = jax.random.split(key)
        keypoint, score, box = self._boxed(batch)
        count = len(box)
        full = jnp.broadcast_to(jnp.array(options.train_resize, jnp.float32), (count, 2))
        start, size = jnp.zeros_like(full), full
        if geometry.crop_area != (1.0, 1.0):
            shape = {"area": geometry.crop_area, "aspect": geometry.crop_aspect}
            start, size = g.random_window(crop_key, full, **shape)
        chosen = jax.random.bernoulli(flip_key, geometry.flip, (count,))
        frames = crop_resized(batch["rgb"], batch["rgb_size"], box, options.train_resize)
        window = jnp.concatenate([start[:, ::-1], (start + size)[:, ::-1]], -1).astype(jnp.int32)
        frames = crop_resized(frames, full.astype(jnp.int32), window, options.train_size)
        frames = normalised(flip_frames(frames, chosen))
        if not self.pose:
            return frames
        keypoint, _ = g.resize(keypoint, _extent(box), full)
        keypoint, size = keypoint - start[:, None, None, None, ::-1], size
        keypoint, size = g.resize(keypoint, size, jnp.array(options.train_size))
        joints = self.volume.skeleton.flip_joints
        keypoint, score = g.flip(
            keypoint, score, size[:, 1], joints, chosen, missing=geometry.missing
        )
        return {"rgb": frames, "pose": self._drawn(keypoint, score, size, training=True)}

    def test(self, batch: Batch, num_clips: int, flip_views: bool) -> Inputs:
        """All clips of a sample [B, views, T, ...], then, if asked for, all of them mirrored.

        One crop serves all clips, as in the reference, which never mirrors.
        """
        keypoint, score, box = self._boxed(batch)
        size = self.options.test_size
        frames = crop_resized(batch["rgb"], batch["rgb_size"], box, size)
        if flip_views:
            frames = jnp.concatenate([frames, frames[:, :, :, ::-1]], 1)
        views = num_clips * (1 + flip_views)
        frames = normalised(frames).reshape(len(box), views, -1, *size, 3)
        if not self.pose:
            return frames
        keypoint, size = g.resize(keypoint, _extent(box), jnp.array(size))
        volumes = self._drawn(keypoint, score, size, training=False, mirrored_too=flip_views)
        return {"rgb": frames, "pose": volumes.reshape(len(box), views, -1, *volumes.shape[2:])}

    def _boxed(self, batch: Batch) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Keypoint in pixels of the box around the persons, score, and the box int [B, 4]."""
        keypoint, score = self.volume.cleaned(batch)
        keypoint, size = g.resize(keypoint, batch["frame_size"], batch["rgb_size"])
        geometry = self.volume.geometry
        if not geometry.compact:
            box = jnp.concatenate([jnp.zeros_like(size), size[:, ::-1]], -1)
        else:
            names = ("padding", "threshold", "hw_ratio", "allow_imgpad", "missing")
            box = g.compact_box(keypoint, size, **{n: getattr(geometry, n) for n in names})
        present = g.is_present(keypoint, geometry.missing)
        keypoint = jnp.where(present, keypoint - box[:, None, None, None, :2], 0)
        return keypoint, score, box.astype(jnp.int32)

    def _drawn(self, keypoint, score, size, *, training: bool, mirrored_too: bool = False):
        """The volumes, at their own size, of joints in pixels of the frames."""
        drawing = self.volume.drawing
        target = drawing.train_size if training else drawing.test_size
        keypoint, _ = g.resize(keypoint, size, jnp.array(target))
        return self.volume.draw(keypoint, score, target, mirrored_too=mirrored_too)


def _extent(box: jax.Array) -> jax.Array:
    """Height and width [B, 2] of boxes [B, 4]."""
    return (box[:, 2:] - box[:, :2])[:, ::-1].astype(jnp.float32)


def rgb_encoder(config, skeleton: Skeleton, target: str = "portable") -> Encoder:
    """Frames alone; poses only say where the persons are."""
    return _frame_encoder(config, skeleton, target, pose=False)


def rgbpose_encoder(config, skeleton: Skeleton, target: str = "portable") -> Encoder:
    """Frames and heatmap volumes, each with its own number of frames."""
    return _frame_encoder(config, skeleton, target, pose=True)


def _frame_encoder(config, skeleton: Skeleton, target: str, *, pose: bool) -> Encoder:
    volume = VolumeEncoder.of(config, skeleton, target)
    options = FrameOptions(**as_tuples(config.rgb))
    encoder = FrameEncoder(options, volume, pose)
    shapes = []
    for size, drawn in (
        (options.train_size, volume.drawing.train_size),
        (options.test_size, volume.drawing.test_size),
    ):
        rgb = (options.num_frames, *size, 3)
        shapes.append(
            {"rgb": rgb, "pose": (volume.frames, *drawn, volume.channels)} if pose else rgb
        )
    # Where poses are not drawn, the box around the persons is that of all their frames.
    needs = {"rgb": Needs(options.num_frames), "pose": Needs(volume.frames, whole=not pose)}
    return Encoder(needs, encoder.train, encoder.test, *shapes)
