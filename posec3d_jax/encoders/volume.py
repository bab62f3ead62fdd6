"""From a batch of keypoints to heatmap volumes: geometry, then drawing, inside the jitted step."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from posec3d_jax.encoders.encoder import Batch, Encoder, Inputs, as_tuples
from posec3d_jax.encoders.heatmaps import keypoint_strokes, limb_strokes
from posec3d_jax.encoders.placement import (
    Geometry,
    place_for_test,
    place_for_training,
    with_mirrored_frames,
)
from posec3d_jax.kernels.strokes import Profiles, paint, with_height, with_mirror_image
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.skeletons.skeleton import Skeleton


@dataclass(frozen=True)
class Drawing:
    """The keys of `config.volume`, which says what they mean."""

    keypoints: bool
    limbs: bool
    sigma: float
    use_score: bool
    drop_missing: bool
    epsilon: float
    short_limb: str
    train_size: tuple[int, int]
    test_size: tuple[int, int]

    def __post_init__(self):
        if not (self.keypoints or self.limbs):
            raise ValueError("config.volume draws nothing: set keypoints, limbs or both to True")
        if self.short_limb not in ("start", "lower"):
            raise ValueError(
                f"config.volume.short_limb is {self.short_limb!r}; expected 'start' or 'lower'"
            )


@dataclass(frozen=True)
class VolumeEncoder:
    """Volumes [B, T, H, W, C] of a skeleton: joint channels, limb channels, or joints then limbs.

    Without `painted` they come as the profiles of joints, which a CPU convolves as they are.
    """

    skeleton: Skeleton
    frames: int  # of a clip
    geometry: Geometry
    drawing: Drawing
    target: str = "portable"
    painted: bool = True

    @classmethod
    def of(
        cls, config, skeleton: Skeleton, target: str = "portable", painted: bool = True
    ) -> "VolumeEncoder":
        """Of `config.volume`, `config.geometry` and `config.sampling`.

        Raises ValueError where they draw nothing, have a word that there is not, or draw limbs of
        which one has no mirror image: it could be trained but not tested.
        """
        geometry, drawing = (
            Geometry(**as_tuples(config.geometry)),
            Drawing(**as_tuples(config.volume)),
        )
        if drawing.limbs:
            _ = skeleton.flip_limbs
        return cls(skeleton, config.sampling.num_frames, geometry, drawing, target, painted)

    @property
    def channels(self) -> int:
        joints, limbs = self.skeleton.num_joints, self.skeleton.num_limbs
        return joints * self.drawing.keypoints + limbs * self.drawing.limbs

    def train(self, batch: Batch, key: jax.Array) -> Inputs:
        """Augmented volumes [B, T, H, W, C] of a batch; random numbers come from `key`."""
        keypoint, score = self.cleaned(batch)
        size, options = self.drawing.train_size, self._placing()
        placed = place_for_training(keypoint, score, batch["frame_size"], key, size=size, **options)
        return self.draw(*placed, size)

    def test(self, batch: Batch, num_clips: int, flip_views: bool) -> Inputs:
        """Volumes [B, views, T, H, W, C]: all clips, then, if asked for, all of them mirrored.

        The batch holds `num_clips` clips one after the other on the frame axis; the crop is taken
        over all of them together, as in the reference.
        """
        keypoint, score = self.cleaned(batch)
        size, geometry = self.drawing.test_size, self.geometry
        keypoint, frame_size = place_for_test(
            keypoint, batch["frame_size"], geometry=geometry, size=size
        )
        mirror_pixels = flip_views and geometry.mirrors_pixels
        if flip_views and not mirror_pixels:
            placed = (keypoint, score)
            keypoint, score = with_mirrored_frames(placed, frame_size, **self._placing())
        volumes = self.draw(keypoint, score, size, mirrored_too=mirror_pixels)
        return _split_views(volumes, num_clips * (1 + flip_views))

    def draw(
        self,
        keypoint: jax.Array,
        score: jax.Array,
        size: tuple[int, int],
        mirrored_too: bool = False,
    ) -> Inputs:
        """Volumes [B, T, *size, C] of keypoint [B, M, T, V, 2] in their pixels.

        `mirrored_too` draws twice the frames: all of them, then all with column x at W - 1 - x.
        """
        parts, options = [], {"sigma": self.drawing.sigma, "epsilon": self.drawing.epsilon}
        if self.drawing.keypoints:
            strokes = keypoint_strokes(keypoint, score, size, **options)
            parts.append((strokes, self.skeleton.flip_joints))
        if self.drawing.limbs:
            options |= {"short_limb": self.drawing.short_limb}
            limbs = jnp.array(self.skeleton.limbs)
            strokes = limb_strokes(keypoint, score, limbs, size, **options)
            parts.append((strokes, self.skeleton.flip_limbs))
        drawn = [with_mirror_image(*part) if mirrored_too else part[0] for part in parts]
        if not self.painted:
            return Profiles(with_height(drawn[0])[0], drawn[0].columns[0])
        volumes = [paint(strokes, self.target) for strokes in drawn]
        return volumes[0] if len(volumes) == 1 else jnp.concatenate(volumes, -1)

    def _placing(self) -> dict[str, Any]:
        return {"geometry": self.geometry, "skeleton": self.skeleton}

    def cleaned(self, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """Keypoint with zeros for what is not finite, and scores as the options say."""
        keypoint, score = batch["keypoint"], batch["score"]
        finite = jnp.isfinite(keypoint)
        keypoint = jnp.where(finite, keypoint, 0)
        if not self.drawing.use_score:
            # Persons that only pad the batch have neither coordinates nor scores: they stay unseen.
            person = jnp.any(keypoint != 0, (2, 3, 4)) | jnp.any(score != 0, (2, 3))
            score = jnp.broadcast_to(person[:, :, None, None], score.shape).astype(score.dtype)
        missing = ~finite.all(-1)
        if self.drawing.drop_missing:
            missing |= jnp.all(keypoint == 0, -1)
        return keypoint, jnp.where(missing, 0, score)


def _split_views(volumes: Inputs, views: int) -> Inputs:
    """[B, views T, ...] to [B, views, T, ...]; the persons of profiles come after the views."""
    if isinstance(volumes, Profiles):
        return jax.tree.map(
            lambda x: x.reshape(*x.shape[:2], views, -1, *x.shape[3:]).swapaxes(1, 2), volumes
        )
    return volumes.reshape(volumes.shape[0], views, -1, *volumes.shape[2:])


def volume_encoder(
    config, skeleton: Skeleton, target: str = "portable", painted: bool = True
) -> Encoder:
    """What `VolumeEncoder.of` the same arguments offers a step."""
    encoder = VolumeEncoder.of(config, skeleton, target, painted)
    drawing, frames, channels = encoder.drawing, encoder.frames, encoder.channels
    return Encoder(
        needs={"pose": Needs(frames)},
        train=encoder.train,
        test=encoder.test,
        train_shape=(frames, *drawing.train_size, channels),
        test_shape=(frames, *drawing.test_size, channels),
    )


def network_volume_encoder(config, skeleton: Skeleton, target: str) -> Encoder:
    """The encoder whose volumes a network convolves as fast as it can on that target.

    On a CPU joints of one or two persons are left unpainted; accelerators would wait for the loop
    over frames that takes.
    """
    joints_alone = config.volume.keypoints and not config.volume.limbs
    leave = target == "cpu" and joints_alone and config.data.max_persons <= 2
    leave = leave and not config.train.mixup  # of volumes; their profiles cannot be mixed
    return volume_encoder(config, skeleton, target, painted=not leave)
