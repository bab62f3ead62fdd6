"""From MoveNet's maps to joints: where the centre, then the joints near where it says they are."""

import jax
import jax.numpy as jnp
from jax import lax

from posec3d_jax.poses.movenet.network import STRIDE

PERSONS = 6  # that the published graph of MultiPose reports
# Constants of the published graphs, in half precision as there.
_NEAR = 1.7998046875  # map pixels added to a distance before a score is divided by it
_SPREAD = 0.300048828125  # of the map's shorter side: variance of the weight around a guess
_CERTAIN = 0.126953125  # joints above it count for a person's confidence
_SAME = 1.0132789611816406e-06  # a centre this close to the most around it is a peak


def one_person(maps: dict[str, jax.Array], centre_weight: jax.Array) -> jax.Array:
    """The most central person's joints [V, 3] as (y, x, score), y and x as parts of the sides.

    Args:
      maps: of one picture, each [H, W, C].
      centre_weight: [H, W, 1], highest in the middle.
    """
    heat = jax.nn.sigmoid(maps["heatmap"])
    height, width, joints = heat.shape
    where = jnp.argmax(jax.nn.sigmoid(maps["centre"]) * centre_weight)
    y, x = where // width, where % width
    guess = maps["regression"][y, x].reshape(joints, 2) + jnp.stack([y, x])[None]
    rows, columns = jnp.arange(height)[:, None, None], jnp.arange(width)[None, :, None]
    guess = guess[None, None]
    distance = jnp.sqrt((rows - guess[..., 0]) ** 2 + (columns - guess[..., 1]) ** 2)
    near = (heat / (distance + _NEAR)).reshape(-1, joints)
    row, column = jnp.divmod(jnp.argmax(near, axis=0), width)
    # The published graph scales by 1 / H and 1 / W in half precision.
    step = jnp.array([1 / height, 1 / width], jnp.float16).astype(jnp.float32)
    place = _refined(maps, row, column) * step[None]
    score = heat[row, column, jnp.arange(joints)]
    return jnp.concatenate([place, score[:, None]], axis=1)


def several_persons(
    maps: dict[str, jax.Array], persons: int = PERSONS
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The likeliest M persons.

    Args:
      maps: of one picture, each [H, W, C].
      persons: M.

    Returns:
      joints [M, V, 3] as (y, x, score), boxes [M, 4] as (top, left, bottom, right), both in parts
      of the sides, and confidences [M].
    """
    heat, centre = jax.nn.sigmoid(maps["heatmap"]), jax.nn.sigmoid(maps["centre"])[..., 0]
    height, width, joints = heat.shape
    around = lax.reduce_window(centre, -jnp.inf, lax.max, (5, 5), (1, 1), "SAME")
    peaks = centre * (jnp.abs(centre - around) < _SAME)
    confidence, where = lax.top_k(peaks.reshape(-1), persons)
    y, x = where // width, where % width
    at = jnp.stack([y, x], axis=1)
    box = _boxes(maps, at, (height, width))
    guess = maps["regression"][y, x].reshape(persons, joints, 2) + at[:, None]
    near = _near(guess, box, (height, width)) * heat[:, :, None]  # [H, W, M, V]
    row, column = jnp.divmod(jnp.argmax(near.reshape(-1, persons, joints), axis=0), width)
    sides = STRIDE * jnp.array([[height, width]])
    place = _refined(maps, row, column) * STRIDE / sides[None]
    # A joint's score is the highest that any of the persons gives to that place.
    score = near.max(axis=2)[row, column, jnp.arange(joints)]
    certain = score > _CERTAIN
    mean = (score * certain).sum(1) / jnp.maximum(certain.sum(1), 1)
    box = box * STRIDE / jnp.tile(sides, 2)
    joint = jnp.concatenate([place, score[..., None]], axis=-1)
    return joint, jnp.clip(box, 0, 1), confidence * mean


def _refined(maps: dict[str, jax.Array], row: jax.Array, column: jax.Array) -> jax.Array:
    """Map pixels [..., V] with the offsets that the network gives there: [..., V, 2] as (y, x)."""
    joints = row.shape[-1]
    offset = maps["offset"].reshape(*maps["offset"].shape[:2], joints, 2)
    return jnp.stack([row, column], axis=-1) + offset[row, column, jnp.arange(joints)]


def _boxes(maps: dict[str, jax.Array], at: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Boxes [M, 4] (top, left, bottom, right) around centres `at` [M, 2], in map pixels."""
    half = jnp.maximum(maps["box_size"][at[:, 0], at[:, 1]], 0) / 2
    middle = at + maps["box_offset"][at[:, 0], at[:, 1]]
    return jnp.clip(jnp.concatenate([middle - half, middle + half], 1), 0, jnp.array([size * 2]))


def _near(guess: jax.Array, box: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Weights [H, W, M, V]: high around each guess [M, V, 2], zero outside that person's box."""
    rows = jnp.arange(size[0])[:, None, None, None]
    columns = jnp.arange(size[1])[None, :, None, None]
    guess = guess[None, None]
    square = (rows - guess[..., 0]) ** 2 + (columns - guess[..., 1]) ** 2
    top, left, bottom, right = box.T[:, None, None, :, None]
    inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return jnp.exp(-square / (_SPREAD * min(size))) * inside
