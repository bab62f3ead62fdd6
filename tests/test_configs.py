"""Configs: every file in every variant describes a run that can start, as the recipes have it."""

import importlib
import inspect
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from ml_collections import ConfigDict

import configs
from posec3d_jax.config import base, networks
from posec3d_jax.config.checks import check_config
from posec3d_jax.config.keys import KEYS, MODELS, find_key
from posec3d_jax.config.reference import markdown
from posec3d_jax.data import projection
from posec3d_jax.data.feed import sampling
from posec3d_jax.data.readers import COMMON, READERS
from posec3d_jax.data.stored import info
from posec3d_jax.encoders import ENCODERS, blank, graph
from posec3d_jax.networks.graph import adjacency, stgcn
from posec3d_jax.networks.graph import layers as graph_layers
from posec3d_jax.steps.optimizer import make_schedule, peak_learning_rate
from posec3d_jax.steps.recognizer import make_recognizer
from posec3d_jax.train import make_plan

FOLDER = Path(configs.__file__).parent
NO_DATA_SETS = ("__init__",)
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NO_DATA_SETS)


def _variants(file: str) -> list[str]:
    """What VARIANTS of a config multiplies out to; without it, its streams."""
    module = importlib.import_module(f"configs.{file}")
    if hasattr(module, "VARIANTS"):
        return ["-".join(words) for words in product(*module.VARIANTS) if _exists(*words[:2])]
    streams = "stream" in inspect.signature(module.get_config).parameters
    return list(networks.STREAMS) if streams else []


def _exists(stream: str, network: str = "") -> bool:
    """Volumes have other streams than graph networks."""
    graph = network in networks.GRAPH_NETWORKS
    return stream == "joint" or (stream in networks.GRAPH_STREAMS) == graph


def _load(file: str, variant: str | None = None) -> ConfigDict:
    get_config = importlib.import_module(f"configs.{file}").get_config
    return get_config() if variant is None else get_config(variant)


ALL = [(file, variant) for file in FILES for variant in [None, *_variants(file)]]
_seen: set[str] = set()  # networks that were traced already


def _source(config: ConfigDict) -> SimpleNamespace:
    """As much of a data set as a plan of training asks for: 1,000 labels."""
    return SimpleNamespace(labels=np.arange(1000) % config.data.num_classes)


@pytest.mark.parametrize(("file", "variant"), ALL)
def test_config_describes_a_run(file, variant):
    config = _load(file, variant)
    check_config(config)
    _check_keys(config, base.get_config())
    _check_data(config.data)
    _check_network(config)
    _check_schedule(config)


def _check_keys(config: ConfigDict, reference: ConfigDict) -> None:
    """Locked all the way down, with the keys of the table and no others."""
    assert config.is_locked
    assert set(config) == set(reference)
    for key, value in reference.items():
        if key == "model":  # another network has other keys
            assert config.model.is_locked
        elif isinstance(value, ConfigDict) and key != "reader_options":  # each reader's own
            _check_keys(config[key], value)


def _check_data(data: ConfigDict) -> None:
    accepted = inspect.signature(READERS[data.format]).parameters
    assert set(data.reader_options) <= set(accepted) - set(COMMON) or "options" in accepted
    assert data.dir and data.train_split and data.test_split
    assert data.train_split not in (data.val_split, data.test_split)
    assert len(data.class_names) in (0, data.num_classes)
    assert len(data.class_weights) in (0, data.num_classes)


