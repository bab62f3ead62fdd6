"""A recogniser: encoder and network under one config, and the jitted steps made of them.

A network returns named logits; the loss and the score are weighted sums over those names, so one
train step and one evaluation step serve every network there is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from posec3d_jax.encoders import Batch, Encoder, Inputs, blank, make_encoder
from posec3d_jax.encoders.affine import with_affine_maps
from posec3d_jax.encoders.noise import with_noise
from posec3d_jax.encoders.turning import with_turning
from posec3d_jax.kernels.target import target_here
from posec3d_jax.networks import create_model
from posec3d_jax.networks.folding import fold
from posec3d_jax.networks.mode import Mode
from posec3d_jax.skeletons.planes import stored_layout
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.steps.mixing import mix
from posec3d_jax.steps.state import TrainState, Tree

NO_WEIGHTS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Recognizer:
    """The pieces of a config that the device runs; all static."""

    model: nn.Module
    skeleton: Skeleton
    encoder: Encoder
    compute_dtype: Any
    average: str
    loss_weights: Mapping[str, float]  # by the name of an output; 1 where it is not named
    score_weights: Mapping[str, float]

    def init(self, key: jax.Array) -> Tree:
        """Fresh variables {'params', 'batch_stats'}, in float32."""
        clip = blank(self.encoder.train_shape, jnp.float32)
        return self.model.init(key, jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), clip))

    def fold(self, variables: Tree) -> Tree:
        """Variables for tests alone: BatchNorm is made part of the convolutions before it."""
        clip = blank(self.encoder.train_shape, self.compute_dtype)
        return fold(self.model, variables, clip)

    def logits(self, variables: Tree, inputs: Inputs, **options) -> Any:
        """Named logits [B, K] of the encoder's input [B, ...], computed in the compute dtype."""
        inputs = jax.tree.map(lambda x: x.astype(self.compute_dtype), inputs)
        return self.model.apply(variables, inputs, **options)


def make_recognizer(config, target: str = "") -> Recognizer:
    """Reads the whole config's device part, so that mistakes in it are found before any work.

    `target` is what its steps will be compiled for (`kernels.target.TARGETS`): 'portable' for an
    export, '' for the devices that JAX runs on here.
    """
    target = target or target_here()
    if config.evaluate.average not in ("prob", "score"):
        raise ValueError(
            f"config.evaluate.average is {config.evaluate.average!r}; expected 'prob' or 'score'"
        )
    if config.evaluate.mean_class not in ("union", "present"):
        raise ValueError(
            f"config.evaluate.mean_class is {config.evaluate.mean_class!r}; expected 'union' or "
            "'present'"
        )
    dtypes = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}
    if config.compute_dtype not in dtypes:
        raise ValueError(
            f"config.compute_dtype is {config.compute_dtype!r}; expected one of {sorted(dtypes)}"
        )
    groups = config.train.batch_norm_groups
    if config.train.batch_size % groups:
        raise ValueError(
            f"config.train.batch_size {config.train.batch_size} does not divide into "
            f"config.train.batch_norm_groups {groups}"
        )
    skeleton = stored_layout(config.data)
    encoder, seen = with_turning(
        lambda layout: with_affine_maps(make_encoder(config, layout, target), config.augment),
        config,
    )
    encoder = with_noise(encoder, config.noise, skeleton)
    mode = Mode(groups, target, config.train.remat)
    options = {"encoder": config.encoder, "skeleton": seen}
    return Recognizer(
        model=create_model(config.model, config.data.num_classes, mode, **options),
        skeleton=skeleton,
        encoder=encoder,
        compute_dtype=dtypes[config.compute_dtype],
        average=config.evaluate.average,
        loss_weights={"rgb": config.train.rgb_weight, "pose": config.train.pose_weight},
        score_weights={"rgb": config.evaluate.rgb_weight, "pose": config.evaluate.pose_weight},
    )


def create_state(
    recognizer: Recognizer, optimizer: optax.GradientTransformation, key: jax.Array
) -> TrainState:
    """A fresh training state; call under jit with out_shardings to place it."""
    variables = recognizer.init(key)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=variables["params"],
        batch_stats=variables["batch_stats"],
        opt_state=optimizer.init(variables["params"]),
    )


