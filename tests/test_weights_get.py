"""Published weights by name: the index, the recipe of each entry, and getting one."""

import runpy
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from posec3d_jax.config import base, networks
from posec3d_jax.config.checks import check_config
from posec3d_jax.files.torch import write_torch
from posec3d_jax.networks.graph import layers
from posec3d_jax.runs.checkpoints import load_raw_model
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.weights import getting
from posec3d_jax.weights.exporting import to_reference_tensors
from posec3d_jax.weights.getting import get_weights
from posec3d_jax.weights.index import find_entry, load_index, matching, table
from posec3d_jax.weights.recipes import recipe, why_not
from posec3d_jax.weights.transfer import DownloadError, Patience
from tests.reference import FIXTURES, GRAPH_TINY, reference_config
from tests.web import serving

ROOT = Path(__file__).resolve().parents[1]
HASTY = Patience(silence=2, attempts=1, pause=0)
NAME = "ntu60_xsub-slowonly-joint"
# What of a config matters to a network that is trained.
DECIDES = ("model", "volume", "geometry", "graph", "sampling", "encoder", "rgb")
DECIDES_OF_DATA = ("num_classes", "class_names", "max_persons", "skeleton")


def test_every_entry_of_the_index_parses():
    entries = load_index()
    assert len(entries) == 280
    assert {entry.project for entry in entries} == {"pyskl", "mmaction2"}
    assert sum(bool(entry.sha256) for entry in entries) == 43
    assert all(entry.licence == "Apache-2.0" for entry in entries)


def test_every_entry_has_a_recipe_or_a_reason():
    taken = [entry for entry in load_index() if not why_not(entry)]
    names = {recipe(entry).model.name for entry in taken}
    assert names == {*networks.ALL_NETWORKS, "slowonly_rgb", "rgbpose"} and len(taken) == 264
    reasons = {why_not(entry) for entry in load_index()} - {""}
    assert reasons == {"the package has no network dgstgcn"}


@pytest.mark.parametrize(
    ("name", "file", "variant"),
    [
        (NAME, "ntu60_xsub", "joint"),
        ("ntu60_xview-slowonly-limb", "ntu60_xview", "limb"),
        ("ntu120_xset-stgcnpp-bone_motion", "ntu120_xset", "bone_motion-stgcnpp"),
        ("ntu60_xsub-x3d_shallow-limb", "ntu60_xsub", "limb-x3d_shallow"),
        ("k400-slowonly_463-limb", "k400", "limb-463"),
        ("gym-c3d_light-joint", "gym", "c3d_light"),
        ("ucf101_split1-slowonly-joint", "ucf101", ""),
        ("hmdb51_split1-slowonly-joint", "hmdb51", ""),
        ("diving48-slowonly-joint", "diving48", ""),
        ("ntu60_xsub-rgbpose_conv3d-both", "ntu60_xsub_rgbpose", ""),
        ("ntu60_xsub-rgbpose_conv3d-init", "ntu60_xsub_rgbpose", "rgbpose"),
        ("ntu60_xsub-rgbpose_conv3d-rgb", "ntu60_xsub_rgbpose", "rgb"),
        ("ntu60_xsub-rgbpose_conv3d-pose", "ntu60_xsub_rgbpose", "pose"),
    ],
)
def test_recipes_are_those_of_the_configs(name, file, variant):
    ours = recipe(find_entry(name))
    theirs = runpy.run_path(str(ROOT / "configs" / f"{file}.py"))["get_config"](variant)
    assert all(ours[key] == theirs[key] for key in DECIDES)
    assert all(ours.data[key] == theirs.data[key] for key in DECIDES_OF_DATA)


def test_what_mmaction2_does_otherwise():
    config = recipe(find_entry("mmaction2-ntu60_xsub-slowonly-limb"))
    assert config.geometry.test_resize == "center_crop" and config.volume.epsilon == 1e-4
    assert not recipe(find_entry("mmaction2-ntu60_xsub-2s_agcn-bone")).model.attention


def test_networks_of_3d_joints_are_shown_them_as_the_reference_does():
    config = check_config(recipe(find_entry("ntu60_xsub_3d-ctrgcn-bone")))
    assert config.data.normalize == "pyskl" and make_recognizer(config).encoder.test_shape[-1] == 3


