"""Weights of the references: in and out, refusals, and use by the other commands."""

import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax.config import stored
from posec3d_jax.files import disk
from posec3d_jax.files.safetensors import read_safetensors, write_safetensors
from posec3d_jax.files.torch import write_torch
from posec3d_jax.runs.checkpoints import find_checkpoint, load_model, load_raw_model
from posec3d_jax.runs.initialize import merge, start_from
from posec3d_jax.runs.orbax_trees import CheckpointError
from posec3d_jax.runs.saving import Checkpoints
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.steps.state import TrainState
from posec3d_jax.weights import export_weights, import_weights
from posec3d_jax.weights.checkpoint_file import read_checkpoint
from posec3d_jax.weights.exporting import to_reference_tensors
from posec3d_jax.weights.hints import hint
from tests.reference import FIXTURES, GRAPH_TINY, load_variables, reference_config

SLOWONLY = FIXTURES / "tiny_slowonly.pth"
X3D = FIXTURES / "tiny_x3d_se_swish.safetensors"
STGCN = FIXTURES / "tiny_stgcn.safetensors"


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """The folder, config and report of an imported SlowOnly."""
    folder, config = tmp_path_factory.mktemp("imported") / "run", reference_config("tiny_slowonly")
    return folder, config, import_weights(SLOWONLY, config, folder)


def test_what_is_no_checkpoint_is_told_apart(tmp_path, imported):
    with pytest.raises(ValueError, match="is a folder"):
        read_checkpoint(imported[0])
    page = tmp_path / "page.pth"
    page.write_text("<!DOCTYPE html>")
    with pytest.raises(ValueError, match="holds no weights. It is a web page"):
        read_checkpoint(page)
    with pytest.raises(ValueError, match=r"holds no weights. It is an \.npz of arrays"):
        read_checkpoint(FIXTURES / "logits.npz")
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "none.pth")


def test_report_names_every_tensor(imported):
    folder, config, report = imported
    text = str(report)
    assert "backbone.layer1.0.conv2.conv.weight" in text and "layer1_0/conv2/conv/kernel" in text
    assert "97 tensors mapped (77 copied, 20 transposed)" in text
    assert "num_batches_tracked (19)" in text
    record = json.loads((folder / "import.json").read_text())
    assert record["source"] == "tiny_slowonly.pth" and len(record["sha256"]) == 64


def test_an_import_serves_as_a_run(imported):
    """Its folder holds what evaluate and predict read, and what train starts from."""
    folder, config, _ = imported
    restored = stored.load_config(folder)
    assert restored.model.width == 4 and restored.data.num_classes == 11
    variables = load_model(find_checkpoint(folder), _abstract(restored))
    weight = read_checkpoint(SLOWONLY).tensors["cls_head.fc_cls.weight"]
    np.testing.assert_array_equal(variables["params"]["head"]["fc_cls"]["kernel"], weight.T)
    other = reference_config("tiny_slowonly")
    other.data.num_classes = 5
    fresh = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), _abstract(other))
    merged, skipped = merge(fresh, load_raw_model(find_checkpoint(folder)))
    assert len(skipped) == 2 and all("fc_cls" in line for line in skipped)
    np.testing.assert_array_equal(
        merged["params"]["conv1"]["conv"]["kernel"], variables["params"]["conv1"]["conv"]["kernel"]
    )


def _abstract(config):
    return jax.eval_shape(make_recognizer(config).init, jax.random.key(0))


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_round_trip_is_exact(imported, tmp_path, ending):
    folder, config, _ = imported
    out = tmp_path / f"again{ending}"
    export_weights(folder, config, out)
    before, after = read_checkpoint(SLOWONLY).tensors, read_checkpoint(out).tensors
    assert set(before) == set(after)
    for name, array in before.items():
        assert array.dtype == after[name].dtype and array.shape == after[name].shape, name
        assert array.tobytes() == after[name].tobytes(), name


