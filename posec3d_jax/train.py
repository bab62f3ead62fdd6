"""Training: from a config and a working directory to checkpoints, metrics and a last evaluation.

Order of a run: sources, mesh, state (restored if the directory holds one), jitted step, loop.
Running it again in the same directory resumes; the batches of a step depend on (seed, step) alone,
and so a run that was interrupted, however, ends as one that was not.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import jax
from absl import logging
from jax.sharding import Mesh

from posec3d_jax.config.checks import check_config
from posec3d_jax.config.stored import stored_config
from posec3d_jax.data.feed.order import batch_index
from posec3d_jax.data.stored.leakage import leak_into
from posec3d_jax.data.stored.sources import Source, open_source
from posec3d_jax.evaluate import Evaluator
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.machine.sharding import check_batch_size, make_mesh, replicated
from posec3d_jax.runs.claim import TRAINED, claim
from posec3d_jax.runs.divergence import DivergenceCheck
from posec3d_jax.runs.feeding import make_resident, to_devices, training_batches
from posec3d_jax.runs.identity import check_same, identify
from posec3d_jax.runs.initialize import start_from
from posec3d_jax.runs.loop import TrainingLoop
from posec3d_jax.runs.plan import Plan, make_plan
from posec3d_jax.runs.run_log import RunLog
from posec3d_jax.runs.saving import Checkpoints
from posec3d_jax.steps import resident
from posec3d_jax.steps.averaging import begin_average, with_average
from posec3d_jax.steps.dispatch import compiled
from posec3d_jax.steps.optimizer import make_optimizer, make_schedule
from posec3d_jax.steps.protocol import ONE_CLIP
from posec3d_jax.steps.recognizer import create_state, make_recognizer, make_train_step
from posec3d_jax.steps.state import TrainState
from posec3d_jax.video.clips import described, pictures_of
from posec3d_jax.weights.merging import start_merged


def train_and_evaluate(
    config,
    workdir: str | Path,
    mesh: Mesh | None = None,
    after_step: Callable[[Plan, int], None] | None = None,
    resume_anyway: bool = False,
) -> dict[str, Any]:
    """Trains as `config` says, resuming what `workdir` holds, and returns the last metrics.

    Args:
      config: a ConfigDict with every key of config/keys.
      workdir: gets config.json, run.json, metrics.jsonl, tensorboard/ and checkpoints/.
      mesh: devices to run on; all of them by default.
      after_step: called with the plan and the steps done, after each call to the device; may
        raise to stop.
      resume_anyway: go on with a run of another config, data set or code, which is else refused.

    Returns:
      The last line of training metrics and, with a validation split, of validation metrics.

    Raises:
      DataError: the data set is absent or does not fit the config.
      ValueError: a config that cannot be run, or a directory that holds another run.
      FloatingPointError: a loss or a parameter is not finite; the last good checkpoint stands.
      DiskError: metrics or a checkpoint cannot be written, as on a full disk.
      LockedError: another process trains in `workdir`.
      Stopped: SIGTERM or Ctrl-C; the run is saved, and calling again goes on.
    """
    workdir, config = local_folder(workdir), check_config(config)
    with claim(workdir, own=TRAINED):
        return _train(config, workdir, mesh, after_step, resume_anyway)


def _train(config, workdir: Path, mesh, after_step, resume_anyway: bool) -> dict[str, Any]:
    few = config.data.clips_per_class
    source = open_source(config.data, config.data.train_split, few, config.seed)
    recognizer, plan, mesh = make_recognizer(config), make_plan(config, source), mesh or make_mesh()
    check_batch_size(config.train.batch_size, mesh, "config.train.batch_size")
    schedule = make_schedule(config.optimizer, config.train.batch_size, plan.per_epoch, plan.total)
    optimizer = make_optimizer(config.optimizer, schedule)
    needs = recognizer.encoder.needs
    pictures = pictures_of(config, source, needs)
    facts, names = identify(config, source, pictures), source.info.class_names
    _warn_of_leaks(config)
    with (
        jax.set_mesh(mesh),
        closing(RunLog(config, workdir, plan, schedule, names, described(pictures))) as log,
        Checkpoints(workdir, config.train.keep_checkpoints, facts) as checkpoints,
    ):
        key = jax.random.key(config.seed)
        create = jax.jit(
            lambda k: create_state(recognizer, optimizer, k), out_shardings=replicated(mesh)
        )
        state = create(jax.random.fold_in(key, 0))
        if checkpoints.latest_step() is not None:
            before = checkpoints.stored_facts() or {"config": stored_config(workdir)}
            check_same(before, facts, workdir, resume_anyway)
        state = _starting_state(config, checkpoints, state, log)
        source, pack = make_resident(config.data, source, mesh)
        smoothing, mixup = config.train.label_smoothing, config.train.mixup
        step = make_train_step(recognizer, optimizer, smoothing, mixup)
        step = with_average(step, config.optimizer.ema) if config.optimizer.ema else step
        step = compiled(resident.with_pack(step), mesh)
        validate = _validator(config, recognizer, mesh)
        batches = training_batches(config, source, plan, int(state.step), needs, pictures)
        key = jax.device_put(jax.random.fold_in(key, 1), replicated(mesh))
        check = DivergenceCheck(workdir, int(state.step), _clips_of(config, source))
        loop = TrainingLoop(step, (key, pack), log, checkpoints, check, validate, after_step)
        return loop.run(state, to_devices(batches, mesh))


def _warn_of_leaks(config) -> None:
    """Says which clips of the splits that will be tested are trained on."""
    for split in sorted({config.data.val_split, config.data.test_split} - {""}):
        if line := leak_into(config.data, split, config.seed)[1]:
            logging.warning("%s", line)


def _clips_of(config, source: Source) -> Callable[[int], list[str]]:
    """The function step (from 1 on) -> names of the clips of its global batch."""
    data, batch_size = config.data, config.train.batch_size
    weights = tuple(data.class_weights)
    clips = batch_index(config.seed, batch_size, source.labels, data.repeat, weights)
    return lambda step: [source.names[i] for i in clips(step - 1)]


def _starting_state(config, checkpoints: Checkpoints, state: TrainState, log: RunLog) -> TrainState:
    """In this order: the run in the directory, the weights that the config names, from scratch."""
    begun = begin_average if config.optimizer.ema else lambda state: state
    if checkpoints.latest_step() is not None:
        state = checkpoints.restore(begun(state))
        logging.info("resuming at step %d of %d", int(state.step), log.plan.total)
    elif config.init_pose_from:
        state = begun(start_merged(config.init_from, config.init_pose_from, state))
    elif config.init_from:
        state = begun(start_from(config.init_from, state))
    else:
        state = begun(state)
    checkpoints.forget_after(int(state.step))
    log.started(int(state.step))
    return state


def _validator(config, recognizer, mesh):
    """(state, after_batch) -> 1-clip metrics of the validation split; None without one."""
    if not config.data.val_split:
        return None
    source = open_source(config.data, config.data.val_split)
    evaluator = Evaluator(config, recognizer, mesh, source, ONE_CLIP)

    def validate(state: TrainState, after_batch: Callable[[], None]) -> dict[str, float]:
        return evaluator.metrics(state.tested, after_batch)

    return validate
