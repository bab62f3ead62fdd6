"""Recognition of clips, from arrays or any file that the readers read: class probabilities out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.config import stored
from posec3d_jax.data.axes import third_channel
from posec3d_jax.data.conversion import convert
from posec3d_jax.data.feed.pipeline import whole_batch
from posec3d_jax.data.pose_files.sequences import Link
from posec3d_jax.data.readers.unlabelled import read_clips
from posec3d_jax.data.readers.views import camera_of, project_scored
from posec3d_jax.data.records import SkeletonSequence, ValidationReport
from posec3d_jax.data.stored.info import DatasetInfo
from posec3d_jax.data.stored.packs import from_sequences
from posec3d_jax.data.validation import check_sequence
from posec3d_jax.engines.engine import Engine
from posec3d_jax.engines.exported import ExportedEngine
from posec3d_jax.files import disk
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.reports.predictions import Prediction
from posec3d_jax.runs.records import RUN_FILE, names_of_classes
from posec3d_jax.skeletons.planes import source_layout
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol
from posec3d_jax.video.clips import frames_of_clip, video_among


class Predictor:
    """Clips prepared on the host for the network that an engine runs (`engines`).

    Clips of any length and number of persons make arrays of one shape: `sampling.num_frames` frames
    are chosen of each, and absent persons are padding.
    """

    def __init__(
        self,
        config,
        engine: Engine,
        class_names: tuple[str, ...] = (),
        frames_side: int = 0,
    ):
        """Prepares clips as `config` says, for the network that `engine` runs.

        `frames_side`: the short side of the stored frames that a network of RGB was trained on; 0
        where they were decoded to `data.video_size`.
        """
        self._config, self._side = config, frames_side
        self.engine = engine
        self._names = names_of_classes(config.data, class_names)
        self._source = source_layout(config.data)
        self._info = DatasetInfo("clip", engine.skeleton, config.data.num_classes)

    @property
    def skeleton(self) -> Skeleton:
        """The joints that clips are to have."""
        return self.engine.skeleton

    @property
    def source_skeleton(self) -> Skeleton:
        """The joints that the run's data came in; they are converted to `skeleton`."""
        return self._source

    @property
    def data(self) -> Any:
        """`config.data` of the run."""
        return self._config.data

    @property
    def class_names(self) -> tuple[str, ...]:
        """K of them, in order of label."""
        return self._names

    @property
    def max_persons(self) -> int:
        """How many persons of a clip are looked at."""
        return self._config.data.max_persons

    @property
    def needs_frames(self) -> bool:
        """Whether it is a network of RGB, which a clip's frames have to be given to."""
        return "rgb" in self.engine.needs

    def __call__(
        self,
        keypoint: np.ndarray,
        score: np.ndarray | None = None,
        frame_size: tuple[int, int] | None = None,
        frames: np.ndarray | str | Path | None = None,
    ) -> Prediction:
        """Recognises one clip.

        Args:
          keypoint: [M, T, V, 2] (x, y) in pixels of the frame; missing joints are exact zeros or
            NaN. [T, V, 2] is one person. The joints are those of config.data.skeleton, which are
            converted as they were for the training (config.data.remap_to), or those of the network.
            [M, T, V, 3] without a frame size is 3-D, and projected with config.data.camera.
          score: [M, T, V] confidences, or None where there are none.
          frame_size: (height, width) pixels.
          frames: for networks of RGB, uint8 [T, H, W, 3], one a pose; or the clip's video file.

        Raises:
          ValueError: an array of another shape or an ambiguous one, or no frame at all; says what
            was expected.
          FileNotFoundError: there is no such video.
        """
        batch, warnings = self.prepare(keypoint, score, frame_size, frames)
        return self.prediction(self.scores(batch)[0], warnings)

    def recognise(
        self, clip: SkeletonSequence, frames: np.ndarray | str | Path | None = None
    ) -> Prediction:
        """The same of a reader's clip, in the joints of the data; its label does not count."""
        layouts = self._source, self.skeleton
        batch, warnings = self._prepared(clip, layouts, frames)
        return self.prediction(self.scores(batch)[0], warnings)

    def prepare(
        self,
        keypoint: np.ndarray,
        score: np.ndarray | None = None,
        frame_size: tuple[int, int] | None = None,
        frames: np.ndarray | str | Path | None = None,
    ) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        """A clip checked, its frames chosen, as a batch of one; and what was odd about it.

        The batches of several clips have the same shapes, and may be put together along the first
        axis for `scores`. Arguments and errors are those of a call.
        """
        keypoint = np.asarray(keypoint)
        keypoint = keypoint[None] if keypoint.ndim == 3 else keypoint
        if score is not None:
            score = np.asarray(score)
            score = score[None] if score.ndim == 2 else score
        keypoint, score, frame_size = self._flat(keypoint, score, frame_size)
        size = tuple(int(side) if side == side // 1 else side for side in frame_size)
        clip = SkeletonSequence("clip", keypoint, score, size, 0)
        return self._prepared(clip, (self.skeleton, self._source), frames)

    def scores(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Probabilities [B, K] of prepared clips; of a run another B compiles again."""
        return self.engine.scores(batch)

    @property
    def has_volume(self) -> bool:
        """Whether there is a heatmap volume to be had of a clip."""
        return self.engine.draws

    def volume(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """What the network is shown of a prepared clip: float32 [T, H, W, C], of its first view.

        Raises ValueError for a network that is shown something else, or that was exported.
        """
        return self.engine.volume(batch)[0]

    def prediction(self, scores: np.ndarray, warnings: tuple[str, ...] = ()) -> Prediction:
        """Probabilities [K] with their names."""
        label = int(scores.argmax())
        return Prediction(label, self._names[label], scores, self._names, warnings)

    def _flat(self, keypoint, score, frame_size) -> tuple:
        """Pixels, scores and frame size, from three channels where there are so many."""
        data = self._config.data
        if keypoint.ndim == 4 and keypoint.shape[3] == 3 and keypoint.dtype.kind in "fiu":
            configured = dict(data.reader_options).get("third_channel", "")
            beside = ["frame_size"] if frame_size is not None else []
            if third_channel(keypoint, configured, beside) == "score":
                keypoint, score = keypoint[..., :2], keypoint[..., 2]
            else:
                keypoint, score = project_scored(keypoint, score, camera_of(data), "score")
                frame_size = data.camera["image_size"]
        if frame_size is None:
            raise ValueError("frame_size is None; pixels need the frame's (height, width)")
        return keypoint, score, frame_size

    def _checked(
        self, clip: SkeletonSequence, layouts: tuple[Skeleton, Skeleton]
    ) -> tuple[SkeletonSequence, tuple[str, ...]]:
        """The clip in the network's joints; it comes in the first of the layouts that fits."""
        report, data, target = ValidationReport(), self._config.data, self.skeleton
        joints = clip.keypoint.shape[2] if clip.keypoint.ndim == 4 else 0
        layout = next((one for one in layouts if one.num_joints == joints), layouts[0])
        sequence = check_sequence(
            replace(clip, label=0),
            skeleton=layout,
            num_classes=data.num_classes,
            max_persons=data.max_persons,
            report=report,
        )
        if sequence is None:
            raise ValueError("; ".join(str(finding) for finding in report.errors))
        (sequence,) = convert([sequence], layout, target, "float32", report)
        return sequence, tuple(finding.message for finding in report.warnings)

    def _prepared(
        self, clip: SkeletonSequence, layouts: tuple[Skeleton, Skeleton], frames
    ) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        """The clip as a batch of one, and what was odd about it or its video."""
        sequence, warnings = self._checked(clip, layouts)
        pictures, remarks = None, ()
        if self.needs_frames:
            length, data = sequence.keypoint.shape[1], self._config.data
            options = sequence.frame_size, data.video_step, tuple(data.video_size), self._side
            pictures, remarks = frames_of_clip(frames, length, *options)
        source = from_sequences(self._info, [sequence], self._config.data.max_persons)
        batch = whole_batch(
            source,
            sampling=self._config.sampling,
            needs=self.engine.needs,
            num_clips=self.engine.protocol.clips,
            pictures=pictures,
        )
        del batch["index"]
        return batch, (*warnings, *remarks)


def load_predictor(
    workdir: str | Path, checkpoint: str = "latest", protocol: Protocol = ONE_CLIP
) -> Predictor:
    """The network of a run's directory, to be called with clips.

    Args:
      workdir: of the run.
      checkpoint: 'latest', 'best', a step or a folder.
      protocol: how many views of a clip are averaged; `protocols(config)` has the recipe's many.
    """
    import jax  # here, with all that imports it: an exported network needs none of it

    from posec3d_jax.engines.xla import XlaEngine
    from posec3d_jax.runs.checkpoints import find_checkpoint, load_model
    from posec3d_jax.steps.recognizer import make_recognizer

    workdir = local_folder(workdir)
    config = stored.load_config(workdir)
    like = jax.eval_shape(make_recognizer(config).init, jax.random.key(0))
    folder = Path(checkpoint) if Path(checkpoint).is_dir() else find_checkpoint(workdir, checkpoint)
    record = disk.read_json(workdir / RUN_FILE)
    names, side = tuple(record.get("class_names", ())), record.get("frames", {}).get("side", 0)
    return Predictor(config, XlaEngine(config, load_model(folder, like), protocol), names, side)


def load_exported(file: str | Path) -> Predictor:
    """The network of an ONNX file of `posec3d export`, run by ONNX Runtime; JAX is not loaded.

    Its labels are those of the run, probabilities to 1e-5: clips are prepared by the same code.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is none of these, or ONNX Runtime is not installed; says what to do.
    """
    engine = ExportedEngine(file)
    return Predictor(engine.config, engine, engine.class_names)


def predict_files(
    path: str | Path,
    predictor: Predictor,
    link: Link | None = None,
    videos: str | Path = "",
) -> Iterator[tuple[str, Prediction | str]]:
    """The name of each clip of a file or folder, with what is recognised in it, or what is wrong.

    Args:
      path: any form that the readers read, see data/readers/unlabelled.py. Labels are not needed.
      predictor: a loaded network.
      link: tells who is who in pose files without ids.
      videos: for networks of RGB, a clip's video, or the folder of the clips', which are called as
        `data.video_name` of the run says.

    Raises:
      FileNotFoundError, ValueError: the whole input cannot be used; says why.
    """
    report, shown, pattern = ValidationReport(), 0, predictor.data.video_name
    for clip in read_clips(path, predictor.data, predictor.source_skeleton, report, link):
        for finding in report.errors[shown:]:
            yield finding.sample, str(finding)
        shown = len(report.errors)
        try:
            yield clip.name, predictor.recognise(clip, video_among(videos, pattern, clip.name))
        except (ValueError, FileNotFoundError) as error:
            yield clip.name, str(error)
    for finding in report.errors[shown:]:
        yield finding.sample, str(finding)


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