def test_round_trip_of_squeeze_excite_and_wrapped_names(tmp_path):
    """A file as DistributedDataParallel and half precision leave it, without step counts."""
    config, before = reference_config("tiny_x3d_se_swish"), read_checkpoint(X3D).tensors
    wrapped = {f"module.{name}": array.astype(np.float16) for name, array in before.items()}
    wrapped["module.ema.decay"] = np.float32([0.5])
    write_safetensors(tmp_path / "ddp.safetensors", wrapped, {})
    report = import_weights(tmp_path / "ddp.safetensors", config, tmp_path / "run")
    assert "transposed, float16 to float32" in str(report)
    assert report.left_over == {"ema.decay": "no part of the network"}
    export_weights(find_checkpoint(tmp_path / "run"), config, tmp_path / "x.safetensors")
    after, metadata = read_safetensors(tmp_path / "x.safetensors")
    assert metadata["format"] == "pt"
    counts = {name for name in after if name.endswith("num_batches_tracked")}
    assert set(after) - counts == set(before) and len(counts) == 35
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array.astype(np.float16).astype(np.float32))


def test_round_trip_of_a_graph_network(tmp_path):
    """Its fixed graphs are stored too, and win over those of the layout."""
    config, before = reference_config("tiny_stgcn"), read_checkpoint(STGCN).tensors
    graph = before["backbone.gcn.0.gcn.A"]
    before |= {"backbone.gcn.0.gcn.A": 2 * graph}
    renamed = {name.replace("fc_cls", "fc"): array for name, array in before.items()}  # mmaction2's
    notes = {"config": "dict(type='GenSkeFeat', dataset='coco', feats=['b'])"}
    write_safetensors(tmp_path / "j.safetensors", renamed, notes)
    report = import_weights(tmp_path / "j.safetensors", config, tmp_path / "run")
    assert "shows the network bone, this config joint" in str(report)
    assert "gcn.0.gcn.PA" in str(report) and "gcn_0/gcn/PA" in str(report)
    loaded = load_model(find_checkpoint(tmp_path / "run"), _abstract(config))
    np.testing.assert_array_equal(loaded["batch_stats"]["gcn_0"]["gcn"]["A"], 2 * graph)
    export_weights(tmp_path / "run", config, tmp_path / "again.pth")
    after = read_checkpoint(tmp_path / "again.pth").tensors
    assert len(after) == 181  # as the reference's state_dict, step counts included
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array, name)
    with pytest.raises(ValueError, match=r"it is a stgcn \(config.model.name\)"):
        import_weights(STGCN, reference_config("tiny_aagcn"), tmp_path / "other")


@pytest.mark.parametrize("name", GRAPH_TINY)
def test_every_tensor_of_the_graph_networks_has_a_place(shared, name):
    before = read_checkpoint(shared / "parity" / f"{name}.pth").tensors
    variables = load_variables(shared / "parity" / f"{name}.pth")
    after, _ = to_reference_tensors(variables, 0)
    assert set(after) == set(before)
    for key, array in before.items():
        if not key.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(after[key], array, key)


def test_mismatches_are_refused_with_both_shapes(tmp_path):
    config = reference_config("tiny_slowonly")
    config.data.num_classes = 60
    with pytest.raises(ValueError, match="11x64 in the file; the network has 60x64") as caught:
        import_weights(SLOWONLY, config, tmp_path / "run")
    assert "11 classes (config.data.num_classes)" in str(caught.value)
    config = reference_config("tiny_slowonly")
    config.model.stage_blocks = (2, 1, 2)
    with pytest.raises(ValueError, match=r"its stages have \(2, 2, 1\) blocks") as caught:
        import_weights(SLOWONLY, config, tmp_path / "run")
    message = str(caught.value)
    assert "layer2.1.conv1.conv.weight: 8x32x3x1x1 in the file; the network has no" in message
    assert "layer3.1.conv1.bn.bias: not in the file; the network has 16" in message
    assert not (tmp_path / "run").exists()


