"""What a run leaves beside its checkpoints: config.json, run.json, metrics, and lines to read."""

import time
from pathlib import Path
from typing import Any

import jax
from absl import logging

from posec3d_jax.config import stored
from posec3d_jax.files import disk
from posec3d_jax.runs import records
from posec3d_jax.runs.metric_writer import MetricWriter
from posec3d_jax.runs.plan import Plan
from posec3d_jax.steps.optimizer import Schedule, peak_learning_rate
from posec3d_jax.steps.protocol import ONE_CLIP


class RunLog:
    """What a run writes beside its checkpoints, and its clock."""

    def __init__(
        self,
        config,
        workdir: Path,
        plan: Plan,
        schedule: Schedule,
        class_names: tuple[str, ...],
        frames: dict[str, Any] | None = None,
    ):
        """`frames` says what RGB was taken from, `{}` or None where there is none."""
        self.config, self.workdir, self.plan, self.schedule = config, workdir, plan, schedule
        self.class_names, self.frames = class_names, frames or {}
        self.lead = jax.process_index() == 0
        self.writer = MetricWriter(workdir, lead=self.lead)
        self.waited = 0.0

    def started(self, step: int) -> None:
        """Announces the run; what the files say of later steps is dropped, as it comes again."""
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
        config = stored.config_to_dict(self.config)
        self._facts = disk.read_json(self.workdir / records.RUN_FILE) if step else {}
        if self.lead:
            self.workdir.mkdir(parents=True, exist_ok=True)
            self.writer.truncate_after(step)
            disk.write_json(self.workdir / stored.CONFIG_FILE, config)
        self._first = self._step = step
        self._start = self._clock = time.perf_counter()
        self._write_facts(step, done=False)

    def _write_facts(self, step: int, done: bool) -> None:
        seconds = self._facts.get("seconds", 0.0) + time.perf_counter() - self._start
        facts = {
            "command": records.command(),
            "seed": self.config.seed,
            "class_names": list(self.class_names),
            "versions": records.versions(),
            "hardware": records.hardware(),
            **({"frames": self.frames} if self.frames else {}),
            "steps": step,
            "total_steps": self.plan.total,
            "done": done,
            "seconds": round(seconds, 1),
        }
        if self.lead:
            disk.write_json(self.workdir / records.RUN_FILE, facts)

    def log(self, step: int, metrics: dict[str, Any]) -> dict[str, float]:
        """Writes and prints the metrics of a step."""
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
        return values

    def pause(self, seconds: float) -> None:
        """So much of the time since the last line was not training."""
        self._clock += seconds

    def finished(self, step: int) -> None:
        self.writer.sync()
        self._write_facts(step, done=True)

    def close(self) -> None:
        self.writer.close()

    def saving(self, step: int) -> None:
        """Before a checkpoint: no line of up to its step is ever written again, so all are synced.

        Raises:
          DiskError: they could not be written.
        """
        self.writer.sync()
        self._write_facts(step, done=False)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
