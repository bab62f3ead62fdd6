"""The tiny networks of the reference, as configs of ours, and small things that tests share."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from posec3d_jax.config import base, networks
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights.checkpoint_file import read_checkpoint
from posec3d_jax.weights.importing import convert

FIXTURES = Path(__file__).parent / "fixtures"
CLASSES = 11
_SLOWONLY = networks.slowonly(width=4, stage_blocks=(2, 2, 1), dropout=0.0)
TINY = ("tiny_slowonly", "tiny_c3d", "tiny_x3d", "tiny_x3d_se_swish")
NETWORKS = {
    "tiny_slowonly": _SLOWONLY,
    "tiny_c3d": networks.c3d_light(width=4),
    "tiny_x3d": networks.x3d_shallow(width=8),
    "tiny_x3d_se_swish": networks.x3d_shallow(width=8, squeeze_excite=True, swish=True),
    "train_tiny_slowonly": _SLOWONLY,
    "train_tiny_slowonly_clip": _SLOWONLY,
}
# Of the graph networks the width is all that is changed.
GRAPH_TINY = {
    "tiny_stgcn": 8,
    "tiny_stgcnpp": 12,
    "tiny_aagcn": 8,
    "tiny_ctrgcn": 24,
    "tiny_msg3d": 12,
}


def reference_config(name: str):
    """The config of one of the reference's tiny networks."""
    config = base.get_config()
    config.data.num_classes = CLASSES
    if name in GRAPH_TINY:
        base.set_variant(config, "joint", name.removeprefix("tiny_"))
        config.model.width = GRAPH_TINY[name]
        config.sampling.num_frames = 20
        return config
    config.model = NETWORKS[name].copy_and_resolve_references().lock()
    config.sampling.num_frames = 8
    config.volume.train_size = config.volume.test_size = (16, 16)
    return config


def load_variables(path: Path) -> dict:
    """The weights in `path`, a file named after its network, as variables of ours."""
    recognizer = make_recognizer(reference_config(path.stem))
    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    return convert(read_checkpoint(path).tensors, like)[0]


@functools.cache
def network(name: str):
    """(variables, inputs) to named logits, compiled once for each shape."""
    return jax.jit(make_recognizer(reference_config(name)).logits)


def channels_last(volumes: np.ndarray) -> jax.Array:
    """[..., C, T, H, W] to [..., T, H, W, C]."""
    return jnp.moveaxis(jnp.array(volumes), -4, -1)


def relative_error(found, expected: np.ndarray) -> float:
    """The largest difference, as a fraction of the largest expected value."""
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())
