"""The published files of RGBPose-Conv3D: each of its three steps, and the merge, in and out."""

import jax
import numpy as np
import pytest

from posec3d_jax.config import base
from posec3d_jax.runs.checkpoints import load_model
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights import export_weights, import_weights
from posec3d_jax.weights.checkpoint_file import read_checkpoint
from posec3d_jax.weights.hints import hint
from tests.reference import CLASSES, channels_last, relative_error

# The widths, and of the joined network the blocks, of the reference's tiny networks.
SMALL = {
    "rgb": {"width": 4, "stage_blocks": (1, 1, 1, 1)},
    "pose": {"width": 2, "stage_blocks": (1, 1, 1)},
    "rgbpose": {
        "rgb_width": 4,
        "pose_width": 2,
        "rgb_blocks": (1, 1, 1, 1),
        "pose_blocks": (1, 1, 1),
    },
}
FILES = {
    "merge_pretrain_rgb_only": "rgb",
    "merge_pretrain_pose_only": "pose",
    "merge_pretrain_init": "rgbpose",
    "merge_pretrain_full": "rgbpose",
}


def _config(modalities, **model):
    config = base.get_config()
    base.set_modalities(config, modalities)
    config.data.num_classes = CLASSES
    config.model.update(SMALL[modalities] | model)
    config.rgb.num_frames, config.sampling.num_frames = 4, 16
    config.rgb.train_size = config.rgb.test_size = (32, 32)
    config.volume.train_size = config.volume.test_size = (8, 8)
    return config


def _inputs(data, modalities, key="in"):
    inputs = {
        name: channels_last(data[f"{key}_{part}"])
        for name, part in (("rgb", "rgb"), ("pose", "heatmap"))
    }
    return inputs if modalities == "rgbpose" else inputs[modalities]


def _logits(folder, config, inputs):
    recognizer = make_recognizer(config)
    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    run = jax.jit(lambda variables, x: recognizer.logits(variables, x, train=False))
    return run(load_model(folder / "checkpoints" / "0", like), inputs)


@pytest.mark.parametrize("file", FILES)
def test_each_file_is_imported_and_exported(shared, tmp_path, file):
    """With the reference's logits; exported, the tensors are the file's own."""
    modalities = FILES[file]
    path, config = shared / "parity" / f"{file}.pth", _config(modalities)
    report = import_weights(path, config, tmp_path / "run")
    data = np.load(shared / "parity" / "merge_pretrain.npz")
    found = _logits(tmp_path / "run", config, _inputs(data, modalities))
    joined = file.endswith("full")
    if modalities == "rgbpose":
        for name, values in found.items():
            expected = data[f"logits_{name}" if joined else f"logits_{name}_only"]
            assert relative_error(values, expected) < 1e-4
    else:
        (values,) = found.values()
        assert relative_error(values, data[f"logits_{modalities}_only"]) < 1e-4
    export_weights(tmp_path / "run", config, tmp_path / "out.pth")
    before, after = (read_checkpoint(p).tensors for p in (path, tmp_path / "out.pth"))
    added = set(after) - set(before)
    assert set(before) <= set(after) and all("_lateral." in name for name in added)
    assert bool(added) == file.endswith("init") == ("no laterals" in str(report))
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values, err_msg=name)


def test_a_file_of_another_step_is_recognised(shared):
    rgb, full = (
        read_checkpoint(shared / "parity" / f"merge_pretrain_{name}.pth").tensors
        for name in ("rgb_only", "full")
    )
    assert "it is a slowonly_rgb" in hint(rgb, _config("pose"))
    assert "--config=ntu60_xsub_rgbpose:rgb " in hint(rgb, _config("rgbpose"))
    assert "it is a rgbpose" in hint(full, _config("rgb"))


def test_the_tiny_network(shared, tmp_path):
    """Wider, larger inputs: 4 x 64 x 64 frames and 16 x 16 x 16 volumes."""
    config = _config("rgbpose", rgb_width=8, pose_width=4)
    config.rgb.train_size = config.rgb.test_size = (64, 64)
    config.volume.train_size = config.volume.test_size = (16, 16)
    import_weights(shared / "parity" / "tiny_rgbpose.pth", config, tmp_path / "run")
    data = np.load(shared / "parity" / "tiny_rgbpose.npz")
    for name, values in _logits(tmp_path / "run", config, _inputs(data, "rgbpose")).items():
        assert relative_error(values, data[f"logits_{name}"]) < 1e-4
