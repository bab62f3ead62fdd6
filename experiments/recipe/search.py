"""Trials of a recipe on inner folds: many settings of one network, compiled once.

  python -m experiments.recipe.search --set=utd_mhad_kinect --variant=all-stgcnpp \
      --change=optimizer.method="'adamw'" --trial="rate=0.002 mixup=0.2" --trial="rate=0.002" \
      --data=data --log=results/recipe/trials.csv

A trial starts from `recipes.set_own_data`, without its noise, variations and smoothed labels, which
are settings here. What decides the compiled program (`--change`, keys of the config) is the same
for all trials of a call; what differs between trials (`Settings`) are arguments of the program. The
step is the product's, put together from the same functions. Data sets must be prepared with
data.storage "pack"; trials are trained and tested on the inner folds of folds.py, and the test
split is never read. The log gets a line a trial, with the figures of the last weights and of their
moving mean; a trial that it has already is not done again. `--scores` keeps what the clips were
given, for fusing.
"""

import ast
import csv
import fcntl
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app, flags

from experiments.recipe.folds import TEST, TRAIN, folder_of
from posec3d_jax.config import base, networks, recipes
from posec3d_jax.config.files import read_config
from posec3d_jax.data.feed.pipeline import train_batches
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.affine import mapped
from posec3d_jax.evaluate import Evaluator
from posec3d_jax.machine import host
from posec3d_jax.machine.sharding import make_mesh
from posec3d_jax.steps import metrics
from posec3d_jax.steps.averaging import begin_average, with_average
from posec3d_jax.steps.mixing import mix
from posec3d_jax.steps.optimizer import make_optimizer, make_schedule
from posec3d_jax.steps.protocol import Protocol
from posec3d_jax.steps.recognizer import create_state, make_recognizer, named_losses, total_loss
from posec3d_jax.steps.state import TrainState

NEVER = 1e-3  # Beta(a, a) of so small an a leaves clips as they are


@dataclass(frozen=True)
class Settings:
    """What may differ between the trials of one compiled program; 0 is off."""

    rate: float = 0.1  # of the batch as it is
    decay: float = 3e-4
    smoothing: float = 0.0
    mixup: float = 0.0
    turn: float = 0.0
    stretch: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    jitter: float = 0.0
    offset: float = 0.0
    share: float = 1.0
    warp: float = 0.0
    warmup: float = 0.0  # part of the training
    ema: float = 0.995  # of the moving mean, which is tested beside the last weights
    passes: int = 60
    seed: int = 0


COLUMNS = ("set", "variant", "program", *(field.name for field in fields(Settings)))
FIGURES = ("top1", "loss", "ema_top1", "ema_loss", "train_loss", "minutes")
VARIANTS = (networks.ALL_STREAMS, networks.SMALL_NETWORKS)


def program_config(name: str, variant: str, folder: Path, changes: dict[str, object]) -> Any:
    """The data of configs/<name>.py on the inner fold in `folder`, and the recipe for one's own.

    `variant` is 'stream-network'; the changes are by dotted key.
    """
    config = read_config(f"configs/{name}.py")
    stream, network = base.parse_variant(variant, *VARIANTS)
    recipes.set_own_data(config, network, stream)
    config.noise.update(jitter=0.0, offset=0.0)
    config.augment.update(turn=0.0, stretch=0.0, shear=0.0, shift=0.0)
    config.data.dir, config.data.storage, config.data.loader = str(folder), "pack", "threads"
    config.data.train_split, config.data.val_split, config.data.test_split = TRAIN, "", TEST
    for key, value in changes.items():
        *parts, last = key.split(".")
        node = config
        for part in parts:
            node = node[part]
        node[last] = value
    return config