def test_names_are_found_and_misspellings_explained():
    assert find_entry(NAME).accuracy == "93.7"
    assert {entry.network for entry in matching(["gym", "x3d"])} == {"x3d_shallow"}
    assert len(table(load_index()).splitlines()) == 281
    with pytest.raises(ValueError, match=f"did you mean {NAME}"):
        find_entry("ntu60_xsub-slowonly-joints")


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A server with a small SlowOnly under an entry of the index, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = FIXTURES / "tiny_slowonly.pth"
    with serving() as server:
        server.body = file.read_bytes()

        def offer(kind, sha256=""):
            entry = replace(find_entry(NAME), url=server.url(kind), sha256=sha256)
            monkeypatch.setattr(getting, "find_entry", lambda _: entry)

        yield offer, reference_config("tiny_slowonly"), file


def test_getting_downloads_imports_and_keeps(tiny, tmp_path):
    offer, config, file = tiny
    offer("good")
    report = get_weights(NAME, tmp_path / "run", config=config, patience=HASTY)
    assert "SlowOnly" in str(report) or report.rows
    there = load_raw_model(tmp_path / "run" / "checkpoints" / "0")
    assert np.isfinite(there["params"]["head"]["fc_cls"]["bias"]).all()
    offer("lost")  # the second run is made of what the cache holds
    get_weights(NAME, tmp_path / "again", config=config, patience=HASTY)
    given = get_weights(NAME, tmp_path / "third", config=config, file=file)
    assert len(given.rows) == len(report.rows)


WIDTHS = {"slowonly": 4, "c3d_light": 4, "x3d_shallow": 8} | {
    name.removeprefix("tiny_"): width for name, width in GRAPH_TINY.items()
}


@pytest.mark.parametrize("network", WIDTHS)
def test_every_network_comes_in_as_we_write_it(network, monkeypatch, tmp_path):
    """Each of the eight, narrowed: its own export as a .pth, downloaded, is the same network."""
    monkeypatch.setattr(layers, "BLOCKS", 3)  # of ten in the graph networks
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    entry = find_entry(f"ntu60_xsub-{network}-joint")
    config = recipe(entry)
    config.model.width = WIDTHS[network]
    recognizer = make_recognizer(config)
    like = jax.eval_shape(recognizer.init, jax.random.key(0))
    rng = np.random.default_rng(0)
    variables = jax.tree.map(lambda x: rng.uniform(0.5, 1, x.shape).astype(np.float32), like)
    write_torch(tmp_path / "their.pth", to_reference_tensors(variables, 7)[0], root="their")
    with serving() as server:
        server.body = (tmp_path / "their.pth").read_bytes()
        entry = replace(entry, url=server.url("good"))
        monkeypatch.setattr(getting, "find_entry", lambda _: entry)
        get_weights(entry.name, tmp_path / "run", config=config, patience=HASTY)
    there = load_raw_model(tmp_path / "run" / "checkpoints" / "0")
    jax.tree.map(np.testing.assert_array_equal, there, dict(variables))


def test_a_failed_download_leaves_no_run(tiny, tmp_path):
    offer, config, _ = tiny
    for kind, sha256 in (("lost", ""), ("good", "12345678")):
        offer(kind, sha256)
        with pytest.raises(DownloadError):
            get_weights(NAME, tmp_path / "run", config=config, patience=HASTY)
    assert not (tmp_path / "run").exists()
    assert not list((tmp_path / "cache").rglob("*.pth"))


def test_files_of_ones_own_are_held_to_the_index(tiny, tmp_path):
    offer, config, file = tiny
    offer("good", "12345678")
    with pytest.raises(ValueError, match="expected a copy of"):
        get_weights(NAME, tmp_path / "run", config=config, file=file)
    with pytest.raises(ValueError, match="no such file"):
        get_weights(NAME, tmp_path / "run", config=config, file=tmp_path / "nowhere.pth")


def test_weights_without_a_network_here_say_so(tmp_path):
    with pytest.raises(ValueError, match="no network dgstgcn.*https://"):
        get_weights("ntu60_xsub_3d-dgstgcn-joint", tmp_path / "run")


def test_the_recipes_start_from_the_defaults():
    assert recipe(find_entry(NAME)).volume == base.get_config().volume
