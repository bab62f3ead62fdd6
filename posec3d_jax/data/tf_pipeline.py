"""The 'tf' loader: runs the batch function in tf.data. The only module besides the builder that imports
TensorFlow."""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

Batch = dict[str, np.ndarray]


def tf_batches(
    make: Callable[[int], Batch], start: int, stop: int | None, workers: int, ahead: int
) -> Iterator[Batch]:
    """Batches of the steps from `start` to `stop` (None: without end), in order.

    tf.data carries step numbers in and finished batches out; what a batch holds is decided by `make`
    alone, so any step can be the first.

    Raises:
      RuntimeError: `make` failed; the message holds its own.
    """
    tf.config.set_visible_devices([], "GPU")  # the accelerator is JAX's
    sample = make(start) if stop is None or start < stop else {}
    keys, dtypes = list(sample), [value.dtype for value in sample.values()]

    def read(step: np.int64) -> list[np.ndarray]:
        batch = make(int(step))
        return [batch[key] for key in keys]

    def element(step: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.numpy_function(read, [step], dtypes)
        return dict(zip(keys, values, strict=True))

    steps = tf.data.Dataset.range(start, np.iinfo(np.int64).max if stop is None else stop)
    if not keys:
        return iter(())
    batches = steps.map(element, num_parallel_calls=workers, deterministic=True).prefetch(ahead)
    return _plain(batches)


def _plain(batches: tf.data.Dataset) -> Iterator[Batch]:
    try:
        yield from batches.as_numpy_iterator()
    except tf.errors.OpError as error:
        raise RuntimeError(f"making a batch failed: {error.message}") from error