def make_train_step(
    recognizer: Recognizer,
    optimizer: optax.GradientTransformation,
    label_smoothing: float,
    mixup: float = 0.0,
) -> Callable[[TrainState, Batch, jax.Array], tuple[TrainState, dict[str, jax.Array]]]:
    """(state, batch, key) to (state, metrics): encode, forward, backward, update.

    All random numbers of a step come from `fold_in(key, step)` over the global batch, so they do
    not depend on the number of devices. Metrics are means over the global batch.
    """

    def train_step(state, batch, key):
        step_key = jax.random.fold_in(key, state.step)
        encode_key, dropout_key = jax.random.split(step_key)
        inputs, targets = recognizer.encoder.train(batch, encode_key), batch["label"]
        if mixup:
            shares = jax.nn.one_hot(targets, recognizer.model.num_classes)
            inputs, targets = mix(inputs, shares, jax.random.fold_in(step_key, 2), mixup)

        def loss_fn(params):
            logits, updates = recognizer.logits(
                {"params": params, "batch_stats": state.batch_stats},
                inputs,
                train=True,
                mutable=["batch_stats"],
                rngs={"dropout": dropout_key},
            )
            losses = named_losses(logits, targets, label_smoothing)
            loss = total_loss(losses, recognizer.loss_weights)
            return loss, (logits, losses, updates["batch_stats"])

        (loss, (logits, losses, statistics)), gradients = jax.value_and_grad(loss_fn, has_aux=True)(
            state.params
        )
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
        correct = view_scores(logits, recognizer.score_weights).argmax(-1) == batch["label"]
        metrics = {"loss": loss, "top1": correct.mean(), "grad_norm": optax.tree.norm(gradients)}
        if len(losses) > 1:
            metrics |= {f"loss_{name}": value for name, value in losses.items()}
        params = optax.apply_updates(state.params, updates)
        return TrainState(state.step + 1, params, statistics, opt_state), metrics

    return train_step


def named_losses(
    logits: Mapping[str, jax.Array], labels: jax.Array, label_smoothing: float = 0.0
) -> dict[str, jax.Array]:
    """Cross-entropy of each of the network's outputs [scalar], the mean over clips.

    `labels` is int [B], or the share that each class has in each clip [B, K].
    """
    losses = {}
    for name, values in logits.items():
        if labels.ndim == 1:
            targets = jax.nn.one_hot(labels, values.shape[-1], dtype=values.dtype)
        else:
            targets = labels.astype(values.dtype)
        targets = optax.smooth_labels(targets, label_smoothing) if label_smoothing else targets
        losses[name] = optax.softmax_cross_entropy(values, targets).mean()
    return losses


def total_loss(
    losses: Mapping[str, jax.Array], weights: Mapping[str, float] = NO_WEIGHTS
) -> jax.Array:
    """The weighted sum [scalar] of named losses; a name without a weight has 1."""
    return sum(weights.get(name, 1.0) * loss for name, loss in losses.items())


def view_scores(
    logits: Mapping[str, jax.Array], weights: Mapping[str, float] = NO_WEIGHTS
) -> jax.Array:
    """Probabilities [B, K], the weighted mean over the network's named outputs."""
    shares = {name: weights.get(name, 1.0) for name in logits}
    scores = sum(shares[name] * jax.nn.softmax(values) for name, values in logits.items())
    return scores / sum(shares.values())


def make_eval_step(
    recognizer: Recognizer, num_clips: int, flip_views: bool
) -> Callable[[Tree, Batch], dict[str, jax.Array]]:
    """(variables, batch) to probabilities [B, K] averaged over views, and each clip's loss [B].

    Of a network with several outputs also `outputs`, the probabilities of each. The variables may
    be folded (`Recognizer.fold`) or not.
    """

    def eval_step(variables, batch):
        views = recognizer.encoder.test(batch, num_clips, flip_views)
        count = jax.tree.leaves(views)[0].shape[1]
        inputs = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), views)
        logits = recognizer.logits(variables, inputs, train=False)
        average = recognizer.average
        scores = average_views(logits, count, average, recognizer.score_weights)
        picked = jnp.take_along_axis(scores, batch["label"][:, None], 1)[:, 0]
        result = {"scores": scores, "loss": -jnp.log(jnp.maximum(picked, 1e-12))}
        if len(logits) > 1:
            result["outputs"] = {
                name: average_views({name: values}, count, average)
                for name, values in logits.items()
            }
        return result

    return eval_step


def average_views(
    logits: Mapping[str, jax.Array],
    views: int,
    average: str,
    weights: Mapping[str, float] = NO_WEIGHTS,
) -> jax.Array:
    """Named logits [B * views, K] to probabilities [B, K]: the mean over views of `prob`, or those
    of the mean `score` (logits). What is averaged over views is also what outputs are weighed in.
    """
    if average == "prob":
        scores = view_scores(logits, weights)
        return scores.reshape(-1, views, scores.shape[-1]).mean(1)
    means = {k: v.reshape(-1, views, v.shape[-1]).mean(1) for k, v in logits.items()}
    shares = {name: weights.get(name, 1.0) for name in means}
    total = sum(shares[name] * values for name, values in means.items())
    return jax.nn.softmax(total / sum(shares.values()))
