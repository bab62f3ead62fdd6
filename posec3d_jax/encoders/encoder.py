"""What all encoders offer, whatever they make of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax

from posec3d_jax.kernels.strokes import Profiles
from posec3d_jax.skeletons.needs import AllNeeds

Batch = Mapping[str, jax.Array]
# An array, a volume that is not painted, or several by name.
Inputs = jax.Array | Profiles | Mapping[str, jax.Array]
Shape = tuple[int, ...] | Mapping[str, tuple[int, ...]]  # of the input that one clip becomes


@dataclass(frozen=True)
class Encoder:
    """Two functions to call inside a jitted step, what they need, and what one clip becomes."""

    needs: AllNeeds  # frames of each modality that a batch must hold
    train: Callable[[Batch, jax.Array], Inputs]  # (batch, key) to augmented input [B, ...]
    test: Callable[[Batch, int, bool], Inputs]  # (batch, clips, mirror) to [B, views, ...]
    train_shape: Shape
    test_shape: Shape


def blank(shape: Shape, dtype: Any) -> Any:
    """The abstract input of a batch of one clip."""
    if isinstance(shape, Mapping):
        return {name: blank(part, dtype) for name, part in shape.items()}
    return jax.ShapeDtypeStruct((1, *shape), dtype)


def as_tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a config as keyword arguments; lists, which JSON makes of tuples, become tuples."""
    return {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in options.items()}
