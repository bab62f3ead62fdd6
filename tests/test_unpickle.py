"""The restricted unpickler: reads arrays and containers of every age, runs nothing."""

import collections
import os
import pickle
import random

import numpy as np
import pytest

from posec3d_jax.files.array_pickle import load_pickle

CONTENTS = {
    "half": np.arange(24, dtype=np.float16).reshape(2, 3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "transposed": np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
    "big_endian": np.arange(3, dtype=">i4"),
    "text": np.array(["a", "bcd"]),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 17, 2), np.float32),
    "scalars": [np.float32(1.5), np.int64(7), np.bool_(True), np.float32(1).dtype],
    "plain": [1, 2.5, None, True, 1j, "é", b"\x00\xff", (1, (2,)), {3}, frozenset({4})],
    "ordered": collections.OrderedDict(a=1),
    "default": collections.defaultdict(list, {1: [2]}),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_plain_containers_of_every_protocol(tmp_path, protocol):
    file = tmp_path / "poses.pkl"
    file.write_bytes(pickle.dumps(CONTENTS, protocol=protocol))
    loaded = load_pickle(file)
    np.testing.assert_equal(loaded, CONTENTS)
    for key in ("half", "fortran", "transposed", "big_endian", "text"):
        assert type(loaded[key]) is np.ndarray and loaded[key].dtype == CONTENTS[key].dtype
    assert loaded["default"]["new"] == []


def test_module_path_of_numpy_1(tmp_path):
    file = tmp_path / "old.pkl"
    data = pickle.dumps(CONTENTS, protocol=2)
    assert b"numpy._core" in data
    file.write_bytes(data.replace(b"numpy._core", b"numpy.core"))
    np.testing.assert_equal(load_pickle(file), CONTENTS)


def test_byte_strings_of_python_2(tmp_path):
    """What Python 2 wrote for {'label': 3, 'x': numpy.array([1., 2.])} with protocol 2."""
    file = tmp_path / "python2.pkl"
    file.write_bytes(
        b"\x80\x02}q\x01(U\x05labelK\x03U\x01xcnumpy.core.multiarray\n_reconstruct\ncnumpy\n"
        b"ndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10"
        b"\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00@tbu."
    )
    loaded = load_pickle(file)
    assert loaded["label"] == 3
    np.testing.assert_array_equal(loaded["x"], [1.0, 2.0])


class _Malicious:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.mkdir, "posix.mkdir"), (eval, "builtins.eval"), (np.load, "numpy.load")],
)
def test_malicious_pickle_is_refused_by_name_and_not_run(tmp_path, function, name, protocol):
    trap = tmp_path / "trap"
    argument = str(trap) if function is os.mkdir else f"__import__('os').mkdir({str(trap)!r})"
    file = tmp_path / "evil.pkl"
    file.write_bytes(pickle.dumps([_Malicious(function, argument)], protocol=protocol))
    with pytest.raises(ValueError, match=r"evil\.pkl: refused .*") as caught:
        load_pickle(file)
    refused = name.replace("builtins", "__builtin__") if protocol < 3 else name
    assert f"the global '{refused}'" in str(caught.value)
    assert not trap.exists()


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}, [2]], dtype=object),
        np.zeros(2, np.dtype([("x", "f4"), ("y", "f4")])),
        np.array(["2020-01-01"], "datetime64[D]"),
    ],
)
def test_arrays_of_anything_but_plain_values_are_refused(tmp_path, array):
    file = tmp_path / "objects.pkl"
    file.write_bytes(pickle.dumps({"keypoint": array}, protocol=4))
    with pytest.raises(ValueError, match=r"objects\.pkl: refused an array of dtype"):
        load_pickle(file)


def test_forged_dtype_flags_are_refused():
    """NumPy's own `__setstate__` believes these flags, and crashes the process later."""
    from posec3d_jax.files.array_pickle import ALLOWED, Refused

    dtype = ALLOWED["numpy", "dtype"].call("f8")
    with pytest.raises(Refused, match="structured"):
        dtype.restore((3, "<", None, ("a",), {"a": ("O", 0)}, 8, 8, 0))
    dtype.restore((3, "<", None, None, None, -1, -1, 63))
    assert dtype.value == np.dtype("<f8") and dtype.value.flags == np.dtype("f8").flags


def test_truncated_file_is_named_with_its_size(tmp_path):
    file = tmp_path / "cut.pkl"
    data = pickle.dumps(CONTENTS)
    for length in (0, 1, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:length])
        with pytest.raises(ValueError, match=rf"cut\.pkl.*\({length} bytes\).*truncated"):
            load_pickle(file)


@pytest.mark.filterwarnings("ignore")  # damaged text makes NumPy warn before it is refused
def test_damaged_files_raise_nothing_but_value_error(tmp_path):
    file = tmp_path / "damaged.pkl"
    rng = random.Random(0)
    whole = [pickle.dumps(CONTENTS, protocol=protocol) for protocol in (0, 2, 4)]
    for trial in range(600):
        data = bytearray(whole[trial % 3])
        for _ in range(3):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(data)
        try:
            load_pickle(file)
        except ValueError as error:
            assert "damaged.pkl" in str(error)


def test_missing_file_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_pickle(tmp_path / "none.pkl")