def _check_network(config: ConfigDict) -> None:
    """It takes what the encoder makes and names as many classes as the data has."""
    recognizer = make_recognizer(config)
    shape = recognizer.encoder.train_shape
    if config.encoder == "volume":
        skeleton = recognizer.skeleton
        flips = [skeleton.flip_joints] * config.volume.keypoints
        flips += [skeleton.flip_limbs] * config.volume.limbs
        assert sum(map(len, flips)) == shape[-1]
        assert all(np.array_equal(flip[flip], np.arange(len(flip))) for flip in flips)
        shape = (shape[0], 24, 24, shape[-1])
    kind = f"{config.model.name} {config.model.get('stage_blocks')}"
    if kind in _seen:  # width, channels and classes change sizes, not what is connected to what
        return
    _seen.add(kind)
    init = recognizer.model.init_with_output
    key, clip = jax.ShapeDtypeStruct((2,), "uint32"), blank(shape, "float32")
    logits, _ = jax.eval_shape(init, key, clip)
    outputs = {"rgb": ["rgb"], "rgbpose": ["rgb", "pose"]}.get(config.encoder, ["pose"])
    shapes = {name: value.shape for name, value in logits.items()}
    assert shapes == dict.fromkeys(outputs, (1, config.data.num_classes))


def _check_schedule(config: ConfigDict) -> None:
    """Every epoch has steps, and the rate goes from the recipe's to (nearly) nothing."""
    plan = make_plan(config, _source(config))
    batch, optimizer = config.train.batch_size, config.optimizer
    assert 0 < plan.per_epoch < plan.total
    assert plan.validate_every % plan.per_epoch == plan.checkpoint_every % plan.per_epoch == 0
    rate = make_schedule(optimizer, batch, plan.per_epoch, plan.total)
    peak = peak_learning_rate(optimizer, batch)
    start = round(optimizer.warmup_epochs * plan.per_epoch)
    assert float(rate(start)) == pytest.approx(peak)
    assert 0 <= float(rate(plan.total - 1)) < 0.02 * peak
    assert all(0 < epoch < config.train.epochs for epoch in optimizer.step_epochs)


@pytest.mark.parametrize("file", FILES)
def test_header_says_what_to_run(file):
    header = importlib.import_module(f"configs.{file}").__doc__
    name = "my_data" if file == "custom" else f"configs/{file}"  # the template is copied first
    assert f"--config={name}.py" in header or f"make {file}" in header
    assert any(command in header for command in ("posec3d train", "experiments.", "make "))


@pytest.mark.parametrize("file", FILES)
def test_misspelt_variant(file):
    with pytest.raises(ValueError, match="limp.*expected"):
        _load(file, "limp")


# file, variant: classes, splits, batch, rate at that batch, weight decay, epochs, sizes
RECIPES = {
    ("ntu60_xsub", ""): (60, "xsub_train", "xsub_val", 256, 0.4, 3e-4, 24, 56, 64),
    ("ntu60_xview", "limb"): (60, "xview_train", "xview_val", 256, 0.4, 3e-4, 24, 56, 64),
    ("ntu120_xsub", ""): (120, "xsub_train", "xsub_val", 256, 0.4, 3e-4, 24, 56, 64),
    ("ntu120_xset", ""): (120, "xset_train", "xset_val", 256, 0.4, 3e-4, 24, 56, 64),
    ("gym", "c3d_light"): (99, "train", "val", 256, 0.4, 3e-4, 24, 56, 64),
    ("k400", "463"): (400, "train", "val", 256, 0.4, 1e-4, 24, 56, 64),
    ("diving48", ""): (48, "train", "test", 256, 0.4, 1e-4, 24, 56, 64),
    ("ucf101", ""): (101, "train1", "test1", 128, 0.01, 3e-4, 12, 48, 56),
    ("hmdb51", "split3"): (51, "train3", "test3", 128, 0.01, 1e-4, 12, 48, 56),
}


@pytest.mark.parametrize(("file", "variant"), RECIPES)
def test_published_recipe(file, variant):
    config = _load(file, variant)
    found = (
        config.data.num_classes,
        config.data.train_split,
        config.data.test_split,
        config.train.batch_size,
        peak_learning_rate(config.optimizer, config.train.batch_size),
        config.optimizer.weight_decay,
        config.train.epochs,
        config.volume.train_size[0],
        config.volume.test_size[0],
    )
    assert found == RECIPES[file, variant]
    assert (config.data.repeat, config.sampling.num_frames) == (10, 48)
    assert (config.optimizer.momentum, config.optimizer.clip_norm) == (0.9, 40)
    assert config.data.keypoint_dtype == "float16"


