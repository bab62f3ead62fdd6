"""Recognition of single clips: keypoints, scores and the frame size in, class probabilities out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from posec3d_jax.config import stored
from posec3d_jax.data.feed.pipeline import whole_batch
from posec3d_jax.data.records import SkeletonSequence, ValidationReport
from posec3d_jax.data.stored.info import DatasetInfo
from posec3d_jax.data.stored.packs import from_sequences
from posec3d_jax.data.validation import check_sequence
from posec3d_jax.files import disk
from posec3d_jax.files.arrays import BadSample, load_npz
from posec3d_jax.machine import host
from posec3d_jax.runs import records
from posec3d_jax.runs.checkpoints import find_checkpoint, load_model
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol
from posec3d_jax.steps.recognizer import make_eval_step, make_recognizer


@dataclass(frozen=True)
class Prediction:
    """What the network says of a clip; `warnings` tells what was odd about the input."""

    label: int
    class_name: str
    scores: np.ndarray  # float32 [K], probabilities
    class_names: tuple[str, ...]
    warnings: tuple[str, ...]

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k likeliest classes with their probabilities."""
        best = np.argsort(-self.scores)[:k]
        return [(self.class_names[i], float(self.scores[i])) for i in best]


class Predictor:
    """A loaded network. The first call compiles, which takes seconds; no other does.

    Clips of any length and number of persons make arrays of one shape: `sampling.num_frames` frames
    are chosen of each, and absent persons are padding.
    """

    def __init__(
        self,
        config,
        variables: Any,
        protocol: Protocol = ONE_CLIP,
        class_names: tuple[str, ...] = (),
    ):
        """`variables` {'params', 'batch_stats'}; `protocol` says how many views are averaged."""
        self._config, self._protocol = config, protocol
        self._recognizer = make_recognizer(_undamaged(config))
        self._variables = jax.jit(self._recognizer.fold)(variables)
        step = make_eval_step(self._recognizer, protocol.clips, protocol.flip)
        self._step = jax.jit(step, compiler_options=host.compiler_options())
        self._names = names_of_classes(config.data, class_names)
        self._info = DatasetInfo("clip", self._recognizer.skeleton, config.data.num_classes)

    @property
    def skeleton(self) -> Skeleton:
        """The joints that clips are to have."""
        return self._recognizer.skeleton

    @property
    def class_names(self) -> tuple[str, ...]:
        """K of them, in order of label."""
        return self._names

    @property
    def max_persons(self) -> int:
        """How many persons of a clip are looked at."""
        return self._config.data.max_persons

    def __call__(
        self, keypoint: np.ndarray, score: np.ndarray | None, frame_size: tuple[int, int]
    ) -> Prediction:
        """Recognises one clip.

        Args:
          keypoint: [M, T, V, 2] (x, y) in pixels of the frame, in the joint order of
            config.data.skeleton; missing joints are exact zeros or NaN. [T, V, 2] is one person.
          score: [M, T, V] confidences, or None where there are none.
          frame_size: (height, width) pixels.

        Raises:
          ValueError: an array of another shape, or no frame at all; says what was expected.
        """
        batch, warnings = self.prepare(keypoint, score, frame_size)
        return self.prediction(self.scores(batch)[0], warnings)

    def prepare(
        self, keypoint: np.ndarray, score: np.ndarray | None, frame_size: tuple[int, int]
    ) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        """A clip checked, its frames chosen, as a batch of one; and what was odd about it.

        The batches of several clips have the same shapes, and may be put together along the first
        axis for `scores`. Arguments and errors are those of a call.
        """
        sequence, warnings = self._checked(keypoint, score, frame_size)
        return self._batch(sequence), warnings

    def scores(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Probabilities [B, K] of prepared clips; another B compiles again."""
        return np.asarray(self._step(self._variables, batch)["scores"])

    def prediction(self, scores: np.ndarray, warnings: tuple[str, ...] = ()) -> Prediction:
        """Probabilities [K] with their names."""
        label = int(scores.argmax())
        return Prediction(label, self._names[label], scores, self._names, warnings)

    def _checked(self, keypoint, score, frame_size) -> tuple[SkeletonSequence, tuple[str, ...]]:
        keypoint = np.asarray(keypoint)
        keypoint = keypoint[None] if keypoint.ndim == 3 else keypoint
        if score is not None:
            score = np.asarray(score)
            score = score[None] if score.ndim == 2 else score
        report, data = ValidationReport(), self._config.data
        size = tuple(int(side) if side == side // 1 else side for side in frame_size)
        sequence = check_sequence(
            SkeletonSequence("clip", keypoint, score, size, 0),
            skeleton=self._recognizer.skeleton,
            num_classes=data.num_classes,
            max_persons=data.max_persons,
            report=report,
        )
        if sequence is None:
            raise ValueError("; ".join(str(finding) for finding in report.errors))
        return sequence, tuple(finding.message for finding in report.warnings)

    def _batch(self, sequence: SkeletonSequence) -> dict[str, np.ndarray]:
        source = from_sequences(self._info, [sequence], self._config.data.max_persons)
        batch = whole_batch(source, sampling=self._config.sampling, num_clips=self._protocol.clips)
        return {name: batch[name] for name in ("keypoint", "score", "frame_size", "label")}


def _undamaged(config):
    """The config without its test noise, which is for studies and not for anybody's clips."""
    config = config.copy_and_resolve_references()
    config.noise.in_test = False
    return config


def names_of_classes(config_data, stored: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A name for each class that the network tells apart: 'class 3' where there is none.

    Args:
      config_data: `config.data`.
      stored: as the run knows them; () for the config's. Names of another number of classes than
        the network has, as of the data set that a config was copied from, are nobody's.
    """
    chosen = tuple(name for name, _ in config_data.classes)
    for names in (stored, chosen, tuple(config_data.class_names)):
        if len(names) == config_data.num_classes:
            return names
    return tuple(f"class {k}" for k in range(config_data.num_classes))


def load_predictor(
    workdir: str | Path, checkpoint: str = "latest", protocol: Protocol = ONE_CLIP
) -> Predictor:
    """The network of a run's directory, to be called with clips.

    Args:
      workdir: of the run.
      checkpoint: 'latest', 'best', a step or a folder.
      protocol: how many views of a clip are averaged; `protocols(config)` has the recipe's many.
    """
    config = stored.load_config(workdir)
    recognizer = make_recognizer(config)
    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    folder = Path(checkpoint) if Path(checkpoint).is_dir() else find_checkpoint(workdir, checkpoint)
    names = disk.read_json(Path(workdir) / records.RUN_FILE).get("class_names", ())
    return Predictor(config, load_model(folder, like), protocol, tuple(names))


def load_clip(path: str | Path) -> tuple[np.ndarray, np.ndarray | None, tuple[int, ...]]:
    """Keypoint, score (or None) and frame size of an `.npz` file, for `Predictor.__call__`.

    Raises FileNotFoundError without the file; ValueError where it is damaged or lacks one of them.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the clip as an .npz file")
    try:
        arrays = load_npz(path)
    except BadSample as bad:
        raise ValueError(f"{path}: {bad}") from bad
    if missing := {"keypoint", "frame_size"} - set(arrays):
        raise ValueError(f"{path} lacks {sorted(missing)}")
    size = arrays["frame_size"]
    if size.shape != (2,) or size.dtype.kind not in "iuf":
        raise ValueError(f"{path}: frame_size is {size.dtype} {size.shape}, expected 2 numbers")
    return arrays["keypoint"], arrays.get("score"), tuple(size.tolist())


def predict(
    keypoint: np.ndarray,
    score: np.ndarray | None,
    frame_size: tuple[int, int],
    *,
    workdir: str | Path,
    protocol: Protocol = ONE_CLIP,
) -> Prediction:
    """One clip, once; see `Predictor.__call__`. For many clips keep a `load_predictor`."""
    return load_predictor(workdir, protocol=protocol)(keypoint, score, frame_size)