class Program:
    """A network's training step and test, compiled once for any `Settings`."""

    def __init__(self, config: Any, mixes: bool = True):
        """`mixes`: whether any trial mixes clips; where volumes are mixed they must be painted."""
        self.config, self.mesh = config, make_mesh()
        self.recognizer = make_recognizer(config)
        self.train = open_source(config.data, TRAIN)
        protocol = Protocol(config.sampling.test_clips, config.sampling.test_flip)
        self.test = open_source(config.data, TEST)
        with jax.set_mesh(self.mesh):
            self.evaluator = Evaluator(config, self.recognizer, self.mesh, self.test, protocol)
        options = {"donate_argnums": 0, "compiler_options": host.compiler_options()}
        self._step = jax.jit(_step(self.recognizer, config.optimizer, mixes), **options)
        # Only the shape of the state depends on the optimizer.
        optimizer = make_optimizer(config.optimizer, lambda step: 0.0)
        self._create = jax.jit(lambda key: create_state(self.recognizer, optimizer, key))

    def trial(self, settings: Settings) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Figures (accuracy is in percent of the inner test clips), and the clips' scores."""
        started = time.perf_counter()
        size, rates = self.config.train.batch_size, self._rates(settings)
        values = {k: jnp.float32(v) for k, v in asdict(settings).items()}
        values["mixup"] = jnp.float32(settings.mixup or NEVER)
        key, losses = jax.random.key(settings.seed), []
        with jax.set_mesh(self.mesh):
            state = begin_average(self._create(jax.random.fold_in(key, 0)))
            for batch, rate in zip(self._batches(settings, size, len(rates)), rates, strict=True):
                values["rate"] = rate
                state, loss = self._step(state, batch, jax.random.fold_in(key, 1), values)
                losses.append(loss)
            averaged, mean_loss = self.evaluator.scores(state.tested)
            last, loss = self.evaluator.scores(state.replace(averaged=None).tested)
        train_loss = float(np.mean(jax.device_get(losses[-50:])))
        minutes = (time.perf_counter() - started) / 60
        found = (self._top1(last), loss, self._top1(averaged), mean_loss, train_loss, minutes)
        return dict(zip(FIGURES, found, strict=True)), {"last": last, "mean": averaged}

    def _top1(self, scores: np.ndarray) -> float:
        return 100 * metrics.top_k_accuracy(scores, self.test.labels, 1)

    def _rates(self, settings: Settings) -> np.ndarray:
        """The schedule: warm-up, then a cosine to zero."""
        size = self.config.train.batch_size
        per_pass = -(-len(self.train) // size)
        total = settings.passes * len(self.train) // size
        options = SimpleNamespace(
            learning_rate=settings.rate,
            reference_batch=size,
            warmup_epochs=settings.warmup * total / per_pass,
            schedule="cosine",
        )
        schedule = make_schedule(options, size, per_pass, total)
        return np.asarray(jax.vmap(schedule)(jnp.arange(total)), np.float32)

    def _batches(self, settings: Settings, size: int, count: int):
        sampling = self.config.sampling.copy_and_resolve_references()
        with sampling.unlocked():
            sampling.share, sampling.warp = settings.share, settings.warp
        batches = train_batches(
            self.train,
            sampling=sampling,
            needs=self.recognizer.encoder.needs,
            seed=settings.seed,
            batch_size=size,
            num_steps=count,
            repeat=settings.passes,
        )
        return ({k: v for k, v in batch.items() if k != "index"} for batch in batches)


def _step(recognizer, options, mixes: bool) -> Callable:
    """(state, batch, key, settings) to (state, loss), as `make_train_step` with all options on.

    Without `mixes` with all but mixup.
    """

    def step(state: TrainState, batch, key, values):
        keys = jax.random.split(jax.random.fold_in(key, state.step), 5)
        batch = _shaken(mapped(batch, keys[0], values), keys[1], values)
        inputs = recognizer.encoder.train(batch, keys[2])
        targets = jax.nn.one_hot(batch["label"], recognizer.model.num_classes)
        if mixes:
            inputs, targets = mix(inputs, targets, keys[3], values["mixup"])
        targets = optax.smooth_labels(targets, values["smoothing"])

        def loss_fn(params):
            variables = {"params": params, "batch_stats": state.batch_stats}
            rngs = {"dropout": keys[4]}
            logits, updates = recognizer.logits(
                variables, inputs, train=True, mutable=["batch_stats"], rngs=rngs
            )
            return total_loss(named_losses(logits, targets)), updates["batch_stats"]

        (loss, statistics), gradients = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
        wanted = options.to_dict() | {"weight_decay": values["decay"]}
        optimizer = make_optimizer(SimpleNamespace(**wanted), lambda _: values["rate"])
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return TrainState(state.step + 1, params, statistics, opt_state), loss

    def averaging(state: TrainState, batch, key, values):
        return with_average(step, values["ema"])(state, batch, key, values)

    return averaging


def _shaken(batch, key: jax.Array, values: Mapping[str, jax.Array]):
    """As `config.noise` has `jitter` and `offset`, also where they are not known when compiling."""
    keypoint = batch["keypoint"]
    present = (keypoint != 0).any(-1, keepdims=True) & jnp.isfinite(keypoint).all(-1, keepdims=True)
    _, side = g.centre_and_side(jnp.where(present, keypoint, 0))
    shake = values["jitter"] * jax.random.normal(key, keypoint.shape)
    joints = (len(keypoint), 1, 1, *keypoint.shape[-2:])
    shake += values["offset"] * jax.random.normal(jax.random.fold_in(key, 1), joints)
    noisy = keypoint + shake * side[:, None, None, None]
    return {**batch, "keypoint": jnp.where(present, noisy, keypoint)}


def log_row(log: Path, row: dict[str, object]) -> None:
    """One line more; several processes may write at once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a", newline="", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        writer = csv.DictWriter(file, (*COLUMNS, *FIGURES), lineterminator="\n")
        if not file.tell():
            writer.writeheader()
        writer.writerow(row)


def done(log: Path) -> set[tuple[str, ...]]:
    """The trials that a log has, without their figures."""
    if not log.exists():
        return set()
    with open(log, newline="", encoding="utf-8") as file:
        return {tuple(row[name] for name in COLUMNS) for row in csv.DictReader(file)}


def parse(text: str) -> Settings:
    """'rate=0.1 passes=30' as settings.

    Raises ValueError for a name that there is not.
    """
    values = {k: ast.literal_eval(v) for k, v in (word.split("=", 1) for word in text.split())}
    if unknown := set(values) - {field.name for field in fields(Settings)}:
        raise ValueError(f"--trial has {', '.join(sorted(unknown))}; settings are {Settings()}")
    return Settings(**values)


def keep_scores(folder: str, row: dict[str, object], test, scores: dict[str, np.ndarray]) -> None:
    """Scores [N, K] of a trial in a file that is named after its settings; nothing without folder.

    What was tried stands in it too, so that trials can be fused.
    """
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tried = " ".join(map(str, row.values()))
        file = f"{row['set']}-{row['variant']}-{hashlib.sha256(tried.encode()).hexdigest()[:8]}.npz"
        np.savez_compressed(Path(folder) / file, labels=test.labels, tried=tried, **scores)


def main(argv: list[str]) -> None:
    options = flags.FLAGS
    host.quiet_libraries()
    host.use_compilation_cache()
    name, folder = options.set, folder_of(Path(options.data), options.set)
    changes = {k: ast.literal_eval(v) for k, v in (c.split("=", 1) for c in options.change)}
    config = program_config(name.partition("@")[0], options.variant, folder, changes)
    log, trials, program = Path(options.log), [*map(parse, options.trial)], None
    for settings in trials:
        row = {"set": name, "variant": options.variant, "program": " ".join(options.change)}
        row |= {key: str(value) for key, value in asdict(settings).items()}
        if tuple(row.values()) in done(log):
            continue
        program = program or Program(config, any(trial.mixup for trial in trials))
        figures, scores = program.trial(settings)
        log_row(log, row | {key: f"{value:.3f}" for key, value in figures.items()})
        keep_scores(options.scores, row, program.test, scores)
        print(options.set, options.variant, settings, figures, flush=True)


if __name__ == "__main__":
    host.tune_process()
    flags.DEFINE_string("set", None, "An inner fold: of FOLDS in folds.py.", required=True)
    flags.DEFINE_string("variant", "joint-c3d_light", "A stream and a network.")
    flags.DEFINE_multi_string("change", [], "<key>=<Python value>, of the config.")
    flags.DEFINE_multi_string("trial", [], "Settings, as in 'rate=0.1 passes=30'.")
    flags.DEFINE_string("data", "data", "Folder of the prepared data sets.")
    flags.DEFINE_string("log", "results/recipe/trials.csv", "The log to add lines to.")
    flags.DEFINE_string("scores", "", "A folder for the clips' scores; '' keeps none.")
    app.run(main)
