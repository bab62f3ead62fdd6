"""Batches of keypoints for training and evaluation, as an iterator of numpy dicts.

A batch is made by a pure function of the step (order, frames, gather): what an encoder needs, of
each modality the frames that were drawn for it. A loader runs that function
ahead of the consumer. 'threads' needs nothing but Python, 'tf' runs it in tf.data; both give the
same batches, bit for bit.

Keys of a batch, for the rows of this process:
    keypoint   float32 [B, M, T, V, 2]  pixels; in evaluation T is num_clips * frames. Where the
                                        encoder needs the following frames twice that: those frames,
                                        then the one after each, NaN where the clip has ended
    score      float32 [B, M, T, V]
    frame_size float32 [B, 2]           (height, width), pixels
    label      int32 [B]
    index      int32 [B]                clip number in the source; -1 for padding
    rgb        uint8 [B, T', H, W, 3]   where the encoder needs RGB frames, and
    rgb_size   int32 [B, 2]             (height, width) of each clip's own in that array

Where the keypoints are on the device already, `rows` takes the place of keypoint and score:
    rows       int32 [B, M, T]          of the pack; ~row, which is below zero, for the frame after
                                        the end of a clip: the score of that row, and NaN
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from posec3d_jax.data.feed.gathering import Batch, Pictures, gather, test_sampler, train_sampler
from posec3d_jax.data.feed.order import batch_index, epoch_size, step_rng
from posec3d_jax.data.stored.sources import Source
from posec3d_jax.skeletons.needs import AllNeeds, Needs

RGB = {"rgb": np.uint8, "rgb_size": np.int32}
KEYPOINTS, ROWS = {"keypoint": np.float32, "score": np.float32}, {"rows": np.int32}
DTYPES = {  # and those of either
    "frame_size": np.float32,
    "label": np.int32,
    "index": np.int32,
}
LOADERS = ("threads", "tf")
_AHEAD = 4  # batches made before they are asked for
_WORKERS = min(4, os.cpu_count() or 1)  # numpy and ArrayRecord release the interpreter lock


def steps_per_epoch(
    source: Source, batch_size: int, repeat: int = 1, class_weights: Sequence[float] = ()
) -> int:
    """Steps that count as one epoch, rounded up: the last batch borrows from the next epoch."""
    return -(-epoch_size(source.labels, repeat, class_weights) // batch_size)


def train_batches(
    source: Source,
    *,
    sampling,
    needs: AllNeeds | None = None,
    seed: int,
    batch_size: int,
    start_step: int = 0,
    num_steps: int | None = None,
    repeat: int = 1,
    class_weights: Sequence[float] = (),
    process_index: int = 0,
    process_count: int = 1,
    loader: str = "threads",
    rows: bool = False,
    pictures: Pictures | None = None,
) -> Iterator[Batch]:
    """Training batches from `start_step` on; the batch of a step depends on (seed, step) alone.

    Args:
      source: the clips.
      sampling: `config.sampling` (method, num_frames, stride).
      needs: what the encoder asks for; by default `sampling.num_frames` frames of the pose.
      seed: of the order and of the frames.
      batch_size: global; every process gets `batch_size / process_count` of its rows.
      start_step: first step, to resume at.
      num_steps: how many; None never ends.
      repeat: passes over the clips that count as one epoch.
      class_weights: per class, how many times its clips enter an epoch; () for once.
      process_index: which process this is.
      process_count: how many there are.
      loader: 'threads' or 'tf'.
      rows: name the rows of the pack that `source` is, instead of reading them.
      pictures: reads the RGB frames, if the encoder needs any.

    Raises:
      ValueError: an unknown loader or method, or a batch that the processes cannot share evenly.
    """
    part = _local_rows(batch_size, process_index, process_count)
    if len(class_weights) not in (0, source.info.num_classes):
        raise ValueError(
            f"data.class_weights has {len(class_weights)} weights; expected none, or one for each "
            f"of the {source.info.num_classes} classes"
        )
    clips_of = batch_index(seed, batch_size, source.labels, repeat, class_weights)
    needs = needs or _pose_alone(sampling)
    draw = train_sampler(sampling, needs)

    def make(step: int) -> Batch:
        index = clips_of(step)
        frames = draw(source.lengths[index], step_rng(seed, step))
        frames = {name: chosen[part] for name, chosen in frames.items()}
        return gather(source, index[part], frames, needs, rows, pictures)

    stop = None if num_steps is None else start_step + num_steps
    what = (ROWS if rows else KEYPOINTS) | (RGB if "rgb" in needs else {})
    return _load(make, start_step, stop, loader, what)


def eval_batches(
    source: Source,
    *,
    sampling,
    needs: AllNeeds | None = None,
    num_clips: int = 1,
    batch_size: int,
    process_index: int = 0,
    process_count: int = 1,
    loader: str = "threads",
    pictures: Pictures | None = None,
) -> Iterator[Batch]:
    """Every clip exactly once over all processes, in the source's order, with fixed frames.

    All processes get equally many batches of equal shape; the last ones are filled with padding.

    Args:
      source: the clips.
      sampling: `config.sampling` (method, num_frames, stride, reference, test_seed).
      needs: as for `train_batches`.
      num_clips: views in time; their frames follow one another on the T axis.
      batch_size: global number of clips.
      process_index: which process this is.
      process_count: how many there are.
      loader: 'threads' or 'tf'.
      pictures: as for `train_batches`.

    Raises:
      ValueError: as for `train_batches`.
    """
    rows = _local_rows(batch_size, process_index, process_count)
    make_batch = _test_batch(source, sampling, needs, num_clips, pictures)

    def make(step: int) -> Batch:
        index = np.arange(step * batch_size, (step + 1) * batch_size, dtype=np.int32)[rows]
        return make_batch(np.where(index < len(source), index, -1))

    what = KEYPOINTS | (RGB if needs and "rgb" in needs else {})
    return _load(make, 0, -(-len(source) // batch_size), loader, what)


def whole_batch(
    source: Source,
    *,
    sampling,
    needs: AllNeeds | None = None,
    num_clips: int = 1,
    pictures: Pictures | None = None,
) -> Batch:
    """All clips of a small source as the one batch that `eval_batches` would give, made here."""
    make = _test_batch(source, sampling, needs, num_clips, pictures)
    return make(np.arange(len(source), dtype=np.int32))


def _test_batch(
    source: Source,
    sampling,
    needs: AllNeeds | None,
    num_clips: int,
    pictures: Pictures | None = None,
) -> Callable[[np.ndarray], Batch]:
    """Clip numbers [B], -1 for padding, to their batch."""
    needs = needs or _pose_alone(sampling)
    frames_of = test_sampler(sampling, needs, num_clips)

    def make(index: np.ndarray) -> Batch:
        clips = np.maximum(index, 0)
        frames = frames_of(source.lengths[clips])
        return gather(source, clips, frames, needs, pictures=pictures) | {"index": index}

    return make


def _pose_alone(sampling) -> AllNeeds:
    return {"pose": Needs(sampling.num_frames)}


def _local_rows(batch_size: int, process_index: int, process_count: int) -> slice:
    """The rows of the global batch that belong to this process."""
    if batch_size < 1 or batch_size % process_count:
        raise ValueError(
            f"batch size {batch_size} cannot be shared by {process_count} processes; expected a "
            "positive multiple of their number"
        )
    local = batch_size // process_count
    return slice(process_index * local, (process_index + 1) * local)


def _load(
    make: Callable[[int], Batch],
    start: int,
    stop: int | None,
    loader: str,
    what: dict[str, type] = KEYPOINTS,
) -> Iterator[Batch]:
    if loader == "threads":
        return _threads(make, start, stop)
    if loader == "tf":
        try:
            from posec3d_jax.data.feed.tf_pipeline import tf_batches
        except ModuleNotFoundError as error:
            raise ValueError(
                f"data.loader is 'tf', but {error.name} is not installed: install "
                "posec3d-jax[tf], or set --config.data.loader=threads"
            ) from error
        return tf_batches(make, what | DTYPES, start, stop, workers=_WORKERS, ahead=_AHEAD)
    raise ValueError(f"data.loader is {loader!r}; expected one of {LOADERS}")


def _threads(make: Callable[[int], Batch], start: int, stop: int | None) -> Iterator[Batch]:
    """Run `make` in worker threads, at most `_AHEAD` steps ahead, and yield in order.

    An exception in `make` is raised at its step. Closing the iterator (or dropping it) stops the
    workers after the batches they are at.
    """
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="batches")
    pending = deque()
    step = start
    try:
        while stop is None or step < stop or pending:
            while len(pending) < _AHEAD and (stop is None or step < stop):
                pending.append(pool.submit(make, step))
                step += 1
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