@pytest.mark.parametrize("file", ["ntu60_xsub", "ntu60_xview", "ntu120_xsub", "ntu120_xset"])
def test_published_recipe_of_graph_networks(file):
    config = _load(file, "bone_motion-ctrgcn")
    train, optimizer = config.train, config.optimizer
    assert (train.batch_size, train.epochs, config.data.repeat) == (128, 16, 5)
    assert peak_learning_rate(optimizer, train.batch_size) == 0.1
    assert (optimizer.weight_decay, optimizer.clip_norm, optimizer.nesterov) == (5e-4, 0, True)
    assert (config.sampling.num_frames, config.data.max_persons) == (100, 2)
    assert (config.geometry.flip, config.sampling.test_flip) == (0, False)
    assert config.graph.stream == "bone_motion"
    assert not config.data.class_weights and config.model.dropout == 0


def test_fine_tuning_starts_from_kinetics_and_drops_the_rate_twice():
    config = _load("hmdb51", "limb-split2")
    kinetics = _load("k400", "limb-346")
    assert config.init_from == f"runs/{kinetics.name}"
    assert config.model == kinetics.model
    rate = make_schedule(config.optimizer, 128, steps_per_epoch=10, total_steps=120)
    assert [float(rate(step)) for step in (89, 90, 110)] == pytest.approx([1e-2, 1e-3, 1e-4])


