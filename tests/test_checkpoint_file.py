"""Checkpoint files of strangers: tensors among anything else, nothing executed, damage named."""

import zipfile

import numpy as np
import pytest

from posec3d_jax.weights.checkpoint_file import read_checkpoint
from tests.reference import FIXTURES


@pytest.mark.parametrize("name", ["objects", "objects_legacy"])
def test_tensors_among_unknown_objects(name):
    """Of every dtype and memory layout, beside an optimizer and classes that are not installed."""
    file = read_checkpoint(FIXTURES / f"{name}.pth")
    base = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    expected = {
        "plain": base,
        "transposed": base.transpose(2, 0, 1),
        "sliced": base[:, 1:, ::2],
        "parameter": np.ones(2, np.float32),
        "with_attribute": np.full(2, 2, np.float32),
        "half": np.arange(4, dtype=np.float16) / np.float16(3),
        "bfloat16": np.array([0, 0.333984375, 0.66796875, 1]),
        "double": np.arange(3) / 3,
        "counter": np.array(7),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float32),
        "bytes": np.array([1, 255], np.uint8),
    }
    assert set(file.tensors) == set(expected)
    for key, array in expected.items():
        assert file.tensors[key].shape == array.shape, key
        np.testing.assert_array_equal(file.tensors[key].astype(array.dtype), array, key)
    assert file.tensors["bfloat16"].dtype.name == "bfloat16"
    assert file.notes["epoch"] == 24 and "hook" not in file.notes


def test_nothing_in_a_checkpoint_is_executed(tmp_path):
    trap, file = tmp_path / "trap", tmp_path / "evil.pth"
    evil = (
        b"\x80\x02}(X\x04\x00\x00\x00metacos\nmkdir\n"
        + b"X%c\x00\x00\x00%s" % (len(str(trap)), str(trap).encode())
        + b"\x85Ru."
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("evil/data.pkl", evil)
    with pytest.raises(ValueError, match="without a state_dict"):
        read_checkpoint(file)
    assert not trap.exists()


def _pickled(value: bytes) -> bytes:
    """{'state_dict': {'w': <value>}}"""
    return b"\x80\x02}X\x0a\x00\x00\x00state_dict}X\x01\x00\x00\x00w" + value + b"ss."


_TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
_TENSOR += b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ%s\x89}tR"


@pytest.mark.parametrize(
    "value, message",
    [
        (_TENSOR % b"K\x00K\x05\x85K\x01\x85", "exceeds its 4 values"),
        (_TENSOR % b"K\x00K\x02\x85J\xff\xff\xff\xff\x85", "exceeds its 4 values"),
        (_TENSOR % b"K\x00J\x00\x00\x00\x40\x85K\x00\x85", "tensors of 4294967296 bytes"),
        (_TENSOR % b"K\x03K\x02\x85K\x01\x85", "exceeds its 4 values"),
        (b"cpyskl.models\nNet\n)R", "without a state_dict"),
        (
            _TENSOR % b"K\x00K\x04\x85K\x01\x85" + b"sX\x01\x00\x00\x00qctorch\nqint\n)R",
            "torch.qint",
        ),
        (
            b"ctorch._utils\n_rebuild_tensor_v2\nN}X\x01\x00\x00\x00aK\x01s\x86b",
            "alters a constructor",
        ),
    ],
    ids=["too long", "backwards", "expanded", "offset", "object", "quantized", "altered"],
)
def test_forged_tensors_are_refused(tmp_path, value, message):
    file = tmp_path / "forged.pth"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("forged/data.pkl", _pickled(value))
        archive.writestr("forged/data/0", bytes(16))
    with pytest.raises(ValueError, match=message) as caught:
        read_checkpoint(file)
    assert "forged.pth" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["objects.pth", "objects_legacy.pth", "tiny_x3d_se_swish.safetensors"]
)
def test_truncated_and_damaged_files_are_named(tmp_path, name):
    whole, file = (FIXTURES / name).read_bytes(), tmp_path / "cut.pth"
    rng = np.random.default_rng(0)
    for length in (0, 5, 40, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="cut.pth"):
            read_checkpoint(file)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 6000), 3):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged)
        try:
            read_checkpoint(file)
        except ValueError as error:
            assert "cut.pth" in str(error)
