"""What a volume is painted from: one stroke a joint or limb, kept as profiles of rows and columns.

Profiles are small beside the volume and worked out first; then every pixel is painted once, from
them alone. Left to itself XLA fuses the two, and works out crop, flip and window in each pixel.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from posec3d_jax.kernels.target import barrier

Arrays = tuple[jax.Array, ...]


@flax.struct.dataclass
class Profiles:
    """A volume [B, T, H, W, C] that is not painted: the maximum over persons of row x column."""

    rows: jax.Array  # [B, M, T, H, C], heights included
    columns: jax.Array  # [B, M, T, W, C]

    @property
    def shape(self) -> tuple[int, ...]:
        b, _, t, h, c = self.rows.shape
        return b, t, h, self.columns.shape[-2], c

    @property
    def dtype(self) -> Any:
        return self.rows.dtype

    def paint(self) -> jax.Array:
        return (self.rows[..., :, None, :] * self.columns[..., None, :, :]).max(1)


class Strokes(NamedTuple):
    """C strokes for each person and frame, and how to paint with them."""

    # One person's pixels [B, T, H, W, C] without height, from rows [B, T, H, 1, C], columns
    # [B, T, 1, W, C] and whole [B, T, 1, 1, C].
    brush: Callable[[Arrays, Arrays, Arrays], jax.Array]
    height: jax.Array  # [B, M, T, C]; 0 is not painted
    rows: Arrays  # each [B, M, T, H, C]; the first is 0 outside of the stroke
    columns: Arrays  # each [B, M, T, W, C]
    whole: Arrays = ()  # each [B, M, T, C]


def with_mirror_image(strokes: Strokes, channels: np.ndarray) -> Strokes:
    """Twice the frames: all as they are, then all mirrored left to right.

    `channels` [C] is the permutation that swaps left and right. Column x goes to W - 1 - x,
    which is the reference's doubling of test volumes. (Its training flip sends the coordinate x to
    W - x, one pixel apart.)
    """

    def twice(array: jax.Array, mirror: bool = False) -> jax.Array:
        image = array[..., ::-1, :] if mirror else array
        return jnp.concatenate([array, image[..., channels]], 2)

    return strokes._replace(
        height=twice(strokes.height),
        rows=tuple(twice(row) for row in strokes.rows),
        columns=tuple(twice(column, mirror=True) for column in strokes.columns),
        whole=tuple(twice(value) for value in strokes.whole),
    )


def with_height(strokes: Strokes) -> Arrays:
    """The rows, of which the first is as high as the stroke."""
    first, *others = strokes.rows
    return first * strokes.height[..., None, :], *others


def paint(strokes: Strokes, target: str = "portable") -> jax.Array:
    """The volume [B, T, H, W, C]: the maximum over persons."""
    rows = tuple(row[..., None, :] for row in with_height(strokes))
    columns = tuple(column[..., None, :, :] for column in strokes.columns)
    whole = tuple(value[..., None, None, :] for value in strokes.whole)

    def persons(*profiles: Arrays) -> jax.Array:
        """Folded one by one, so that only one person's volume exists at a time."""
        one_by_one = (
            strokes.brush(*([array[:, person] for array in arrays] for arrays in profiles))
            for person in range(strokes.height.shape[1])
        )
        return reduce(jnp.maximum, one_by_one, 0)

    return _unfused(persons, (strokes.height > 0).any(), target, rows, columns, whole)


def _unfused(function: Callable, needed: jax.Array, target: str, *arguments: Arrays) -> jax.Array:
    """`function` of arguments that are worked out before; zeros where it is not `needed`.

    XLA's CPU backend drops barriers before it fuses, but does not fuse into a conditional.
    """
    if target != "cpu":
        return function(*barrier(arguments, target))
    result = jax.eval_shape(function, *arguments)
    nothing = lambda *_: jnp.zeros(result.shape, result.dtype)  # noqa: E731
    return lax.cond(needed, function, nothing, *arguments)
