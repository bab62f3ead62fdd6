"""What is timed of this package; each case returns a call to time, and facts to report."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh

from benchmarks.clips import make_clips, open_folder
from posec3d_jax.config import base, networks
from posec3d_jax.data.feed.pipeline import train_batches
from posec3d_jax.encoders import Encoder
from posec3d_jax.encoders.volume import volume_encoder
from posec3d_jax.engines.xla import XlaEngine
from posec3d_jax.kernels.target import target_here
from posec3d_jax.machine import host
from posec3d_jax.machine.sharding import by_clip, make_mesh, replicated
from posec3d_jax.predict import Predictor
from posec3d_jax.reports.summary import trace_layers
from posec3d_jax.runs.feeding import to_devices
from posec3d_jax.steps.optimizer import make_optimizer, make_schedule
from posec3d_jax.steps.protocol import Protocol
from posec3d_jax.steps.recognizer import (
    Recognizer,
    create_state,
    make_eval_step,
    make_recognizer,
    make_train_step,
)

Case = tuple[Callable[[], Any], dict[str, Any]]

# For what runs once: it compiles in a fifth of the time. Last bits of what it makes are others.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def _config(network="slowonly", stream="joint", frames=48, size=56, dtype="float32"):
    config = base.get_config()
    base.set_network(config, network)
    graph = network in networks.GRAPH_NETWORKS
    (base.set_graph_stream if graph else base.set_stream)(config, stream)
    config.sampling.num_frames = frames
    config.volume.train_size = config.volume.test_size = (size, size)
    config.compute_dtype = dtype
    return config


def _jit(function: Callable, **options: Any) -> Callable:
    return jax.jit(function, compiler_options=host.compiler_options(), **options)


def _call(function: Callable, *arguments: Any) -> Callable[[], Any]:
    return lambda: jax.block_until_ready(function(*arguments))


def _facts() -> dict[str, Any]:
    device = jax.devices()[0]
    return {"device": device.device_kind, "backend": jax.default_backend()}


def draw(batch: int, persons: int = 2, **options: Any) -> Case:
    """Geometry and drawing of training clips."""
    config = _config(**options)
    encoder = _drawing(config)
    clips = jax.device_put(make_clips(batch, persons, config.sampling.num_frames))

    @_jit
    def run(clips, key):
        return encoder.train(clips, key)

    return _call(run, clips, jax.random.key(0)), _facts()


def draw_test(persons: int = 2, clips: int = 10, **options: Any) -> Case:
    """Geometry and drawing of one test sample: all clips, and all of them mirrored."""
    config = _config(**options)
    encoder = _drawing(config)
    sample = jax.device_put(make_clips(1, persons, clips * config.sampling.num_frames))

    @_jit
    def run(sample):
        return encoder.test(sample, clips, True)

    return _call(run, sample), _facts()


def _drawing(config) -> Encoder:
    """The encoder that paints, also where a network would do without."""
    return volume_encoder(config, make_recognizer(config).skeleton, target_here())


def _volumes(config, batch: int) -> jax.Array:
    """Drawn volumes: their zeros and values are those of real inputs."""
    clips = make_clips(batch, 1, config.sampling.num_frames)
    drawn = jax.jit(_drawing(config).train)(clips, jax.random.key(0))
    return drawn.astype(make_recognizer(config).compute_dtype)


def forward(batch: int, **options: Any) -> Case:
    """The network alone, as it tests: volumes to logits."""
    config = _config(**options)
    recognizer = make_recognizer(config)
    variables = jax.jit(recognizer.init)(jax.random.key(0))
    run = _jit(lambda v, x: recognizer.logits(v, x, train=False))
    return _call(run, variables, _volumes(config, batch)), _facts()


def whole_forward(batch: int, persons: int = 1, **options: Any) -> Case:
    """What a test runs: keypoints to scores, drawing included, BatchNorm folded."""
    config = _config(**options)
    config.data.max_persons = persons
    recognizer = make_recognizer(config)
    variables = jax.jit(lambda key: recognizer.fold(recognizer.init(key)))(jax.random.key(0))
    clips = jax.device_put(make_clips(batch, persons, config.sampling.num_frames))
    return _call(_jit(make_eval_step(recognizer, 1, False)), variables, clips), _facts()


def train_step(batch: int, **options: Any) -> Case:
    """The network alone, as it trains: volumes to updated parameters."""
    config = _config(**options)
    recognizer = make_recognizer(config)
    clips = {"volume": _volumes(config, batch), "label": make_clips(batch, 1, 1)["label"]}
    batches = itertools.repeat(jax.device_put(clips, by_clip(make_mesh())))
    layers = trace_layers(recognizer, recognizer.encoder.train_shape)
    written = [math.prod(layer.output) for layer in layers if layer.kind == "convolution"]
    facts = _facts() | {"activations": sum(written)}  # values that the convolutions of a clip write
    return _steps(config, _with_volumes(recognizer), batch, batches), facts


def _with_volumes(recognizer: Recognizer) -> Recognizer:
    """One whose batches have their volumes already."""
    given = replace(recognizer.encoder, train=lambda clips, key: clips["volume"])
    return replace(recognizer, encoder=given)


def lowered_step(batch: int, mesh: Mesh, target: str = "", **options: Any) -> jax.stages.Lowered:
    """The step of `train_step` for the devices of `mesh`, not compiled yet; from shapes alone.

    The devices share the batch. `target` is what they are, '' if they are this machine's.
    """
    config = _config(**options)
    recognizer = _with_volumes(make_recognizer(config, target))
    shape, optimizer = recognizer.encoder.train_shape, _optimizer(config, batch)
    arguments = jax.eval_shape(
        lambda key: (
            create_state(recognizer, optimizer, key),
            {
                "volume": jnp.zeros((batch, *shape), recognizer.compute_dtype),
                "label": jnp.zeros(batch, jnp.int32),
            },
            key,
        ),
        jax.random.key(0),
    )
    whole = replicated(mesh)
    placements = whole, by_clip(mesh), whole
    arguments = [
        jax.tree.map(lambda a, p=p: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=p), tree)
        for tree, p in zip(arguments, placements, strict=True)
    ]
    step = jax.jit(make_train_step(recognizer, optimizer, 0.0), donate_argnums=0)
    return step.lower(*arguments)


def whole_step(batch: int, persons: int = 2, **options: Any) -> Case:
    """The train step of `posec3d train`: keypoints to updated parameters, drawing included."""
    config = _config(**options)
    config.data.max_persons = persons
    clips = make_clips(batch, persons, config.sampling.num_frames)
    batches = itertools.repeat(jax.device_put(clips, by_clip(make_mesh())))
    return _steps(config, make_recognizer(config), batch, batches), _facts()


def end_to_end(batch: int, folder: str, **options: Any) -> Case:
    """From a data set on disk to updated parameters, as `posec3d train` runs: a step."""
    config, source = _config(**options), open_folder(folder)
    batches = train_batches(
        source, sampling=config.sampling, seed=0, batch_size=batch, loader="threads"
    )
    wanted = ("keypoint", "score", "frame_size", "label")
    batches = to_devices(({k: b[k] for k in wanted} for b in batches), make_mesh())
    return _steps(config, make_recognizer(config), batch, batches), _facts()


def _steps(config, recognizer: Recognizer, batch: int, batches: Iterator) -> Callable[[], Any]:
    """Each call is a step of training on the next batch, from the state that the last one left."""
    optimizer = _optimizer(config, batch)
    step = _jit(make_train_step(recognizer, optimizer, 0.0), donate_argnums=0)
    whole = replicated(make_mesh())  # from the first step on, or the second one compiles again
    create = jax.jit(lambda k: create_state(recognizer, optimizer, k), out_shardings=whole)
    held, key = [create(jax.random.key(0))], jax.device_put(jax.random.key(1), whole)

    def run():
        held[0], metrics = step(held[0], next(batches), key)
        return jax.block_until_ready(metrics)

    return run


def _optimizer(config, batch: int) -> optax.GradientTransformation:
    return make_optimizer(config.optimizer, make_schedule(config.optimizer, batch, 1000, 24000))


def copy(gigabytes: float = 4.0) -> Case:
    """Memory to memory on the device: each byte is read once and written once."""
    values = jnp.zeros(int(gigabytes * 2.5e8), jnp.float32)
    return _call(_jit(lambda x: x + 1), values), _facts()


def untrained(network: str, frames: int = 48) -> tuple[Any, Any]:
    """A network's config and first variables."""
    config = _config(network, frames=frames)
    init = jax.jit(make_recognizer(config).init, compiler_options=QUICK)
    return config, init(jax.random.key(0))


def predict(network: str, clips: int = 1, flip: bool = False, frames: int = 48) -> Case:
    """One recording of 100 frames, one person: keypoints on the host to a label."""
    config, variables = untrained(network, frames)
    predictor = Predictor(config, XlaEngine(config, variables, Protocol(clips, flip)))
    clip = make_clips(1, 1, 100)
    arguments = clip["keypoint"][0], clip["score"][0], (1080, 1920)
    return lambda: predictor(*arguments), _facts()


CASES = MappingProxyType(
    {
        case.__name__: case
        for case in (
            copy,
            draw,
            draw_test,
            forward,
            whole_forward,
            train_step,
            whole_step,
            end_to_end,
            predict,
        )
    }
)
