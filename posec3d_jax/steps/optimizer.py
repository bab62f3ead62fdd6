"""Learning-rate schedule and SGD as the references run them (PyTorch's conventions), and AdamW."""

from collections.abc import Callable
from typing import Any

import jax
import optax

Schedule = Callable[[jax.Array | int], jax.Array]


def peak_learning_rate(optimizer, batch_size: int) -> float:
    """The rate of the recipe, which is given at `reference_batch`, scaled to this batch size."""
    return optimizer.learning_rate * batch_size / optimizer.reference_batch


def make_schedule(optimizer, batch_size: int, steps_per_epoch: int, total_steps: int) -> Schedule:
    """Step to learning rate: linear warm-up, then a cosine to zero or drops after given epochs."""
    peak, warmup = peak_learning_rate(optimizer, batch_size), optimizer.warmup_epochs
    warmup_steps = round(warmup * steps_per_epoch)
    if optimizer.schedule == "cosine":
        after = optax.cosine_decay_schedule(peak, max(total_steps - warmup_steps, 1))
    elif optimizer.schedule == "step":
        drops = [round(e * steps_per_epoch) - warmup_steps for e in optimizer.step_epochs]
        after = optax.piecewise_constant_schedule(peak, dict.fromkeys(drops, optimizer.step_factor))
    else:
        raise ValueError(
            f"config.optimizer.schedule is {optimizer.schedule!r}; expected 'cosine' or 'step'"
        )
    if not warmup_steps:
        return after
    return optax.join_schedules(
        [optax.linear_schedule(peak / warmup_steps, peak, warmup_steps), after], [warmup_steps]
    )


def make_optimizer(optimizer, schedule: Schedule) -> optax.GradientTransformation:
    """Clip by global norm, then the method, then the rate.

    Of SGD decay on every parameter, then momentum; the order is PyTorch's: decay enters the
    momentum, and the rate multiplies its output. AdamW's decay is beside the gradients, and spares
    biases and BatchNorms.
    """
    clip = optax.clip_by_global_norm(optimizer.clip_norm) if optimizer.clip_norm else None
    decay, momentum = optimizer.weight_decay, optimizer.momentum
    if optimizer.method == "adamw":
        adam = optax.scale_by_adam(b1=momentum, nesterov=optimizer.nesterov)
        method = (adam, optax.add_decayed_weights(decay, mask=_kernels))
    else:
        trace = optax.trace(decay=momentum, nesterov=optimizer.nesterov)
        method = (optax.add_decayed_weights(decay), trace)
    return optax.chain(clip or optax.identity(), *method, optax.scale_by_learning_rate(schedule))


def _kernels(params: Any) -> Any:
    """Of each parameter, whether it has more than one axis."""
    return jax.tree.map(lambda x: x.ndim > 1, params)
