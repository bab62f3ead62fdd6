"""A file of another kind than was expected is called what it is, with what reads it."""

import gzip
import io
import json
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from posec3d_jax.files.array_pickle import load_pickle
from posec3d_jax.files.arrays import BadSample, load_json, load_mat, load_npz
from posec3d_jax.files.kinds import kind_of
from posec3d_jax.files.torch import write_torch
from posec3d_jax.weights.checkpoint_file import read_checkpoint

SKELETON = "2\n1\n720 0 0 0 0 0 0 0.1 -0.2 2\n25\n0.2 0.1 3.7 277 191 1036 519 0 0 0 0 2\n"
OLD_TORCH = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
BYTES = {  # content, and words of what it is
    "gzip": (gzip.compress(b"x" * 100), "gzip: unpack it with `gunzip`"),
    "json": (b'{"annotations": []}', "JSON, which is read as the directory format"),
    "skeleton": (SKELETON.encode(), "NTU RGB+D's .skeleton text, which is read as config.data"),
    "page": (b"\n<!DOCTYPE html><html>Sign in</html>", "a web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5"),
    "old_torch": (OLD_TORCH, "a PyTorch checkpoint of before 1.6, which is read as weights"),
    "video": (b"\0\0\0\x20ftypisom" + bytes(50), "a video"),
    "table": (b"x,y,score\n1,2,3\n", "a table in text (its first line:"),
    "nothing": (b"", "empty (0 bytes)"),
    "noise": (bytes(range(200, 256)) * 9, "a binary file of no known kind"),
}


@pytest.fixture
def files(tmp_path):
    """A file of every kind, each called .pkl, as strangers do; and a folder."""
    for name, (content, _) in BYTES.items():
        (tmp_path / f"{name}.pkl").write_bytes(content)
    np.savez(tmp_path / "npz.npz", a=np.zeros(3))
    (tmp_path / "npz.npz").rename(tmp_path / "npz.pkl")
    write_torch(tmp_path / "torch.pkl", {"w": np.zeros(3, np.float32)})
    with zipfile.ZipFile(tmp_path / "zip.pkl", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with tarfile.open(tmp_path / "tar.pkl", "w") as archive:
        archive.addfile(tarfile.TarInfo("x"), io.BytesIO())
    (tmp_path / "folder.pkl").mkdir()
    (tmp_path / "arrays.pkl").write_bytes(pickle.dumps({"a": 1}))
    return tmp_path


WORDS = {name: words for name, (_, words) in BYTES.items()} | {
    "npz": "an .npz of arrays, which is read as a clip",
    "torch": "a PyTorch checkpoint, which is read as weights",
    "zip": "a zip archive (of readme.txt): unpack it",
    "tar": "a tar archive",
    "folder": "a folder",
}


@pytest.mark.parametrize("name", WORDS)
def test_what_is_given_as_a_pickle_is_called_what_it_is(files, name):
    with pytest.raises(ValueError) as told:
        load_pickle(files / f"{name}.pkl")
    assert WORDS[name] in str(told.value) and "copy or download it" not in str(told.value)


@pytest.mark.parametrize("name", sorted({*WORDS, "arrays"} - {"json", "npz", "torch", "folder"}))
def test_the_same_for_clips_and_weights(files, name):
    path = files / f"{name}.pkl"
    words = WORDS.get(name, "a pickle, which is read as annotations")
    for load in (load_npz, load_json, lambda file: load_mat(file, ("d_skel",))):
        with pytest.raises(BadSample) as told:
            load(path)
        assert words in str(told.value)
    if name not in ("old_torch", "arrays"):
        with pytest.raises(ValueError) as told:
            read_checkpoint(path)
        assert "holds no weights" in str(told.value) and words in str(told.value)


def test_a_file_cut_short_is_still_called_that(files):
    whole = (files / "npz.pkl").read_bytes()
    (files / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadSample, match="truncated"):
        load_npz(files / "cut.npz")
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_checkpoint(files / "cut.npz")
    (files / "cut.json").write_text(json.dumps([1] * 100)[:50])
    with pytest.raises(BadSample, match="truncated"):
        load_json(files / "cut.json")


def test_the_kind_never_fails(tmp_path):
    assert kind_of(tmp_path / "gone") == "not there"
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert kind_of(tmp_path / "link") == "no regular file"
    assert kind_of("/dev/null") == "no regular file"
