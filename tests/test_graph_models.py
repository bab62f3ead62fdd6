"""The graph networks against the reference: logits, fresh weights, and that each one trains."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import base, networks
from posec3d_jax.networks.graph import layers
from posec3d_jax.networks.graph.aagcn import AdaptiveGraphConv
from posec3d_jax.networks.graph.adjacency import spatial
from posec3d_jax.networks.graph.msg3d import windows
from posec3d_jax.networks.graph.stgcn import GraphConv
from posec3d_jax.networks.graph.temporal import max_pool_time
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.steps.optimizer import make_optimizer
from posec3d_jax.steps.recognizer import average_views, make_recognizer, make_train_step
from posec3d_jax.steps.state import TrainState
from tests.reference import FIXTURES, GRAPH_TINY, load_variables, network, relative_error

COCO = get_skeleton("coco_17")


def test_logits_of_stgcn():
    """Two clips of two persons, one of them absent; needs nothing beside the repository."""
    variables = load_variables(FIXTURES / "tiny_stgcn.safetensors")
    with np.load(FIXTURES / "logits.npz") as data:
        logits = network("tiny_stgcn")(variables, data["tiny_stgcn/in_x"])["pose"]
        assert relative_error(logits, data["tiny_stgcn/logits"]) <= 1e-5


@pytest.mark.parametrize("name", GRAPH_TINY)
def test_logits_and_averaged_clips_equal_the_reference(shared, name):
    variables = load_variables(shared / "parity" / f"{name}.pth")
    with np.load(shared / "parity" / f"{name}.npz") as data:
        clips = data["in_clips"][0]
        both = network(name)(variables, np.concatenate([data["in_x"], clips]))["pose"]
        assert relative_error(both[:2], data["logits"]) <= 1e-5
        scores = average_views({"pose": both[2:]}, len(clips), "prob")
        np.testing.assert_allclose(scores, data["clip_avg_prob"], rtol=0, atol=1e-6)


SLOW_TO_COMPILE = set(networks.GRAPH_NETWORKS) - {"stgcn"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW_TO_COMPILE else ())
        for name in networks.GRAPH_NETWORKS
    ],
)
def test_a_few_steps_lower_the_loss(name, monkeypatch):
    monkeypatch.setattr(layers, "BLOCKS", 2)  # ten take minutes to compile
    config = base.get_config()
    base.set_variant(config, "joint", name)
    config.model.width = 6
    config.sampling.num_frames, config.data.num_classes = 8, 3
    config.data.max_persons, config.data.skeleton = 1, "sbu_15"
    recognizer = make_recognizer(config)
    optimizer = make_optimizer(config.optimizer, lambda step: 0.02)
    # Compiled without optimisation: the networks are deep, and the steps are few.
    fast = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    step = jax.jit(make_train_step(recognizer, optimizer, 0.0), compiler_options=fast)
    variables, rng = _variables(recognizer), np.random.default_rng(0)
    state = TrainState(
        jnp.zeros((), jnp.int32), **variables, opt_state=optimizer.init(variables["params"])
    )
    batch = {
        "keypoint": jnp.array(rng.uniform(20, 200, (4, 1, 8, 15, 2)), jnp.float32),
        "score": jnp.ones((4, 1, 8, 15)),
        "frame_size": jnp.full((4, 2), 240.0),
        "label": jnp.arange(4) % 3,
    }
    losses = []
    for _ in range(6):
        state, metrics = step(state, batch, jax.random.key(1))
        losses.append(float(metrics["loss"]))
    assert np.isfinite(losses).all() and losses[-1] < losses[0], losses


def _variables(recognizer):
    """Plausible weights without compiling the hundreds of draws of an initialisation."""
    rng = np.random.default_rng(0)

    def draw(path, leaf):
        name = path[-1].key
        if name in ("scale", "var", "PA"):
            return jnp.ones(leaf.shape)
        if name == "kernel":
            return jnp.array(rng.normal(0, np.prod(leaf.shape[:-1]) ** -0.5, leaf.shape), "float32")
        return jnp.full(leaf.shape, 1 / 15 if name == "A" else 0.0)

    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    return jax.tree_util.tree_map_with_path(draw, like)


def test_fresh_weights_are_the_references():
    """He-normal or PyTorch's uniform, graphs as they are, and what is to start silent."""
    key, x = jax.random.key(0), jnp.zeros((1, 2, 17, 16))
    fresh = GraphConv(64, COCO, "stgcn_spatial", "importance", False).init(key, x, False)["params"]
    bound = 16**-0.5
    for leaf in fresh["conv"].values():
        assert 0.9 * bound < jnp.abs(leaf).max() <= bound
        assert abs(float(leaf.std()) - bound / 3**0.5) < 0.1 * bound
    assert (fresh["PA"] == 1).all() and (fresh["bn"]["scale"] == 1).all()
    fresh = AdaptiveGraphConv(64, COCO, True, True).init(key, x, False)["params"]
    np.testing.assert_array_equal(fresh["A"], spatial(COCO))
    assert not fresh["alpha"].any() and not fresh["conv_a_0"]["bias"].any()
    np.testing.assert_allclose(fresh["bn"]["scale"], 1e-6)
    assert float(fresh["conv_a_0"]["kernel"].std()) == pytest.approx((2 / 16) ** 0.5, rel=0.1)
    std = (2 / (64 * 16 * 3)) ** 0.5
    assert float(fresh["conv_d_1"]["kernel"].std()) == pytest.approx(std, rel=0.1)
    attention = fresh["attention"]
    assert attention["conv_sa"]["kernel"].shape == (17, 64, 1)
    assert not attention["conv_ta"]["kernel"].any() and not attention["fc2c"]["kernel"].any()


def test_windows_and_maxima_along_time():
    x = np.arange(5.0, dtype=np.float32)[None, :, None, None] - 10
    expected = [[0, -10, -9], [-9, -8, -7], [-7, -6, 0]]  # zeros beyond the ends
    np.testing.assert_array_equal(windows(x, 3, 2)[0, :, :, 0], expected)
    np.testing.assert_array_equal(max_pool_time(x, 1)[0, :, 0, 0], [-9, -8, -7, -6, -6])
    np.testing.assert_array_equal(max_pool_time(x, 2)[0, :, 0, 0], [-9, -7, -6])


def test_misspelt_options_and_networks_of_the_other_encoder_are_refused():
    config = base.get_config()
    base.set_variant(config, "joint", "stgcn")
    for key in ("graph", "adaptive", "temporal", "data_bn"):
        config.model = networks.stgcn(**{key: "sideways"})
        recognizer = make_recognizer(config)
        with pytest.raises(ValueError, match=f"config.model.{key} is 'sideways'; expected one of"):
            jax.eval_shape(recognizer.init, jax.random.key(0))
    config.encoder = "volume"
    with pytest.raises(ValueError, match="'stgcn'; with config.encoder 'volume' expected one of"):
        make_recognizer(config)
    with pytest.raises(ValueError, match="'limb-msg3d': msg3d has no stream 'limb'"):
        base.set_variant(config, "limb", "msg3d")