def test_ntu120_balances_its_classes_and_offers_the_published_joint_config():
    config = _load("ntu120_xsub")
    assert make_plan(config, _source(config)).per_epoch == -(-10 * _weighted() // 256)
    published, limb = (_load("ntu120_xset", word) for word in ("joint_as_published", "limb"))
    assert published.volume == limb.volume
    published, limb = make_recognizer(published), make_recognizer(limb)
    assert published.skeleton.joints == limb.skeleton.joints
    assert published.skeleton.limbs[:3] == ((0, 1), (0, 2), (1, 3))
    assert set(published.skeleton.limbs) == set(limb.skeleton.limbs)


def _weighted() -> int:
    labels = np.arange(1000) % 120
    return int(np.where(labels < 60, 1, 2).sum())


def test_words_of_a_variant():
    groups = (("joint", "limb"), ("small", "large"))
    assert base.parse_variant("", *groups) == ("joint", "small")
    assert base.parse_variant("large-limb", *groups) == ("limb", "large")
    with pytest.raises(ValueError, match="'limb-joint': two words of one kind"):
        base.parse_variant("limb-joint", *groups)
    with pytest.raises(ValueError, match="unknown word 'huge'; .* joint, limb and one of small"):
        base.parse_variant("limb-huge", *groups)


@pytest.mark.parametrize(
    ("key", "value"),
    [("train.epochs", -1), ("train.batch_size", 0), ("optimizer.learning_rate", float("nan"))]
    + [("volume.train_size", (0, 56)), ("seed", 10**30), ("sampling.num_frames", 10**9)]
    + [("volume.train_size", (32, 32, 32)), ("geometry.crop_area", (1.0, 0.5))]
    + [("geometry.crop_area", (0.5,)), ("data.class_names", (1, 2)), ("data.storage", "tdfs")]
    + [("data.classes", (("a", "walk"),)), ("data.skeleton", "coco_18"), ("model.width", 0)],
)
def test_values_that_make_no_sense_are_refused_by_name(key, value):
    with pytest.raises(ValueError, match=f"config.{key} is .*; expected"):
        check_config(_with(key, value))


def _with(key: str, value) -> ConfigDict:
    config = base.get_config()
    part, _, name = key.rpartition(".")
    (config[part] if part else config)[name] = value
    return config


def test_values_that_do_not_fit_each_other_are_refused():
    for key, value, message in (
        ("data.class_names", ("a",) * 11, "num_classes is 60, and .*class_names has 11"),
        ("data.class_weights", (1.0, 2.0), "class_weights has 2 numbers"),
        ("data.classes", (("a", ("b",)),), "names 1 classes and config.data.num_classes is 60"),
        ("model.inflate", (0, 1), "inflate has 2, temporal_strides has 3"),
    ):
        with pytest.raises(ValueError, match=message):
            check_config(_with(key, value))
    bare = ConfigDict({"name": "mine", "data": {"dir": "here"}})
    with pytest.raises(ValueError, match="lacks seed, .*: start from .*base.get_config"):
        check_config(bare)
    assert check_config(_with("volume.train_size", (32,))).volume.train_size == (32, 32)
    with pytest.raises(ValueError, match="c3d_light has no option 'widht'.*'width'"):
        networks.c3d_light(widht=4)


def test_choices_are_those_of_the_code():
    for key, known in (
        ("data.format", READERS),
        ("data.storage", info.STORAGES),
        ("data.keypoint_dtype", info.DTYPES),
        ("data.camera.kind", projection.KINDS),
        ("sampling.reference", sampling.REFERENCES),
        ("graph.stream", graph.STREAMS),
        ("encoder", ENCODERS),
        ("model.data_bn", graph_layers.DATA_BN),
        ("model.graph", adjacency.SUBSETS),
        ("model.temporal", stgcn.TEMPORAL),
        ("model.adaptive", stgcn.ADAPTIVE),
    ):
        assert set(find_key(key).values.choices) == set(known), key


def test_the_reference_page_is_as_the_table():
    page = (FOLDER.parent / "docs" / "configuration.md").read_text("utf-8")
    assert page == markdown(), "run python -m posec3d_jax.config.reference docs/configuration.md"
    for name in (*KEYS, *(name for keys in MODELS.values() for name in keys)):
        assert f"| `{name}` |" in page


def test_declared_skeleton_is_checked_at_once():
    config = base.get_config()
    feet = dict(joints=("hip", "left_foot", "right_foot"), pairs=[("left_foot", "right_foot")])
    base.declare_skeleton(config, limbs=[("hip", "left_foot"), ("hip", "right_foot")], **feet)
    assert make_recognizer(config).skeleton.limbs == ((0, 1), (0, 2))
    with pytest.raises(ValueError, match="left_toe.*did you mean 'left_foot'"):
        base.declare_skeleton(config, limbs=[("hip", "left_toe")], **feet)
    # A lopsided limb matters only where limbs are drawn, and is told before any training there.
    base.declare_skeleton(config, limbs=[("hip", "left_foot")], **feet)
    make_recognizer(config)
    base.set_stream(config, "limb")
    with pytest.raises(ValueError, match="mirror image of limb 0"):
        make_recognizer(config)


def test_the_recipe_for_own_data_is_the_one_whose_figure_is_on_record():
    own, recorded = _load("custom", "stgcnpp"), _load("utd_mhad_kinect", "all-stgcnpp-own")
    for part in ("sampling", "volume", "geometry", "augment", "noise", "model", "train"):
        assert own[part] == recorded[part], part
    assert own.optimizer == recorded.optimizer
    assert (own.data.repeat, own.encoder) == (recorded.data.repeat, recorded.encoder)
    assert own.model.name == "stgcnpp" and own.noise.in_training
    volumes = [_load("custom", words) for words in ("", "limb")]
    assert [config.model.name for config in volumes] == ["c3d_light", "c3d_light"]
    assert [config.volume.limbs for config in volumes] == [False, True]
    assert _load("custom", "bone").model.name == "stgcnpp"
