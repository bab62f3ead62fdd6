"""Training: from a config and a working directory to checkpoints, metrics and a last evaluation.

Order of a run: sources, mesh, state (restored if the directory holds one), jitted step, loop.
Running it again in the same directory resumes; the batches of a step depend on (seed, step) alone.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import logging
from jax.sharding import Mesh

from posec3d_jax import provenance
from posec3d_jax.checkpoints import Checkpoints
from posec3d_jax.data.pipeline import steps_per_epoch, train_batches
from posec3d_jax.data.sources import Source, open_source
from posec3d_jax.evaluate import ONE_CLIP, Evaluator
from posec3d_jax.initialize import start_from
from posec3d_jax.metric_writer import MetricWriter
from posec3d_jax.optimizer import make_optimizer, make_schedule, peak_learning_rate
from posec3d_jax.recognizer import TrainState, create_state, make_recognizer, make_train_step
from posec3d_jax.sharding import by_clip, check_batch_size, make_mesh, replicated, to_devices


@dataclass(frozen=True)
class Plan:
    """How long a run is, in steps."""

    per_epoch: int
    total: int
    log_every: int
    validate_every: int
    checkpoint_every: int


def make_plan(config, source: Source) -> Plan:
    """Epochs of the config, counted in steps of this data set."""
    train, data = config.train, config.data
    per_epoch = steps_per_epoch(source, train.batch_size, data.repeat, data.class_weights)
    return Plan(
        per_epoch=per_epoch,
        total=per_epoch * train.epochs,
        log_every=train.log_every,
        validate_every=per_epoch * train.validate_every,
        checkpoint_every=per_epoch * train.checkpoint_every,
    )


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
    run = _Run(config, workdir, plan, schedule, source.info.class_names)
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


def _starting_state(config, checkpoints: Checkpoints, state: TrainState, run: "_Run") -> TrainState:
    """In this order: the run in the directory, the weights that `init_from` names, from scratch."""
    if checkpoints.latest_step() is not None:
        state = checkpoints.restore(state)
        logging.info("resuming at step %d of %d", int(state.step), run.plan.total)
        run.writer.truncate_after(int(state.step))
    elif config.train.init_from:
        state = start_from(config.train.init_from, state)
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


def _loop(step, state, batches, key, run: "_Run", checkpoints, validate, after_step):
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


class _Run:
    """What a run writes beside its checkpoints, and its clock."""

    def __init__(self, config, workdir: Path, plan: Plan, schedule, class_names: tuple[str, ...]):
        self.config, self.workdir, self.plan, self.schedule = config, workdir, plan, schedule
        self.class_names = class_names
        self.lead = jax.process_index() == 0
        self.writer = MetricWriter(workdir, lead=self.lead)
        self.waited = 0.0

    def started(self, step: int) -> None:
        """Announces the run and holds its config against that of the run it resumes."""
        train, plan = self.config.train, self.plan
        rate = peak_learning_rate(self.config.optimizer, train.batch_size)
        logging.info(
            "%s: %d epochs of %d steps, batch %d on %d devices, learning rate %g (%g at batch %d)",
            self.config.name,
            train.epochs,
            plan.per_epoch,
            train.batch_size,
            jax.device_count(),
            rate,
            self.config.optimizer.learning_rate,
            self.config.optimizer.reference_batch,
        )
        config = provenance.config_to_dict(self.config)
        before = provenance.read_json(self.workdir / provenance.CONFIG_FILE)
        if step and before:
            _check_same_config(before, config, self.workdir)
        self._facts = provenance.read_json(self.workdir / provenance.RUN_FILE) if step else {}
        if self.lead:
            self.workdir.mkdir(parents=True, exist_ok=True)
            provenance.write_json(self.workdir / provenance.CONFIG_FILE, config)
        self._first = self._step = step
        self._start = self._clock = time.perf_counter()
        self._write_facts(step, done=False)

    def _write_facts(self, step: int, done: bool) -> None:
        seconds = self._facts.get("seconds", 0.0) + time.perf_counter() - self._start
        facts = {
            "command": provenance.command(),
            "seed": self.config.seed,
            "class_names": list(self.class_names),
            "versions": provenance.versions(),
            "hardware": provenance.hardware(),
            "steps": step,
            "total_steps": self.plan.total,
            "done": done,
            "seconds": round(seconds, 1),
        }
        if self.lead:
            provenance.write_json(self.workdir / provenance.RUN_FILE, facts)

    def log(self, step: int, metrics: dict[str, Any]) -> dict[str, float]:
        """Writes and prints the metrics of a step; raises if the loss is not finite."""
        if not np.isfinite(metrics["loss"]):
            raise FloatingPointError(
                f"the loss is {metrics['loss']} between steps {self._step} and {step}: lower "
                "config.optimizer.learning_rate, or look for bad clips with `posec3d inspect`"
            )
        now = time.perf_counter()
        seconds, steps = now - self._clock, step - self._step
        values = {f"train/{name}": float(value) for name, value in metrics.items()}
        values |= {
            "epoch": step / self.plan.per_epoch,
            "train/learning_rate": float(self.schedule(step - 1)),
            "train/clips_per_second": self.config.train.batch_size * steps / seconds,
            "train/waiting_for_input": self.waited / seconds,
        }
        self.writer.write(step, values)
        logging.info(
            "step %d/%d  epoch %.1f  loss %.4f  top-1 %.3f  %.1f clips/s  %s left",
            step,
            self.plan.total,
            values["epoch"],
            values["train/loss"],
            values["train/top1"],
            values["train/clips_per_second"],
            _duration((now - self._start) / (step - self._first) * (self.plan.total - step)),
        )
        self._step, self._clock, self.waited = step, now, 0.0
        return values

    def log_validation(self, step: int, metrics: dict[str, float]) -> dict[str, float]:
        """Writes and prints validation metrics (1 clip)."""
        values = {f"val/{name}": value for name, value in metrics.items()}
        self.writer.write(step, values | {"epoch": step / self.plan.per_epoch})
        logging.info(
            "step %d  validation (%s): top-1 %.4f  mean class %.4f  loss %.4f",
            step,
            ONE_CLIP.name,
            metrics["top1"],
            metrics["mean_class"],
            metrics["loss"],
        )
        self._clock = time.perf_counter()  # validation is not training time
        return values

    def finished(self, step: int) -> None:
        self._write_facts(step, done=True)
        self.writer.close()


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def _check_same_config(before: dict, now: dict, workdir: Path) -> None:
    """A resumed run must be the run that was started: other data or order would go unnoticed."""
    for part in ("seed", "sampling", "volume", "model", "optimizer"):
        if before.get(part) != now[part]:
            raise ValueError(
                f"{workdir} holds a run with other config.{part}: {before.get(part)}, now "
                f"{now[part]}; use another --workdir, or delete that one"
            )
    if before["train"]["batch_size"] != now["train"]["batch_size"]:
        raise ValueError(
            f"{workdir} holds a run with train.batch_size {before['train']['batch_size']}, now "
            f"{now['train']['batch_size']}: its steps would mean other clips; use another --workdir"
        )
