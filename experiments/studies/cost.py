"""What a network costs: parameters and multiply-adds, memory of the compiled step, time.

Times are taken in rounds. A round times every case once, every other round in reverse order, so
that a machine that slows down slows all of them. Figures are medians over rounds; a ratio is the
median of the ratios within rounds.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from absl import logging

from benchmarks.clips import FRAME_SIZE, make_clips
from benchmarks.machine import machine
from experiments.studies.runs import WAIT, claimed
from posec3d_jax.config import stored
from posec3d_jax.engines.xla import XlaEngine
from posec3d_jax.files import disk
from posec3d_jax.machine import host
from posec3d_jax.predict import Predictor
from posec3d_jax.reports.summary import totals, trace_layers
from posec3d_jax.steps.optimizer import make_optimizer, make_schedule
from posec3d_jax.steps.recognizer import (
    create_state,
    make_eval_step,
    make_recognizer,
    make_train_step,
)

SETTING, ROUND = "setting.json", "round-{}.json"
MEGA, GIGA = 1e6, 1e9


@dataclass(frozen=True)
class Case:
    """A compiled call to time, and the memory that it needs."""

    run: Callable[[], Any]
    memory: int  # bytes: arguments, results and temporaries of the compiled program


def setting_of(config) -> dict[str, Any]:
    """The keys of a config on which cost depends: not the data set, nor the length of training."""
    whole = stored.config_to_dict(config)
    keys = ("encoder", "model", "volume", "geometry", "graph", "compute_dtype", "optimizer")
    data = {key: whole["data"][key] for key in ("skeleton", "num_classes", "max_persons")}
    return {key: whole[key] for key in keys} | {
        "frames": config.sampling.num_frames,
        "data": data,
    }


def counts_once(config, path: Path) -> dict[str, float]:
    """`counts`, kept in a file together with the setting; counted again if that has changed."""
    wanted = setting_of(config)
    found = disk.read_json(path)
    if found.get("setting") != wanted:
        found = {"counts": counts(config), "setting": wanted}
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write_json(path, found)
    return found["counts"]


def counts(config) -> dict[str, float]:
    """Parameters in millions and multiply-adds of one view in G, with and without the rest.

    "The rest" is BatchNorm and products with graphs, which papers leave out for graph networks.
    """
    recognizer = make_recognizer(config)
    layers = trace_layers(recognizer, recognizer.encoder.train_shape)
    parameters, everything = totals(layers)
    dense = totals([layer for layer in layers if layer.kind == "convolution"])[1]
    return {
        "parameters": parameters / MEGA,
        "multiply_adds": dense / GIGA,
        "multiply_adds_all": everything / GIGA,
    }


def training_step(config, batch: int) -> Case:
    """One training step, from keypoints of `config.data.max_persons` persons to new parameters."""
    recognizer = make_recognizer(config)
    optimizer = make_optimizer(config.optimizer, make_schedule(config.optimizer, batch, 1000, 9000))
    clips, key = _clips(config, batch), jax.random.key(1)
    state = jax.jit(lambda k: create_state(recognizer, optimizer, k))(jax.random.key(0))
    step = make_train_step(recognizer, optimizer, config.train.label_smoothing)
    program = _compile(step, state, clips, key, donate_argnums=0)
    held = [state]

    def run():
        held[0], metrics = program(held[0], clips, key)
        return jax.block_until_ready(metrics)

    return Case(run, _memory(program))


def forward(config, batch: int) -> Case:
    """A test step, from keypoints to class probabilities, one view a clip."""
    recognizer = make_recognizer(config)
    return _fixed(
        make_eval_step(recognizer, 1, False),
        jax.jit(recognizer.init)(jax.random.key(0)),
        _clips(config, batch),
    )


def encoding(config, batch: int) -> Case:
    """The encoder alone, keypoints to training input: for volumes, geometry and drawing."""
    train = make_recognizer(config).encoder.train
    return _fixed(train, _clips(config, batch), jax.random.key(1))


def latency(config, batch: int = 1) -> Case:
    """`posec3d predict` after its first call: from a clip on the host to its label."""
    variables = jax.jit(make_recognizer(config).init)(jax.random.key(0))
    predictor = Predictor(config, XlaEngine(config, variables))
    clip = make_clips(batch, config.data.max_persons, 100)
    return Case(lambda: predictor(clip["keypoint"][0], clip["score"][0], FRAME_SIZE), 0)


def _clips(config, batch: int) -> dict[str, jax.Array]:
    clips = make_clips(batch, config.data.max_persons, config.sampling.num_frames)
    return jax.device_put(clips | {"label": clips["label"] % config.data.num_classes})


def _fixed(function: Callable, *arguments: Any) -> Case:
    program = _compile(function, *arguments)
    return Case(lambda: jax.block_until_ready(program(*arguments)), _memory(program))


def _compile(function: Callable, *arguments: Any, **options: Any):
    jitted = jax.jit(function, compiler_options=host.compiler_options(), **options)
    return jitted.lower(*arguments).compile()


def _memory(program) -> int:
    """Bytes that the compiler planned for the program's peak; 0 where it does not say."""
    plan = program.memory_analysis()
    if plan is None:
        return 0
    used = plan.argument_size_in_bytes + plan.output_size_in_bytes + plan.temp_size_in_bytes
    return used - plan.alias_size_in_bytes  # donated arguments are counted twice