def test_a_backbone_without_its_head_is_one_to_start_from(tmp_path):
    tensors = {n: a for n, a in read_checkpoint(SLOWONLY).tensors.items() if "cls_head" not in n}
    write_torch(tmp_path / "backbone.pth", tensors)
    config = reference_config("tiny_slowonly")
    report = import_weights(tmp_path / "backbone.pth", config, tmp_path / "run")
    assert "the head starts fresh" in str(report)
    fresh = _abstract(config)
    variables = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), fresh)
    merged, skipped = merge(variables, load_raw_model(find_checkpoint(tmp_path / "run")))
    assert len(skipped) == 2 and all("head" in line for line in skipped)
    assert np.asarray(merged["params"]["conv1"]["conv"]["kernel"]).any()


def test_a_file_given_for_a_run_says_how_to_make_one(tmp_path):
    state = TrainState(step=0, opt_state=(), params={}, batch_stats={})
    for use in (lambda: start_from(str(SLOWONLY), state), lambda: find_checkpoint("x", SLOWONLY)):
        with pytest.raises(ValueError, match="a PyTorch checkpoint.*posec3d import-weights"):
            use()


def test_options_of_another_value_are_found(tmp_path):
    config = reference_config("tiny_x3d_se_swish")
    assert hint(read_checkpoint(X3D).tensors, config) == ""
    config.model.squeeze_excite = False
    with pytest.raises(ValueError, match="--config.model.squeeze_excite=True fits"):
        import_weights(X3D, config, tmp_path / "run")


def test_another_network_and_a_resumed_import_are_refused(imported, tmp_path):
    with pytest.raises(ValueError, match=r"it is a slowonly \(config.model.name\)"):
        import_weights(SLOWONLY, reference_config("tiny_c3d"), tmp_path / "run")
    folder, config, _ = imported
    shapes = _abstract(config)
    model = {k: jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), v) for k, v in shapes.items()}
    state = TrainState(step=jnp.zeros((), jnp.int32), opt_state=(), **model)
    with Checkpoints(folder) as checkpoints, pytest.raises(ValueError, match="config.init_from"):
        checkpoints.restore(state)


def test_values_that_are_no_weights_are_refused(tmp_path):
    tensors = read_checkpoint(X3D).tensors
    config, name = reference_config("tiny_x3d_se_swish"), "cls_head.fc_cls.bias"
    for values, message in ((np.full(11, np.nan, np.float32), "finite"), (np.arange(11), "int64")):
        write_safetensors(tmp_path / "bad.safetensors", tensors | {name: values}, {})
        with pytest.raises(ValueError, match=f"{name}.*{message}"):
            import_weights(tmp_path / "bad.safetensors", config, tmp_path / "run")


def test_nothing_is_overwritten(imported, tmp_path):
    folder, config, _ = imported
    with pytest.raises(ValueError, match="checkpoints already"):
        import_weights(SLOWONLY, config, folder)
    shutil.copy(SLOWONLY, tmp_path / "there.pth")
    with pytest.raises(ValueError, match="exists"):
        export_weights(folder, config, tmp_path / "there.pth")
    with pytest.raises(ValueError, match="ending in"):
        export_weights(folder, config, tmp_path / "there.onnx")


def test_an_import_that_was_killed_leaves_no_run_and_can_be_repeated(tmp_path, monkeypatch):
    config, out = reference_config("tiny_slowonly"), tmp_path / "run"

    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(disk, "write_json", killed)
        patch.setattr(shutil, "rmtree", lambda *arguments, **options: None)  # nothing is tidied
        with pytest.raises(KeyboardInterrupt):
            import_weights(SLOWONLY, config, out)
    assert (out / ".importing").is_dir()
    with pytest.raises(CheckpointError):
        find_checkpoint(out)
    import_weights(SLOWONLY, config, out)
    assert find_checkpoint(out).name == "0" and not (out / ".importing").exists()


def test_a_stream_that_differs_from_the_files_own_config_is_noted(tmp_path):
    config, tensors = reference_config("tiny_x3d_se_swish"), read_checkpoint(X3D).tensors
    for limb, noted in (("True", True), ("False", False)):
        file = tmp_path / f"{limb}.safetensors"
        write_safetensors(file, tensors, {"config": f"dict(with_kp=False, with_limb={limb})"})
        report = import_weights(file, config, tmp_path / limb)
        assert bool(report.notes) == noted
