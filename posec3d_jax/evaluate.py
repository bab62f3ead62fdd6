"""Testing a trained network: protocols, exact scores of every clip, metrics on disk and a record.

A protocol is a number of clips (in time) and whether each is also seen mirrored; its name is always
printed and stored with the numbers.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import logging
from jax.experimental import multihost_utils

from posec3d_jax.config import stored
from posec3d_jax.config.checks import check_config
from posec3d_jax.data.feed.pipeline import eval_batches
from posec3d_jax.data.stored.leakage import leak_into
from posec3d_jax.data.stored.sources import Source, open_source
from posec3d_jax.files import disk
from posec3d_jax.files.buckets import local_folder, send
from posec3d_jax.files.places import expand, make_writable
from posec3d_jax.machine import host
from posec3d_jax.machine.sharding import by_clip, make_mesh, replicated
from posec3d_jax.runs import records
from posec3d_jax.runs.checkpoints import find_checkpoint, load_model
from posec3d_jax.runs.claim import claim
from posec3d_jax.runs.evaluations import Scores, summary_of, write_evaluation
from posec3d_jax.runs.feeding import to_devices
from posec3d_jax.runs.other_settings import tell_classes, tell_differences
from posec3d_jax.skeletons.needs import MODALITIES
from posec3d_jax.steps import metrics
from posec3d_jax.steps.protocol import Protocol, protocols
from posec3d_jax.steps.recognizer import Recognizer, make_eval_step, make_recognizer
from posec3d_jax.video.clips import pictures_of

FOLDER = "evaluations"
FUSED = "fused"


class Evaluator:
    """Scores a split under one protocol; compiled once, used for any weights."""

    def __init__(self, config, recognizer: Recognizer, mesh, source: Source, protocol: Protocol):
        """`config.evaluate.batch_size` counts volumes: a step takes that many over the views."""
        clips = max(1, config.evaluate.batch_size // protocol.views)
        self._clips = -(-clips // mesh.size) * mesh.size
        self._config, self._source, self.protocol = config, source, protocol
        self._needs = recognizer.encoder.needs
        self._pictures = pictures_of(config, source, self._needs)
        self._mesh = mesh
        self._fold = jax.jit(recognizer.fold, out_shardings=replicated(mesh))
        self._step = jax.jit(
            make_eval_step(recognizer, protocol.clips, protocol.flip),
            in_shardings=(replicated(mesh), by_clip(mesh)),
            out_shardings=by_clip(mesh),
            compiler_options=host.compiler_options(),
        )

    def metrics(
        self, variables: Any, after_batch: Callable[[], None] = lambda: None
    ) -> dict[str, float]:
        """Top-1, top-5, mean class accuracy and loss of the split."""
        scores, loss = self.scores(variables, after_batch=after_batch)
        classes = self._config.evaluate.mean_class
        return metrics.summarize(scores, self._source.labels, classes) | {"loss": loss}

    def scores(
        self,
        variables: Any,
        progress: bool = False,
        after_batch: Callable[[], None] = lambda: None,
    ) -> tuple[np.ndarray, float]:
        """Probabilities float32 [N, K] of every clip in the source's order, and the mean loss."""
        scores, loss = self.named_scores(variables, progress, after_batch)
        return scores[FUSED], loss

    def named_scores(
        self,
        variables: Any,
        progress: bool = False,
        after_batch: Callable[[], None] = lambda: None,
    ) -> tuple[dict[str, np.ndarray], float]:
        """As `scores`, by name: `FUSED`, and those of each output where a network has several.

        The last batch is padded and the padding left out, so the result is exact for any batch
        size and any number of devices and processes.
        """
        source = self._source
        shape, scores = (len(source), source.info.num_classes), {}
        losses = np.zeros(len(source))
        started, variables = time.perf_counter(), self._fold(variables)
        for done, batch in enumerate(self._batches(), 1):
            result = self._gathered(self._step(variables, batch), batch["index"])
            real = result["index"] >= 0
            rows = result["index"][real]
            for output, values in ({FUSED: result["scores"]} | result.get("outputs", {})).items():
                scores.setdefault(output, np.zeros(shape, np.float32))[rows] = values[real]
            losses[rows] = result["loss"][real]
            after_batch()
            if progress and done % max(1, len(source) // self._clips // 10) == 0:
                seconds = time.perf_counter() - started
                clips = min(done * self._clips, len(source))
                logging.info(
                    "%s: %d of %d clips, %.0f s", self.protocol.name, clips, len(source), seconds
                )
        return scores, float(losses.mean())

    def _batches(self):
        batches = eval_batches(
            self._source,
            sampling=self._config.sampling,
            needs=self._needs,
            num_clips=self.protocol.clips,
            batch_size=self._clips,
            process_index=jax.process_index(),
            process_count=jax.process_count(),
            loader=self._config.data.loader,
            pictures=self._pictures,
        )
        return to_devices(batches, self._mesh)

    def _gathered(self, result: dict, index: jax.Array) -> dict[str, np.ndarray]:
        """Everything on every process's host."""
        result = result | {"index": index}
        if jax.process_count() > 1:
            return multihost_utils.process_allgather(result, tiled=True)
        return jax.device_get(result)


def evaluate(
    config,
    workdir: str | Path,
    *,
    checkpoint: str = "latest",
    split: str = "",
    chosen: tuple[Protocol, ...] = (),
    record: str | Path = "",
    name: str = "",
) -> dict[str, dict[str, Any]]:
    """Evaluates a run's checkpoint and writes `<workdir>/evaluations/<name>-<protocol>/`.

    Args:
      config: the config the run was trained with.
      workdir: the run's directory.
      checkpoint: 'latest', 'best', a step, or the path of a checkpoint folder.
      split: of the data set; '' for config.data.test_split.
      chosen: protocols; () for one clip and for the many that the config names.
      record: a JSON file to write the result, and all it takes to repeat it, to.
      name: of the test, where a run is tested on more than a split; '' for the split's.

    Returns:
      Metrics by protocol name.

    Raises:
      LockedError: another process evaluates under the same name.
      DiskError: nothing can be written in `workdir`, or where the record goes.
    """
    workdir, split = local_folder(workdir), split or config.data.test_split
    check_config(config)
    folder = Path(checkpoint) if Path(checkpoint).is_dir() else find_checkpoint(workdir, checkpoint)
    differences = tell_differences(config, workdir)
    source, recognizer, mesh = open_source(config.data, split), make_recognizer(config), make_mesh()
    differences += tell_classes(workdir, source.info.class_names)
    name, results, leaking = name or split, {}, _leaking(config, split)
    if record:
        make_writable(expand(record).absolute().parent)
    evaluations = workdir / FOLDER
    with claim(evaluations / name, evaluations / f"{name}.lock"), jax.set_mesh(mesh):
        shapes = jax.eval_shape(recognizer.init, jax.random.key(0))
        variables = load_model(folder, shapes)
        for protocol in chosen or protocols(config):
            evaluator = Evaluator(config, recognizer, mesh, source, protocol)
            named, loss = evaluator.named_scores(variables, progress=True)
            clips = tuple(source.names), source.labels
            scores = {
                output: Scores(*clips, values, source.info.class_names, protocol.name)
                for output, values in named.items()
            }
            extra = {"loss": loss, "split": split, "checkpoint": folder.name}
            extra |= {"other_settings": differences} if differences else {}
            extra |= {"clips_trained_on": leaking} if leaking else {}
            kind = config.evaluate.mean_class
            extra |= _outputs(workdir, name, scores, extra, kind, config.evaluate.average)
            results[protocol.name] = _write(workdir, name, scores[FUSED], extra, kind)
            _announce(config.name, split, folder.name, results[protocol.name])
    if record and jax.process_index() == 0:
        _record(expand(record), config, workdir, results)
    return results


def _outputs(
    workdir: Path,
    name: str,
    scores: dict[str, Scores],
    extra: dict[str, Any],
    mean_class: str,
    average: str,
) -> dict[str, Any]:
    """What is stored of the outputs of a network that has several, {} for others.

    An evaluation of each of its own, which `posec3d fuse` takes, and the figures of each and of
    their sums by the reference's weights: of probabilities, or where `average` is 'score' of
    logits, which the probabilities' logarithms rank alike.
    """
    by_output = {output: scores[output] for output in MODALITIES if output in scores}
    if not by_output:
        return {}
    figures = {}
    for output, own in by_output.items():
        _write(workdir, f"{name}-{output}", own, extra | {"output": output}, mean_class)
        figures[output] = metrics.summarize(own.scores, own.labels, mean_class)
    labels, (first, second) = scores[FUSED].labels, by_output
    parts = [own.scores for own in by_output.values()]
    if average == "score":
        parts = [np.log(np.maximum(part, np.finfo(np.float32).tiny)) for part in parts]
    for weights in ((1, 1), (2, 1), (1, 2)):
        total = weights[0] * parts[0] + weights[1] * parts[1]
        key = f"{first}:{second} {weights[0]}:{weights[1]}"
        figures[key] = metrics.summarize(total, labels, mean_class)
    return {"outputs": figures}


def _leaking(config, split: str) -> int:
    """How many clips of the split the config trains on; a warning says which."""
    found, line = leak_into(config.data, split, config.seed)
    if line:
        logging.warning("%s", line)
    return len(found)


def _write(
    workdir: Path, name: str, scores: Scores, extra: dict[str, Any], mean_class: str
) -> dict[str, Any]:
    """Metrics of the scores, on every process; the first one also leaves them on disk."""
    folder = f"{name}-{scores.protocol}".replace(" ", "-")
    if jax.process_index() == 0:
        written = write_evaluation(workdir / FOLDER / folder, scores, extra, mean_class)
        send(workdir / FOLDER / folder, (".",))
        return written
    return summary_of(scores, mean_class) | extra


def _announce(name: str, split: str, step: str, result: dict[str, Any]) -> None:
    logging.info(
        "%s, split %s, checkpoint %s, %s: top-1 %.4f  top-5 %.4f  mean class %.4f  (%d clips)",
        name,
        split,
        step,
        result["protocol"],
        result["top1"],
        result["top5"],
        result["mean_class"],
        result["clips"],
    )
    for output, figures in result.get("outputs", {}).items():
        logging.info("%s alone or fused, %s: top-1 %.4f", name, output, figures["top1"])


def _record(path: str | Path, config, workdir: Path, results: dict[str, dict[str, Any]]) -> None:
    """The result as README tables quote it; the last protocol is the headline."""
    headline = list(results.values())[-1]
    records.write_record(
        path,
        protocol=headline["protocol"],
        metrics={k: headline[k] for k in ("top1", "top5", "mean_class", "loss")},
        clips=headline["clips"],
        seed=config.seed,
        config=stored.config_to_dict(config),
        training=disk.read_json(workdir / records.RUN_FILE),
        split=headline["split"],
        all_protocols=results,
    )
