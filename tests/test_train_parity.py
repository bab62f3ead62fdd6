"""Training steps against PyTorch: gradients, clipping, SGD with decay, batch statistics."""

import functools

import jax
import numpy as np
import optax
import pytest

from posec3d_jax.steps.optimizer import make_optimizer
from posec3d_jax.steps.recognizer import make_recognizer, named_losses, total_loss
from posec3d_jax.weights.exporting import to_reference_tensors
from tests.reference import channels_last, load_variables, reference_config, relative_error


@pytest.mark.parametrize("name", ["train_tiny_slowonly", "train_tiny_slowonly_clip"])
def test_training_equals_the_reference(shared, name):
    """In the second case every gradient is longer than the limit, and is clipped."""
    variables = load_variables(shared / "parity" / f"{name}.pth")
    with np.load(shared / "parity" / f"{name}.npz") as file:
        data = dict(file)
    step, opt_state = _make_step(name, data["hyper"], variables["params"])
    losses, norms = [], []
    for number, (volumes, labels) in enumerate(zip(data["xs"], data["ys"], strict=True)):
        batch = channels_last(volumes[:, 0]), labels[:, 0]
        variables, opt_state, loss, gradients = step(variables, opt_state, *batch)
        losses.append(loss)
        norms.append(optax.tree.norm(gradients))
        if number == 0:
            _compare(data, "grad0", {"params": gradients}, 1e-4)
            _compare(data, "after1", variables, 1e-4)
    np.testing.assert_allclose(losses, data["losses"], rtol=1e-3)
    np.testing.assert_allclose(norms, data["grad_norms"], rtol=1e-3)
    _compare(data, "final", variables, 1e-3)


def _make_step(name, hyper, params):
    rate, momentum, decay, clip = map(float, hyper)
    options = reference_config(name).optimizer
    options.momentum, options.weight_decay, options.clip_norm = momentum, decay, clip
    optimizer = make_optimizer(options, lambda step: rate)

    @jax.jit
    def update(params, opt_state, gradients):
        updates, opt_state = optimizer.update(gradients, opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    def step(variables, opt_state, volumes, labels):
        (loss, statistics), gradients = _gradients()(variables, volumes, labels)
        params, opt_state = update(variables["params"], opt_state, gradients)
        return {"params": params, "batch_stats": statistics}, opt_state, loss, gradients

    return step, optimizer.init(params)


@functools.cache
def _gradients():
    """(variables, volumes, labels) to ((loss, statistics), gradients); both cases share it."""
    recognizer = make_recognizer(reference_config("train_tiny_slowonly"))

    def loss_fn(params, variables, volumes, labels):
        logits, updates = recognizer.logits(
            variables | {"params": params}, volumes, train=True, mutable=["batch_stats"]
        )
        return total_loss(named_losses(logits, labels)), updates["batch_stats"]

    run = jax.value_and_grad(loss_fn, has_aux=True)
    return jax.jit(lambda variables, *batch: run(variables["params"], variables, *batch))


def _compare(data: dict, part: str, variables: dict, tolerance: float) -> None:
    """Every tensor under `part/`, and no other, within `tolerance` of its largest value."""
    found, _ = to_reference_tensors(variables, 0)
    expected = {k.removeprefix(f"{part}/"): v for k, v in data.items() if k.startswith(f"{part}/")}
    names = {name for name in found if not name.endswith("num_batches_tracked")}
    assert names == {name for name in expected if not name.endswith("num_batches_tracked")}
    for name in names:
        assert relative_error(found[name], expected[name]) <= tolerance, f"{part}/{name}"
