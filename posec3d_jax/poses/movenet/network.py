"""MoveNet's network: MobileNetV2 with a feature pyramid, and a head for each kind of map.

All variants share it; widths are read off the weights. Normalisation is folded into the published
weights. On a CPU a depth-wise convolution is nine shifted products and one of 1 x 1 a product: the
grouped convolution that XLA has there is ten times slower.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import lax

from posec3d_jax.kernels.channels import per_channel
from posec3d_jax.kernels.products import affine

Layer = Mapping[str, jax.Array]  # 'kernel', and 'bias' where there is one
Weights = Mapping[str, Layer]  # by the layer's name; see weights.py

HEADS = ("centre", "heatmap", "regression", "offset", "box_size", "box_offset")
STRIDE = 4  # pixels of the picture per pixel of the maps
_STRIDED = (1, 3, 6, 13)  # blocks that halve the resolution
_LATERAL = (9, 5, 2)  # blocks whose outputs the pyramid reads on its way up
_BLOCKS = 17
# 2 / 255 in half precision, as published.
_SCALE = 0.007843017578125


def maps(weights: Weights, image: jax.Array, target: str) -> dict[str, jax.Array]:
    """What each head says of pictures [B, H, W, 3] with values 0 to 255: [B, H / 4, W / 4, C].

    H and W are multiples of 32. Single-pose variants have the first four heads only. `target` is
    what it is compiled for (`kernels.target.TARGETS`).
    """
    x = image.astype(jnp.float32) * _SCALE - 1
    x = _relu6(_convolution(x, weights["stem"]))
    outputs = []
    for number in range(_BLOCKS):
        stride = 2 if number in _STRIDED else 1
        x = _block(x, weights, f"block_{number}", stride, target)
        outputs.append(x)
    x = _relu6(_pointwise(x, weights["last"]))
    x = _pointwise(x, weights["top"])
    for level, block in enumerate(_LATERAL):
        x = _doubled(x) + _pointwise(outputs[block], weights[f"lateral_{level}"])
        x = _separable(x, weights, f"pyramid_{level}", target)
    present = [head for head in HEADS if f"{head}/out" in weights]
    return {h: _pointwise(_separable(x, weights, h, target), weights[f"{h}/out"]) for h in present}


def _block(x: jax.Array, weights: Weights, name: str, stride: int, target: str) -> jax.Array:
    """MobileNetV2's: widen, filter each channel, narrow; added to its input where shapes agree."""
    y = x
    if f"{name}/expand" in weights:
        y = _relu6(_pointwise(y, weights[f"{name}/expand"]))
    y = _relu6(_depthwise(y, weights[f"{name}/depthwise"], stride, target))
    y = _pointwise(y, weights[f"{name}/project"])
    return x + y if x.shape == y.shape else y


def _separable(x: jax.Array, weights: Weights, name: str, target: str) -> jax.Array:
    x = _depthwise(x, weights[f"{name}/depthwise"], 1, target)
    return jax.nn.relu(_pointwise(x, weights[f"{name}/pointwise"]))


def _relu6(x: jax.Array) -> jax.Array:
    return jnp.clip(x, 0, 6)


def _convolution(x: jax.Array, layer: Layer) -> jax.Array:
    y = lax.conv_general_dilated(
        x, layer["kernel"], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return y + per_channel(layer["bias"], y)


def _pointwise(x: jax.Array, layer: Layer) -> jax.Array:
    return affine(x, layer["kernel"], layer["bias"])


def _depthwise(x: jax.Array, layer: Layer, stride: int, target: str) -> jax.Array:
    """[B, H, W, C] * [3, 3, C]. An even side with stride 2 is padded on the far side only."""
    kernel = layer["kernel"]
    bias = per_channel(layer["bias"], x) if "bias" in layer else 0
    pad = (1, 1) if stride == 1 else (0, 1)
    if target != "cpu":
        y = lax.conv_general_dilated(
            x,
            kernel[:, :, None],
            (stride, stride),
            (pad, pad),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=x.shape[-1],
        )
        return y + bias
    height, width = x.shape[1], x.shape[2]
    x = jnp.pad(x, ((0, 0), pad, pad, (0, 0)))
    y = bias
    for i in range(3):
        for j in range(3):
            window = x[:, i : i + height : stride, j : j + width : stride]
            y = y + window * per_channel(kernel[i, j], x)
    return y


def _doubled(x: jax.Array) -> jax.Array:
    """Twice the height and width, bilinear between centres of pixels, edges repeated."""
    for axis in (1, 2):
        first, last = lax.slice_in_dim(x, 0, 1, axis=axis), lax.slice_in_dim(x, -1, None, axis=axis)
        before = jnp.concatenate([first, lax.slice_in_dim(x, 0, -1, axis=axis)], axis)
        after = jnp.concatenate([lax.slice_in_dim(x, 1, None, axis=axis), last], axis)
        pairs = jnp.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1)
        x = pairs.reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])
    return x
