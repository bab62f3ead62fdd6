"""What all encoders offer, whatever they make of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax

Batch = Mapping[str, jax.Array]


@dataclass(frozen=True)
class Encoder:
    """Two functions to call inside a jitted step, and the shapes of one clip that they make."""

    train: Callable[[Batch, jax.Array], jax.Array]  # (batch, key) to augmented input [B, ...]
    test: Callable[[Batch, int, bool], jax.Array]  # (batch, clips, mirror) to [B, views, ...]
    train_shape: tuple[int, ...]
    test_shape: tuple[int, ...]
