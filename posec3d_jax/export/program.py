"""What is exported: keypoints, scores and frame sizes in, probabilities out, weights inside."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from posec3d_jax.config import stored
from posec3d_jax.engines.exported import INPUTS
from posec3d_jax.files import disk
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.runs import records
from posec3d_jax.runs.checkpoints import find_checkpoint, load_model
from posec3d_jax.runs.records import names_of_classes
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.steps.protocol import Protocol
from posec3d_jax.steps.recognizer import Recognizer, make_eval_step, make_recognizer


@dataclass(frozen=True)
class Program:
    """A run's network as one function of arrays of fixed sizes, but for the batch."""

    config: Any  # of the run, with the persons of the export
    recognizer: Recognizer
    variables: Any  # folded
    protocol: Protocol
    class_names: tuple[str, ...]
    checkpoint: str

    @property
    def frames(self) -> int:
        """T of the inputs: the frames of all clips, one clip after the other."""
        return self.needs.frames * (1 + self.needs.following) * self.protocol.clips

    @property
    def needs(self) -> Needs:
        """What of the poses the network is shown."""
        return self.recognizer.encoder.needs["pose"]

    def shapes(self, batch: int) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Of `INPUTS`, float32; `batch` may be a symbol."""
        persons, joints = self.config.data.max_persons, self.recognizer.skeleton.num_joints
        sizes = (
            (batch, persons, self.frames, joints, 2),
            (batch, persons, self.frames, joints),
            (batch, 2),
        )
        return tuple(jax.ShapeDtypeStruct(size, jnp.float32) for size in sizes)

    @property
    def function(self) -> Callable[[jax.Array, jax.Array, jax.Array], jax.Array]:
        """keypoint [B, M, T, V, 2], score [B, M, T, V] and frame_size [B, 2] to [B, K]."""
        step = make_eval_step(self.recognizer, self.protocol.clips, self.protocol.flip)

        def recognise(keypoint, score, frame_size):
            batch = dict(zip(INPUTS, (keypoint, score, frame_size), strict=True))
            batch["label"] = jnp.zeros(keypoint.shape[0], jnp.int32)  # of the loss, which is unused
            return step(self.variables, batch)["scores"]

        return recognise

    @property
    def draws(self) -> bool:
        """Whether the network is shown a heatmap volume."""
        return self.config.encoder == "volume"

    @property
    def drawing(self) -> Callable[[jax.Array, jax.Array, jax.Array], jax.Array]:
        """The same inputs to the volume [B, T, H, W, C] of the first view."""

        def draw(keypoint, score, frame_size):
            batch = dict(zip(INPUTS, (keypoint, score, frame_size), strict=True))
            return self.recognizer.encoder.test(batch, self.protocol.clips, False)[:, 0]

        return draw


def load_program(
    workdir: str | Path,
    checkpoint: str,
    protocol: Protocol,
    persons: int,
    target: str,
    config: Any = None,
) -> Program:
    """The network of a run's directory, for that target of `kernels.target.TARGETS`.

    Args:
      workdir: of the run.
      checkpoint: 'latest', 'best', a step or a folder.
      protocol: which views of a clip are averaged.
      persons: M; 0 for the config's `data.max_persons`.
      target: 'portable' to be exported, '' to be run here.
      config: another one of the same network, instead of the run's.

    Raises:
      ValueError, FileNotFoundError: there is no such run or checkpoint, or it cannot be read.
    """
    workdir = local_folder(workdir)
    config = stored.load_config(workdir) if config is None else config
    config = config.copy_and_resolve_references()
    config.noise.in_test = False
    config.compute_dtype = "float32"
    config.data.max_persons = persons or config.data.max_persons
    recognizer = make_recognizer(config, target)
    if "rgb" in recognizer.encoder.needs:
        raise ValueError(
            f"{workdir} holds a network of RGB frames; only those of poses alone can be exported"
        )
    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    folder = Path(checkpoint) if Path(checkpoint).is_dir() else find_checkpoint(workdir, checkpoint)
    variables = jax.jit(recognizer.fold)(load_model(folder, like))
    names = tuple(disk.read_json(workdir / records.RUN_FILE).get("class_names", ()))
    names = names_of_classes(config.data, names)
    return Program(config, recognizer, variables, protocol, names, Path(folder).name)
