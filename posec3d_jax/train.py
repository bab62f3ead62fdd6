"""Training: from a config and a working directory to checkpoints, metrics and a last evaluation.

Order of a run: sources, mesh, state (restored if the directory holds one), jitted step, loop.
Running it again in the same directory resumes; the batches of a step depend on (seed, step) alone.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import logging
from jax.sharding import Mesh

from posec3d_jax import host
from posec3d_jax.checkpoints import Checkpoints
from posec3d_jax.data.pipeline import train_batches
from posec3d_jax.data.sources import Source, open_source
from posec3d_jax.evaluate import ONE_CLIP, Evaluator
from posec3d_jax.initialize import start_from
from posec3d_jax.optimizer import make_optimizer, make_schedule
from posec3d_jax.plan import Plan, make_plan
from posec3d_jax.recognizer import TrainState, create_state, make_recognizer, make_train_step
from posec3d_jax.run_log import RunLog
from posec3d_jax.sharding import by_clip, check_batch_size, make_mesh, replicated, to_devices


def train_and_evaluate(
    config,
    workdir: str | Path,
    mesh: Mesh | None = None,
    after_step: Callable[[Plan, int], None] | None = None,
) -> dict[str, Any]:
    """Trains as `config` says, resuming what `workdir` holds, and returns the last metrics.

    Args:
      config: a ConfigDict with every key of configs/base.py.
      workdir: gets config.json, run.json, metrics.jsonl, tensorboard/ and checkpoints/.
      mesh: devices to run on; all of them by default.
      after_step: called with the plan and the steps done, after each; may raise to stop.

    Returns:
      The last line of training metrics and, with a validation split, of validation metrics.

    Raises:
      DataError: the data set is absent or does not fit the config.
      ValueError: a config that cannot be run, or a directory that holds another config's run.
      FloatingPointError: the loss is not finite.
    """
    workdir = Path(workdir)
    source = open_source(config.data, config.data.train_split)
    recognizer, plan, mesh = make_recognizer(config), make_plan(config, source), mesh or make_mesh()
    check_batch_size(config.train.batch_size, mesh, "config.train.batch_size")
    schedule = make_schedule(config.optimizer, config.train.batch_size, plan.per_epoch, plan.total)
    optimizer = make_optimizer(config.optimizer, schedule)
    run = RunLog(config, workdir, plan, schedule, source.info.class_names)
    with jax.set_mesh(mesh), Checkpoints(workdir) as checkpoints:
        key = jax.random.key(config.seed)
        create = jax.jit(
            lambda k: create_state(recognizer, optimizer, k), out_shardings=replicated(mesh)
        )
        state = create(jax.random.fold_in(key, 0))
        state = _starting_state(config, checkpoints, state, run)
        whole, split = replicated(mesh), by_clip(mesh)
        step = jax.jit(
            make_train_step(recognizer, optimizer, config.train.label_smoothing),
            in_shardings=(whole, split, whole),
            out_shardings=(whole, whole),
            donate_argnums=0,
            compiler_options=host.compiler_options(),
        )
        validate = _validator(config, recognizer, mesh)
        batches = to_devices(_batches(config, source, plan, int(state.step)), mesh)
        key = jax.device_put(jax.random.fold_in(key, 1), whole)
        return _loop(step, state, batches, key, run, checkpoints, validate, after_step)


def _batches(config, source: Source, plan: Plan, start: int) -> Iterator[dict[str, np.ndarray]]:
    """This process's training batches, only with what the step reads."""
    batches = train_batches(
        source,
        sampling=config.sampling,
        seed=config.seed,
        batch_size=config.train.batch_size,
        start_step=start,
        num_steps=plan.total - start,
        repeat=config.data.repeat,
        class_weights=tuple(config.data.class_weights),
        process_index=jax.process_index(),
        process_count=jax.process_count(),
        loader=config.data.loader,
    )
    for batch in batches:
        yield {name: batch[name] for name in ("keypoint", "score", "frame_size", "label")}


def _starting_state(config, checkpoints: Checkpoints, state: TrainState, run: RunLog) -> TrainState:
    """In this order: the run in the directory, the weights that `init_from` names, from scratch."""
    if checkpoints.latest_step() is not None:
        state = checkpoints.restore(state)
        logging.info("resuming at step %d of %d", int(state.step), run.plan.total)
        run.writer.truncate_after(int(state.step))
    elif config.init_from:
        state = start_from(config.init_from, state)
    run.started(int(state.step))
    return state


def _validator(config, recognizer, mesh):
    """state -> 1-clip metrics of the validation split; None without one."""
    if not config.data.val_split:
        return None
    source = open_source(config.data, config.data.val_split)
    evaluator = Evaluator(config, recognizer, mesh, source, ONE_CLIP)

    def validate(state: TrainState) -> dict[str, float]:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return evaluator.metrics(variables)

    return validate


def _loop(step, state, batches, key, run: RunLog, checkpoints, validate, after_step):
    """The order is a contract: step, log, validate, save; a saved state is never used again."""
    number, plan, last = int(state.step), run.plan, {}
    batches = iter(batches)
    while number < plan.total:
        waiting = time.perf_counter()
        batch = next(batches)
        run.waited += time.perf_counter() - waiting
        state, metrics = step(state, batch, key)
        number += 1
        if number % plan.log_every == 0 or number == plan.total:
            last |= run.log(number, jax.device_get(metrics))
        validated = None
        if validate and (number % plan.validate_every == 0 or number == plan.total):
            validated = validate(state)
            last |= run.log_validation(number, validated)
        if validated or number % plan.checkpoint_every == 0 or number == plan.total:
            checkpoints.save(state, validated and {"top1": validated["top1"]})
        if after_step:
            after_step(plan, number)
    run.finished(number)
    return last