def measure(
    makers: Mapping[str, Callable[[], Case]],
    setting: Mapping[str, Any],
    folder: Path,
    rounds: int,
    seconds: float,
) -> list[dict[str, Any]]:
    """Times all cases in `rounds` rounds, each kept as a file of `folder` and not timed again.

    If several processes call it, one measures and the others wait.

    Args:
      makers: by name, a function that compiles a case; called only if a round is missing.
      setting: what the times depend on; must equal that of the rounds already in the folder.
      folder: where the rounds are kept.
      rounds: how many.
      seconds: how long to call a case in each of them, at least once.

    Returns:
      The rounds: {'seconds': {case: s}, 'memory': {case: bytes}, 'machine': {...}}.

    Raises:
      ValueError: the folder holds rounds of another setting.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / ROUND.format(number) for number in range(rounds)]
    while True:
        with claimed(folder / "measuring.lock") as mine:
            if mine:
                _check_setting(folder, setting, any(path.exists() for path in paths))
                _time_missing(makers, paths, seconds)
                return [disk.read_json(path) for path in paths]
        time.sleep(WAIT)


def _check_setting(folder: Path, setting: Mapping[str, Any], begun: bool) -> None:
    if begun and disk.read_json(folder / SETTING) != setting:
        raise ValueError(
            f"{folder} holds times of another setting; use another --workdir, or remove it"
        )
    disk.write_json(folder / SETTING, setting)


def _time_missing(
    makers: Mapping[str, Callable[[], Case]], paths: Sequence[Path], seconds: float
) -> None:
    """The rounds that are not there yet, forwards and backwards in turns."""
    missing = [(number, path) for number, path in enumerate(paths) if not path.exists()]
    cases = {name: _ready(name, make) for name, make in makers.items()} if missing else {}
    memory = {name: case.memory for name, case in cases.items()}
    for number, path in missing:
        order = list(cases) if number % 2 == 0 else list(reversed(cases))
        times = {name: time_of(cases[name].run, seconds) for name in order}
        found = machine()
        disk.write_json(path, {"seconds": times, "memory": memory, "machine": found})
        logging.info("%s: %.0f s", path, sum(times.values()))
        if found["load_before"] > 1.5 * found["cores"]:
            logging.warning(
                "the machine was busy (load %.0f): remove %s and time again when it is not",
                found["load_before"],
                path.parent,
            )


def _ready(name: str, make: Callable[[], Case]) -> Case:
    """The case, compiled and run once."""
    started = time.perf_counter()
    case = make()
    case.run()
    logging.info("%s: ready after %.0f s", name, time.perf_counter() - started)
    return case


def time_of(run: Callable[[], Any], seconds: float) -> float:
    """Seconds a call takes, the mean over as many as fit into `seconds`."""
    started = time.perf_counter()
    for calls in itertools.count(1):
        run()
        if (spent := time.perf_counter() - started) >= seconds:
            return spent / calls


def median_of(rounds: Sequence[Mapping[str, Any]], name: str) -> float:
    """The case's seconds, the median over rounds."""
    return statistics.median(part["seconds"][name] for part in rounds)


def load_of(rounds: Sequence[Mapping[str, Any]]) -> float:
    """The highest load of the machine before a round; above its number of cores, distrust times."""
    return max(part["machine"]["load_before"] for part in rounds)


def ratio_of(rounds: Sequence[Mapping[str, Any]], name: str, other: str) -> float:
    """How many times the other case's time this one takes, the median of the rounds' ratios."""
    return statistics.median(part["seconds"][name] / part["seconds"][other] for part in rounds)
