"""The 'tf' loader: makes the batches in tf.data. Imports TensorFlow, so it is imported last."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

Batch = dict[str, np.ndarray]


def tf_batches(
    make: Callable[[int], Batch],
    dtypes: Mapping[str, type],
    start: int,
    stop: int | None,
    *,
    workers: int,
    ahead: int,
) -> Iterator[Batch]:
    """The batches `make(step)` of the steps from `start` to `stop`, in order.

    tf.data carries step numbers in and finished batches out; what a batch holds is decided by
    `make` alone, so any step can be the first.

    Args:
      make: the batch of a step.
      dtypes: keys of a batch and their dtypes.
      start: first step.
      stop: the step after the last; None for no end.
      workers: how many batches are made at once.
      ahead: how many finished batches wait for the consumer.

    Raises:
      RuntimeError: `make` failed; the message holds its own.
    """
    tf.config.set_visible_devices([], "GPU")  # the accelerator is JAX's

    def read(step: np.int64) -> list[np.ndarray]:
        batch = make(int(step))
        return [batch[key] for key in dtypes]

    def element(step: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.numpy_function(read, [step], list(dtypes.values()))
        return dict(zip(dtypes, values, strict=True))

    steps = tf.data.Dataset.range(start, np.iinfo(np.int64).max if stop is None else stop)
    batches = steps.map(element, num_parallel_calls=workers, deterministic=True)
    return _iterate(batches.prefetch(ahead))


def _iterate(batches: tf.data.Dataset) -> Iterator[Batch]:
    try:
        yield from batches.as_numpy_iterator()
    except tf.errors.OpError as error:
        raise RuntimeError(f"making a batch failed: {error.message}") from error
