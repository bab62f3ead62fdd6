"""Which clips make up a batch: a pure function of (seed, step), the same on any number of hosts.

An epoch is a permutation of all entries (every clip `repeat` times, or weighted by class). Epochs
follow one another without a seam: where the last batch of an epoch is not full, it is filled from
the next. So every batch has the same shape and one compilation serves them all.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

# Keeps the streams of random numbers apart that share a seed.
_ORDER, _FRAMES = 0, 1


def _philox(*entropy: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy)))


def step_rng(seed: int, step: int) -> np.random.Generator:
    """The generator of everything drawn for the global batch of `step`."""
    return _philox(seed, _FRAMES, step)


def class_copies(
    labels: np.ndarray, repeat: int, class_weights: Sequence[float]
) -> list[tuple[np.ndarray, int, int]]:
    """How often each class enters an epoch.

    A class of weight w has floor(w * repeat) copies of each clip, and int(fraction * count) more
    clips drawn at random, as PYSKL's class-specific sampler does for NTU120.

    Args:
      labels: int [N].
      repeat: passes that count as one epoch.
      class_weights: one weight a class, not negative.

    Returns:
      A list over the classes present of (clip indices, copies of each, how many more at random).

    Raises:
      ValueError: a label without a weight, or a weight that is negative.
    """
    weights = np.asarray(class_weights, dtype=np.float64)
    if labels.size and labels.max() >= len(weights):
        raise ValueError(
            f"data.class_weights has {len(weights)} weights, but there are clips of class "
            f"{labels.max()}; expected one weight for every class"
        )
    if weights.size and not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"data.class_weights has {weights.min()}; expected weights >= 0")
    copies = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        times = weights[label] * repeat
        copies.append((members, int(times), int((times - int(times)) * len(members))))
    return copies


def epoch_size(labels: np.ndarray, repeat: int = 1, class_weights: Sequence[float] = ()) -> int:
    """Number of entries of an epoch; every epoch has as many."""
    if repeat < 1:
        raise ValueError(f"data.repeat is {repeat}; expected at least 1")
    if not len(class_weights):
        return len(labels) * repeat
    copies = class_copies(labels, repeat, class_weights)
    return sum(len(members) * times + extra for members, times, extra in copies)


def epoch_order(
    seed: int, epoch: int, labels: np.ndarray, repeat: int = 1, class_weights: Sequence[float] = ()
) -> np.ndarray:
    """The clips of an epoch in order: int32 [epoch_size], a pure function of the arguments."""
    rng = _philox(seed, _ORDER, epoch)
    if not len(class_weights):
        entries = np.tile(np.arange(len(labels), dtype=np.int32), repeat)
    else:
        parts = []
        for members, times, extra in class_copies(labels, repeat, class_weights):
            parts += [np.tile(members, times), rng.choice(members, extra, replace=False)]
        entries = np.concatenate(parts).astype(np.int32)
    return rng.permutation(entries)


def batch_index(
    seed: int,
    batch_size: int,
    labels: np.ndarray,
    repeat: int = 1,
    class_weights: Sequence[float] = (),
) -> Callable[[int], np.ndarray]:
    """The function step -> int32 [batch_size], the clips of the global batch of that step.

    It holds the last few epochs' orders; any step may be asked for at any time, from any thread.

    Raises:
      ValueError: a negative seed, or nothing to draw from.
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}; expected a number >= 0")
    size = epoch_size(labels, repeat, class_weights)
    if size == 0:
        raise ValueError("an epoch would be empty: no clips, or every class has weight 0")

    @lru_cache(maxsize=3)
    def order(epoch: int) -> np.ndarray:
        return epoch_order(seed, epoch, labels, repeat, class_weights)

    def batch(step: int) -> np.ndarray:
        position = np.arange(step * batch_size, (step + 1) * batch_size, dtype=np.int64)
        epoch, place = np.divmod(position, size)
        parts = [order(int(e))[place[epoch == e]] for e in np.unique(epoch)]
        return np.concatenate(parts)

    return batch
