"""RGBPose and its pathways against the reference: laterals, views, drop path, merge, training."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.networks.rgbpose import RGBPose
from posec3d_jax.networks.slowonly import SlowOnly, SlowOnlyRGB
from posec3d_jax.reports.summary import layers_of, totals
from posec3d_jax.runs.checkpoints import save_model
from posec3d_jax.steps.metrics import summarize
from posec3d_jax.steps.recognizer import average_views, named_losses, total_loss
from posec3d_jax.steps.state import TrainState
from posec3d_jax.weights import names
from posec3d_jax.weights.checkpoint_file import read_checkpoint
from posec3d_jax.weights.exporting import to_reference_tensors
from posec3d_jax.weights.importing import convert
from posec3d_jax.weights.merging import merge_pathways, start_merged
from tests.reference import channels_last, relative_error

CLASSES = 11
TINY = dict(rgb_width=4, pose_width=2, rgb_blocks=(1,) * 4, pose_blocks=(1,) * 3, dropout=0.0)
VARIANTS = {
    "both": {},
    "pose2rgb": {"rgb_to_pose": ()},
    "rgb2pose": {"pose_to_rgb": ()},
    "none": {"pose_to_rgb": (), "rgb_to_pose": ()},
    "early": {"pose_to_rgb": (1,), "rgb_to_pose": (1,)},
    "late": {"pose_to_rgb": (2,), "rgb_to_pose": (2,)},
    "crossed": {"pose_to_rgb": (1,), "rgb_to_pose": (2,)},
    "infl": {"pose_widening": 2, "rgb_narrowing": 8},
    "ratio2": {"pose_width": 4},
    "speed2": {"speed_ratio": 2, "fusion_kernel": 5},
    "speed8": {"speed_ratio": 8},
}


def _network(**changes) -> RGBPose:
    return RGBPose(CLASSES, **TINY | changes)


def _inputs(rgb: np.ndarray, heatmap: np.ndarray) -> dict[str, jax.Array]:
    return {"rgb": channels_last(rgb), "pose": channels_last(heatmap)}


def _variables(model, path, inputs):
    like = jax.eval_shape(model.init, jax.random.key(0), inputs)
    return convert(read_checkpoint(path).tensors, like)[0]


@functools.cache
def _logits(model):
    return jax.jit(functools.partial(model.apply, train=False))


def _check(found, expected, label=""):
    for name, values in expected.items():
        assert relative_error(found[name], values) < 1e-4, (label, name)


@pytest.mark.parametrize("network", VARIANTS)
def test_logits_of_every_kind_of_lateral(shared, network):
    model, folder = _network(**VARIANTS[network]), shared / "parity"
    data = np.load(folder / "tiny_rgbpose_variants.npz")
    cases = [case for case in _cases(data) if case == network or case.startswith(f"{network}_")]
    for case in cases:
        inputs = _inputs(*(data[f"{_input_of(case, data)}_{part}"] for part in ("rgb", "heatmap")))
        path = folder / f"tiny_rgbpose_variants_{network}.pth"
        found = _logits(model)(_variables(model, path, inputs), inputs)
        expected = {name: data[f"{case}_logits_{name}"] for name in ("rgb", "pose")}
        _check(found, expected, case)
    assert cases


def _cases(data) -> list[str]:
    return [name.removesuffix("_logits_rgb") for name in data.files if name.endswith("_logits_rgb")]


def _input_of(case: str, data) -> str:
    (found,) = (c["input"] for c in json.loads(str(data["meta_json"]))["cases"] if c["key"] == case)
    return found


def test_views_and_fused_scores(shared):
    """What `forward_test` returns for several clips, and how both modalities are fused."""
    data = np.load(shared / "parity" / "rgbpose_test_views.npz")
    model, clips = _network(), data["in_rgb"].shape[1]
    inputs = _inputs(data["in_rgb"], data["in_heatmap"])
    inputs = {name: x.reshape(-1, *x.shape[2:]) for name, x in inputs.items()}
    path = shared / "parity" / "rgbpose_test_views.pth"
    logits = _logits(model)(_variables(model, path, inputs), inputs)
    for name in ("rgb", "pose"):
        for average in ("prob", "score"):
            found = average_views({name: logits[name]}, clips, average)
            expected = data[f"{average}_{name}"]
            expected = expected if average == "prob" else jax.nn.softmax(expected)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    for key, weights in (("1_1", (1, 1)), ("2_1", (2, 1)), ("1_2", (1, 2))):
        weights = dict(zip(("rgb", "pose"), weights, strict=True))
        found = average_views(logits, clips, "prob", weights) * sum(weights.values())
        np.testing.assert_allclose(found, data[f"fused_{key}"], rtol=0, atol=1e-5)


def test_fused_scores_of_averaged_logits(shared):
    """With average 'score' the reference adds logits up: its figures, ours of probabilities."""
    data = np.load(shared / "parity" / "rgbpose_test_views.npz")
    figures = json.loads(str(data["meta_json"]))["evaluate"]["score"]
    logits = {name: jnp.array(data[f"clip_logits_{name}"]) for name in ("rgb", "pose")}
    logits = {name: values.reshape(-1, CLASSES) for name, values in logits.items()}
    clips, labels = data["clip_logits_rgb"].shape[1], data["labels"]
    for key in ((1, 1), (2, 1), (1, 2)):
        weights = dict(zip(("rgb", "pose"), key, strict=True))
        found = np.asarray(average_views(logits, clips, "score", weights))
        np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
        theirs = key[0] * data["score_rgb"] + key[1] * data["score_pose"]
        np.testing.assert_array_equal(found.argmax(1), theirs.argmax(1))
        top = summarize(found, labels)
        for name, kind in (("top1", "top1_acc"), ("mean_class", "mean_class_accuracy")):
            expected = figures[f"RGBPose_{key[0]}:{key[1]}_{kind}"]
            assert top[name] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "dropped",
    ["rgb", *(pytest.param(name, marks=pytest.mark.slow) for name in ("pose", "both"))],
)
def test_drop_path_in_training(shared, dropped):
    """A pathway that gets nothing: losses, gradients, and statistics that move all the same."""
    data = np.load(shared / "parity" / "rgbpose_drop_path.npz")
    names_of = ("rgb", "pose") if dropped == "both" else (dropped,)
    model = _network(**{f"{name}_drop_path": 1.0 for name in names_of})
    inputs = _inputs(data["in_rgb"], data["in_heatmap"])
    variables = _variables(model, shared / "parity" / "rgbpose_drop_path.pth", inputs)

    @jax.jit
    def run(params, statistics):
        def loss_fn(params):
            logits, updates = model.apply(
                {"params": params, "batch_stats": statistics},
                inputs,
                train=True,
                mutable=["batch_stats"],
                rngs={"dropout": jax.random.key(0)},
            )
            losses = named_losses(logits, jnp.array(data["label"][:, 0]))
            return total_loss(losses), (losses, updates["batch_stats"])

        return jax.value_and_grad(loss_fn, has_aux=True)(params)

    (loss, (losses, statistics)), gradients = run(variables["params"], variables["batch_stats"])
    found = [loss, losses["rgb"], losses["pose"]]
    np.testing.assert_allclose(found, data[f"{dropped}_train_losses"], rtol=1e-4)
    after, _ = to_reference_tensors({"params": gradients, "batch_stats": statistics}, 0)
    for part in ("grad", "after"):
        for key in (k for k in data.files if k.startswith(f"{dropped}_{part}/")):
            name = key.partition("/")[2]
            if not name.endswith(names.COUNTER):
                assert relative_error(after[name], data[key]) < 1e-4, key
    for name in json.loads(str(data["meta_json"]))["no_grad"][dropped]:
        assert not after[name].any(), name


def test_drop_path_never_drops_in_a_test():
    inputs = {"rgb": jnp.ones((1, 1, 16, 16, 3)), "pose": jnp.ones((1, 4, 4, 4, 2))}
    dropping = _network(rgb_drop_path=1.0, pose_drop_path=1.0)
    assert dropping._keeps(False, jnp.float32) == {"rgb": 1, "pose": 1}
    shapes = jax.eval_shape(lambda: dropping.init_with_output(jax.random.key(0), inputs)[0])
    assert {name: x.shape for name, x in shapes.items()} == {"rgb": (1, 11), "pose": (1, 11)}


def test_merging_two_pathways(shared, tmp_path):
    folder, data = shared / "parity", np.load(shared / "parity" / "merge_pretrain.npz")
    inputs, model = _inputs(data["in_rgb"], data["in_heatmap"]), _network()
    single = {
        "rgb": SlowOnlyRGB(CLASSES, 4, (1,) * 4),
        "pose": SlowOnly(CLASSES, 2, (1,) * 3, temporal_strides=(1, 1, 1)),
    }
    apart = {
        name: _variables(network, folder / f"merge_pretrain_{name}_only.pth", inputs[name])
        for name, network in single.items()
    }
    full = _variables(model, folder / "merge_pretrain_full.pth", inputs)
    blank = jax.tree.map(jnp.zeros_like, full)
    merged = merge_pathways(apart["rgb"], apart["pose"], blank)
    for (name, (path, leaf)), (_, expected) in zip(
        names.leaves(merged).items(), names.leaves(full).values(), strict=True
    ):
        if "_lateral" not in name:
            np.testing.assert_array_equal(leaf, expected, err_msg="/".join(path))
    for name, variables in apart.items():
        save_model(tmp_path / name, variables)
    state = TrainState(0, jax.device_put(blank["params"]), jax.device_put(blank["batch_stats"]), ())
    started = start_merged(str(tmp_path / "rgb"), str(tmp_path / "pose"), state)
    jax.tree.map(np.testing.assert_array_equal, started.params, merged["params"])
    jax.tree.map(np.testing.assert_array_equal, started.batch_stats, merged["batch_stats"])
    found = _logits(model)(full, inputs)
    _check(found, {name: data[f"logits_{name}"] for name in single})
    for name, network in single.items():
        logits = _logits(network)(apart[name], inputs[name])
        _check(logits, {name: data[f"logits_{name}_only"]})
    with pytest.raises(ValueError, match="of the pose network is absent"):
        merge_pathways(apart["rgb"], {"params": {}}, blank)


def test_training(shared):
    """Two losses: the first step's gradients, and the state after it."""
    data = np.load(shared / "parity" / "train_tiny_rgbpose.npz")
    model = _network()
    inputs = _inputs(data["xs_rgb"][0][:, 0], data["xs_heatmap"][0][:, 0])
    variables = _variables(model, shared / "parity" / "train_tiny_rgbpose.pth", inputs)
    rate, _, decay, _ = data["hyper"]

    @jax.jit
    def run(params, statistics, labels):
        def loss_fn(params):
            logits, updates = model.apply(
                {"params": params, "batch_stats": statistics},
                inputs,
                train=True,
                mutable=["batch_stats"],
            )
            losses = named_losses(logits, labels)
            return total_loss(losses), (losses, updates["batch_stats"])

        (_, aux), gradients = jax.value_and_grad(loss_fn, has_aux=True)(params)
        return *aux, gradients

    labels = jnp.array(data["ys"][0][:, 0])
    losses, statistics, gradients = run(variables["params"], variables["batch_stats"], labels)
    np.testing.assert_allclose(losses["rgb"], data["losses_rgb"][0], rtol=1e-4)
    np.testing.assert_allclose(losses["pose"], data["losses_pose"][0], rtol=1e-4)
    params = jax.tree.map(lambda p, g: p - rate * (g + decay * p), variables["params"], gradients)
    _compare(data, "grad0", {"params": gradients, "batch_stats": {}})
    _compare(data, "after1", {"params": params, "batch_stats": statistics})


def _compare(data, part, variables):
    found, _ = to_reference_tensors(variables, 0)
    expected = {k.partition("/")[2]: data[k] for k in data.files if k.startswith(f"{part}/")}
    wanted = [name for name in expected if not name.endswith(names.COUNTER)]
    assert set(wanted) == {name for name in found if not name.endswith(names.COUNTER)}
    for name in wanted:
        assert relative_error(found[name], expected[name]) < 1e-4, f"{part}/{name}"


@pytest.mark.parametrize(
    ("model", "inputs", "millions", "giga"),
    [
        (RGBPose(60), {"rgb": (8, 224, 224, 3), "pose": (32, 56, 56, 17)}, 36.15, 58.3),
        (SlowOnlyRGB(60), (8, 224, 224, 3), 31.76, 41.9),
        (SlowOnly(60, temporal_strides=(1, 1, 1)), (32, 56, 56, 17), 2.02, 11.4),
    ],
    ids=["rgbpose", "rgb", "pose"],
)
def test_published_sizes(model, inputs, millions, giga):
    parameters, multiply_adds = totals(layers_of(model, inputs))
    assert parameters / 1e6 == pytest.approx(millions, rel=0.01)
    assert multiply_adds / 1e9 == pytest.approx(giga, rel=0.01)
