"""BatchNorm with the residual and the ReLU that follow it, in few passes over memory.

Training is bound by memory, so that what is written and read again is worth more than products.
`normalized` keeps only what it normalises, and finds the ReLU's mask again from that.
`product_normalized` takes in the pointwise convolution before it and never writes what that puts
out: mean and variance of x @ kernel follow from mean and covariance of x, and so do all gradients.
It pays where x has no more channels than the product. Both are equal in value to the plain
formulas, to which `tests/test_norm.py` holds them in float64.

Arrays are [rows, C]: statistics are over rows, in at least float32.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from posec3d_jax.kernels.target import barrier

EPSILON = 1e-5

Statistics = tuple[jax.Array, jax.Array]  # mean and biased variance [C]


@partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def normalized(
    y: jax.Array,
    scale: jax.Array,
    bias: jax.Array,
    residual: jax.Array | None,
    relu: bool,
    target: str,
) -> tuple[jax.Array, Statistics]:
    """act(BatchNorm(y) + residual) [rows, C] in y's dtype, and statistics without a gradient."""
    return _normalized(y, scale, bias, residual, relu, target)[0]


def _normalized(y, scale, bias, residual, relu, target):
    wide = widen(y)
    mean = wide.mean(0)
    var = jnp.maximum(jnp.square(wide).mean(0) - jnp.square(mean), 0)
    factor, shift = factor_and_shift(scale, bias, mean, var)
    z = add_residual_and_relu(
        (wide * factor[None] + shift[None]).astype(y.dtype), residual, relu, target
    )
    mask = z if relu and residual is not None else None  # else it follows from y
    return (z, (mean, var)), (y, scale, bias, mean, var, _whether(residual), mask)


def _normalized_backward(relu: bool, target: str, saved, gradients):
    y, scale, bias, mean, var, residual, mask = saved
    factor, shift = factor_and_shift(scale, bias, mean, var)

    def masked(y: jax.Array) -> jax.Array:
        if not relu:
            return gradients[0]
        inside = widen(y) * factor[None] + shift[None] if mask is None else mask
        return jnp.where(inside > 0, gradients[0], 0)

    # Behind barriers, lest XLA keep the mask or the masked gradient, which cost more than they do.
    y = barrier(y, target)
    g = masked(y)
    total = widen(g).sum(0)
    product = (widen(g) * (widen(y) - mean[None])).sum(0)
    if mask is None:
        y = barrier(y, target)
        g = masked(y)
    slope, offset = _input_terms(factor, mean, var, total, product, len(y))
    dy = (factor[None] * widen(g) + slope[None] * widen(y) + offset[None]).astype(y.dtype)
    return dy, product * _inverse_deviation(var), total, None if residual is None else g


normalized.defvjp(_normalized, _normalized_backward)


@partial(jax.custom_vjp, nondiff_argnums=(5, 6))
def product_normalized(
    x: jax.Array,
    kernel: jax.Array,
    scale: jax.Array,
    bias: jax.Array,
    residual: jax.Array | None,
    relu: bool,
    target: str,
) -> tuple[jax.Array, Statistics]:
    """`normalized` of x [rows, I] @ kernel [I, C], with the kernel in at least float32."""
    return _product_normalized(x, kernel, scale, bias, residual, relu, target)[0]


def _product_normalized(x, kernel, scale, bias, residual, relu, target):
    x_mean, covariance = _moments(x)
    mean = _exact(x_mean, kernel)
    var = jnp.maximum((kernel * _exact(covariance, kernel)).sum(0), 0)
    factor, shift = factor_and_shift(scale, bias, mean, var)
    y = x @ (kernel * factor[None]).astype(x.dtype) + shift[None].astype(x.dtype)
    z = add_residual_and_relu(y, residual, relu, target)
    saved = (x, kernel, scale, x_mean, covariance, mean, var, _whether(residual))
    return (z, (mean, var)), (*saved, z if relu else None)


def _product_normalized_backward(relu: bool, target: str, saved, gradients):
    x, kernel, scale, x_mean, covariance, mean, var, residual, z = saved
    g = jnp.where(z > 0, gradients[0], 0) if relu else gradients[0]
    total, with_x = widen(g).sum(0), _wide_product(x, g)
    product = (kernel * with_x).sum(0) - mean * total  # the sum of g (y - mean): y is x @ kernel
    factor = scale * _inverse_deviation(var)
    slope, offset = _input_terms(factor, mean, var, total, product, len(x))
    # y's gradient is factor g + slope y + offset; it, too, is only ever seen through products.
    along = slope[None] * len(x) * _exact(covariance, kernel)
    dkernel = factor[None] * (with_x - jnp.outer(x_mean, total)) + along
    through_x = _exact(kernel * slope[None], kernel.T)
    back = ((kernel * factor[None]).T, through_x, _exact(kernel, offset))
    through_g, through_x, constant = (part.astype(x.dtype) for part in back)
    dx = g @ through_g + (x @ through_x + constant[None])
    inverse = _inverse_deviation(var)
    return dx, dkernel, product * inverse, total, None if residual is None else g


product_normalized.defvjp(_product_normalized, _product_normalized_backward)


def _whether(residual: jax.Array | None) -> tuple | None:
    """For the backward pass, which asks no more of a residual than whether there was one."""
    return None if residual is None else ()


def add_residual_and_relu(
    y: jax.Array, residual: jax.Array | None, relu: bool, target: str = "portable"
) -> jax.Array:
    """act(y + residual)."""
    if residual is None:
        return jax.nn.relu(y) if relu else y
    z = y + residual
    # Behind a barrier, lest XLA work out this block's sum again in the next one's.
    return barrier(jax.nn.relu(z) if relu else z, target)


def _moments(x: jax.Array) -> Statistics:
    """Mean [I] and covariance [I, I] over rows, from one product."""
    mean = widen(x).mean(0)
    return mean, _wide_product(x, x) / len(x) - jnp.outer(mean, mean)


def _wide_product(a: jax.Array, b: jax.Array) -> jax.Array:
    """[rows, I]^T [rows, C], summed in at least float32."""
    wide = jnp.promote_types(a.dtype, jnp.float32)
    contract, exact = (((0,), (0,)), ((), ())), lax.Precision.HIGHEST
    return lax.dot_general(a, b, contract, exact, preferred_element_type=wide)


def _exact(a: jax.Array, b: jax.Array) -> jax.Array:
    """A small product of float32 that no accelerator may round to fewer bits."""
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def _input_terms(factor, mean, var, total, product, rows: int) -> Statistics:
    """slope and offset [C]: the input's gradient is factor g + slope y + offset.

    `total` is the sum of g over rows, `product` that of g (y - mean).
    """
    slope = -factor * product / ((var + EPSILON) * rows)
    return slope, -factor * total / rows - mean * slope


def _inverse_deviation(var: jax.Array) -> jax.Array:
    return lax.rsqrt(var + EPSILON)


def factor_and_shift(scale, bias, mean, var) -> Statistics:
    """Scale and shift put together: a BatchNorm is y * factor + shift."""
    factor = scale * _inverse_deviation(var)
    return factor, bias - mean * factor


def widen(x: jax.Array) -> jax.Array:
    """In at least float32."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
