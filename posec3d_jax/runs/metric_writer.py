"""Metrics of a run: one JSON object a line in `metrics.jsonl`, and the same for TensorBoard.

The JSON lines are the truth. TensorBoard's files come with the extra `tensorboard` (tensorboardX);
where it is not installed there are none.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import logging

from posec3d_jax.files.disk import sync, write_whole, writing
from posec3d_jax.runs.tensorboard import TensorBoard

METRICS_FILE = "metrics.jsonl"
TENSORBOARD_FOLDER = "tensorboard"


class MetricWriter:
    """Appends metrics to the files of a run; on every process but the lead one it does nothing.

    Every line has left the process when `write` returns, so that a killed run loses none; after
    `sync` a machine that loses power does not either.
    """

    def __init__(self, workdir: str | Path, lead: bool = True):
        """Opens nothing yet. `lead`: whether this process writes (`jax.process_index() == 0`)."""
        self._workdir = Path(workdir)
        self._lead = lead
        self._events: TensorBoard | None = None
        self._goes_on_after: int | None = None  # the step before those that are written anew

    def write(self, step: int, values: Mapping[str, Any]) -> None:
        """Adds one line {"step": step, **values}.

        Args:
          step: optimizer updates done.
          values: name ('train/loss') to number, also a 0-d array. JSON has no NaN and no infinity:
            they become null, with a warning in the log.

        Raises:
          TypeError: naming the key of a value that is not one number.
          DiskError: a file cannot be written.
        """
        if not self._lead:
            return
        numbers = {name: _number(name, value) for name, value in values.items()}
        finite = {name: v if math.isfinite(v) else None for name, v in numbers.items()}
        for name in (name for name, value in finite.items() if value is None):
            logging.warning("step %d: %s is %s", step, name, numbers[name])
        path = self._workdir / METRICS_FILE
        with writing(path):
            self._workdir.mkdir(parents=True, exist_ok=True)
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": int(step)} | finite, allow_nan=False) + "\n")
        with writing(self._workdir / TENSORBOARD_FOLDER):
            self._show(int(step), numbers)

    def sync(self) -> None:
        """Returns once all that was written would outlive a loss of power.

        Raises:
          DiskError: it would not.
        """
        path = self._workdir / METRICS_FILE
        if not self._lead or not path.exists():
            return
        with writing(path):
            sync(path)

    def truncate_after(self, step: int) -> None:
        """Drops what was written for steps beyond `step`, the one that training goes on from.

        A line that a killed run left unfinished goes too, so that the file reads as that of one
        uninterrupted run. TensorBoard is told to forget those steps.

        Raises:
          ValueError: a line before the last one is not JSON.
        """
        path = self._workdir / METRICS_FILE
        if not self._lead or not path.exists():
            return
        kept = [line for line in read_metrics(path) if line["step"] <= step]
        write_whole(path, "".join(json.dumps(line) + "\n" for line in kept))
        self._goes_on_after = int(step)

    def close(self) -> None:
        if self._events is not None:
            self._events.close()
            self._events = None

    def __enter__(self) -> "MetricWriter":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _show(self, step: int, numbers: Mapping[str, float]) -> None:
        if self._events is None:
            first = None if self._goes_on_after is None else self._goes_on_after + 1
            self._events = TensorBoard(self._workdir / TENSORBOARD_FOLDER, first)
        self._events.scalars(step, numbers)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics.jsonl; a last line that a killed run left unfinished is left out.

    Raises:
      ValueError: naming the file and the line that is not a JSON object with a step.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    unfinished = lines.pop()  # '' where the file ends as it should
    if unfinished:
        logging.warning("%s: left out the unfinished last line %r", path, unfinished[:80])
    return [_parse(line, path, number) for number, line in enumerate(lines, start=1)]


def validation_top1(workdir: str | Path) -> dict[int, float]:
    """Step to validation top-1, of the steps that were validated.

    Raises:
      ValueError: naming the file and what in it is not as this package writes it.
    """
    path = Path(workdir) / METRICS_FILE
    lines = read_metrics(path) if path.is_file() else []
    found = {line["step"]: line["val/top1"] for line in lines if line.get("val/top1") is not None}
    for step, top1 in found.items():
        if not isinstance(top1, int | float):
            raise ValueError(f"{path}, step {step}: val/top1 is {top1!r:.80}; expected a number")
    return found


def _parse(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path}, line {number}: not JSON ({error}): {line[:80]!r}") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("step"), int):
        raise ValueError(f'{path}, line {number}: expected an object with a "step": {line[:80]!r}')
    return parsed


def _number(name: str, value: Any) -> int | float:
    """A Python number from a number or a 0-d array (of any library)."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"metric {name!r} is {value!r}; expected one number")
    return value
