"""Exports: equal to the run, reloaded without the package, refused where they differ."""

import json
import logging
import subprocess
import sys
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from posec3d_jax.commands.loading import open_predictor
from posec3d_jax.commands.table import COMMANDS
from posec3d_jax.config.stored import load_config
from posec3d_jax.engines.exported import FORMAT, INPUTS
from posec3d_jax.export import export_model, exporting
from posec3d_jax.export.clips import real_clips
from posec3d_jax.export.program import load_program
from posec3d_jax.flags import read_request
from posec3d_jax.predict import load_exported, load_predictor
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol
from posec3d_jax.weights import import_weights
from tests.reference import FIXTURES, reference_config

onnx = pytest.importorskip("onnx", reason="needs the extra `onnx`")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"
RUNS = {
    "tiny_slowonly": "tiny_slowonly.pth",
    "tiny_x3d_se_swish": "tiny_x3d_se_swish.safetensors",
    "tiny_stgcn": "tiny_stgcn.safetensors",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of three small networks with the reference's weights, by name."""
    folder = tmp_path_factory.mktemp("runs")
    for name, file in RUNS.items():
        import_weights(FIXTURES / file, reference_config(name), folder / name)
    return {name: folder / name for name in RUNS}


@pytest.fixture(scope="module")
def exported(runs, tmp_path_factory):
    """SlowOnly in both formats, for any number of clips."""
    folder = tmp_path_factory.mktemp("exported")
    files = {kind: folder / f"model.{kind}" for kind in exporting.FORMATS}
    results = {
        kind: export_model(runs["tiny_slowonly"], path, file_format=kind, clips=6)
        for kind, path in files.items()
    }
    return files, results


@pytest.fixture(scope="module")
def predictor(runs):
    """SlowOnly's run."""
    return load_predictor(runs["tiny_slowonly"])


def keypoints(frames):
    """One person whose joints are anywhere."""
    return np.random.default_rng(frames).uniform(0, 200, (1, frames, 17, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip as `posec3d predict` reads it."""
    path, score = tmp_path_factory.mktemp("clip") / "clip.npz", np.ones((1, 40, 17), np.float32)
    np.savez(path, keypoint=keypoints(40), score=score, frame_size=(240, 320))
    return path


@pytest.mark.parametrize("kind", exporting.FORMATS)
def test_a_file_is_the_run(exported, kind):
    result = exported[1][kind]
    assert result.difference <= 1e-5 and result.same_label == result.clips == 6
    assert "differs from the run" in str(result)


@pytest.mark.parametrize(("name", "persons"), [("tiny_x3d_se_swish", 3), ("tiny_stgcn", 2)])
def test_other_networks_views_persons_and_fixed_batches(runs, tmp_path, name, persons):
    views = Protocol(2, flip=name != "tiny_stgcn")
    result = export_model(
        runs[name], tmp_path / "m.onnx", protocol=views, persons=persons, batch=2, clips=3
    )
    [keypoint, *_] = onnxruntime.InferenceSession(str(result.path)).get_inputs()
    assert keypoint.shape[:2] == [2, persons] and result.difference <= 1e-5
    ours, theirs = load_exported(result.path), load_predictor(runs[name], protocol=views)
    assert ours.max_persons == persons and ours.engine.protocol == views
    clip = keypoints(30), None, (240, 320)
    np.testing.assert_allclose(ours(*clip).scores, theirs(*clip).scores, atol=1e-5)


def test_any_number_of_clips(runs, exported):
    program = load_program(runs["tiny_slowonly"], "latest", ONE_CLIP, 0, "")
    inputs, _ = real_clips(program, 5)
    session = onnxruntime.InferenceSession(str(exported[0]["onnx"]))
    wanted = np.asarray(jax.jit(program.function)(*(inputs[name] for name in INPUTS)))
    for count in (1, 5):
        [found] = session.run(None, {name: inputs[name][:count] for name in INPUTS})
        np.testing.assert_allclose(found, wanted[:count], atol=1e-5)


def test_the_files_describe_themselves(exported):
    files, _ = exported
    in_onnx = onnxruntime.InferenceSession(str(files["onnx"])).get_modelmeta().custom_metadata_map
    with zipfile.ZipFile(files["stablehlo"]) as archive:
        facts = json.loads(archive.read("metadata.json"))
    assert json.loads(in_onnx["classes"]) == facts["classes"] and facts["layout"] == "coco_17"
    assert facts["joints"][0] == "nose" and "parts of equal length" in facts["sampling"]
    assert facts["preprocessing"]["volume"]["sigma"] == 0.6
    assert facts["config"]["data"]["source"] == facts["config"]["data"]["dir"] == ""


@pytest.mark.parametrize("kind", exporting.FORMATS)
def test_they_reload_without_the_package(exported, clip, kind):
    script = {"onnx": "onnx_runtime.py", "stablehlo": "stablehlo.py"}[kind]
    blocked = f"import sys; sys.modules['posec3d_jax'] = None; sys.argv[1:] = {[str(exported[0][kind]), str(clip)]!r}; exec(open({str(EXAMPLES / script)!r}).read())"  # noqa: E501
    if kind == "onnx":
        blocked = "import sys; sys.modules['jax'] = None; " + blocked
    done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5


@pytest.mark.parametrize("frames", [1, 5, 40, 300])
def test_an_exported_network_predicts_as_its_run(predictor, exported, frames):
    ours, theirs = load_exported(exported[0]["onnx"]), predictor
    keypoint = keypoints(frames)
    keypoint[0, :, 3] = 0, np.nan  # missing
    found, wanted = (predict(keypoint, None, (240, 320)) for predict in (ours, theirs))
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-5)
    assert found.warnings == wanted.warnings and found.class_names == wanted.class_names
    with pytest.raises(ValueError, match="no volumes"):
        ours.volume(ours.prepare(keypoint, None, (240, 320))[0])


def test_the_command_predicts_without_jax(predictor, exported, clip):
    """Also over time, from a file of poses."""
    where = "import sys; sys.modules['jax'] = None; from posec3d_jax.main import run; run()"
    model = f"--exported={exported[0]['onnx']}"
    name = predictor(keypoints(40), np.ones((1, 40, 17), np.float32), (240, 320)).class_name
    for command in (["predict", model, f"--input={clip}"], ["recognise", str(clip), model]):
        done = subprocess.run(
            [sys.executable, "-c", where, *command], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert name in done.stdout.splitlines()[0]


def test_what_is_no_exported_network_is_refused(exported, clip, tmp_path):
    from posec3d_jax.export.onnx_file import assemble

    shape = {"x": jax.ShapeDtypeStruct((2, 3), jnp.float32)}
    others = tmp_path / "others.onnx"
    for metadata, message in (
        ({}, "none of `posec3d export`"),
        ({"format": FORMAT}, "export the run again"),
        ({"format": FORMAT, "config": "{"}, "description is damaged"),
        (dict.fromkeys(("config", "classes", "needs", "views"), {}) | {"format": FORMAT}, "sense"),
    ):
        others.write_bytes(assemble(lambda x: x + 1, shape, "y", name="y", metadata=metadata))
        with pytest.raises(ValueError, match=message):
            load_exported(others)
    with pytest.raises(ValueError, match=r"is an \.npz of arrays, no network"):
        load_exported(clip)
    with pytest.raises(FileNotFoundError, match="`posec3d export` writes one"):
        load_exported(tmp_path / "none.onnx")
    [command] = [command for command in COMMANDS if command.name == "predict"]
    asked = read_request(command, [f"--exported={others}", "--workdir=runs/mine"])
    with pytest.raises(ValueError, match="--workdir is of a run"):
        open_predictor(asked)


def test_what_differs_is_refused_and_nothing_written(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="Nothing was written"):
        export_model(runs["tiny_slowonly"], tmp_path / "model.onnx", clips=6)
    assert not any(tmp_path.iterdir())


def test_a_config_that_is_not_the_runs_is_told(runs, tmp_path, caplog):
    config = load_config(runs["tiny_slowonly"]).unlock()
    config.volume.sigma = 1.5
    with caplog.at_level(logging.WARNING):
        export_model(
            runs["tiny_slowonly"],
            tmp_path / "model.stablehlo",
            file_format="stablehlo",
            clips=2,
            config=config.lock(),
        )
    assert "config.volume.sigma: 0.6 in the run, now 1.5" in caplog.text


def test_a_missing_extra_is_named(runs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "posec3d_jax.export.onnx_file", None)
    with pytest.raises(ValueError, match=r"pip install 'posec3d-jax\[onnx\]'"):
        export_model(runs["tiny_stgcn"], tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="expected one of onnx, stablehlo"):
        export_model(runs["tiny_stgcn"], tmp_path / "model.onnx", file_format="pt")


def _conv(x, kernel):
    numbers = ("NDHWC", "DHWIO", "NDHWC")
    pads = [(1, 1), (0, 1), (1, 0)]
    return lax.conv_general_dilated(x, kernel, (1, 2, 2), pads, dimension_numbers=numbers)


X = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 6)).astype(np.float32)
K = np.random.default_rng(1).normal(size=(3, 2, 2, 6, 4)).astype(np.float32)
OPERATIONS = {
    "padding that cuts": lambda x: lax.pad(
        x, 1.0, [(0, 0, 0), (2, -1, 0), (-1, 3, 0), *[(0, 0, 0)] * 2]
    ),
    "mirrored": lambda x: x[..., ::-1, :],
    "picked": lambda x: x[..., jnp.array([3, 0, 1]), :],
    "strided": lambda x: x[:, ::2, 1:3, 1::3],
    "any and all": lambda x: ((x > 1).any(1) & (x > -3).all(1)) * 1.0,
    "stretched": lambda x: jnp.broadcast_to(x.mean((1, 2), keepdims=True), x.shape).reshape(2, -1),
    "counted": lambda x: x * jnp.arange(5, dtype=x.dtype)[None, None, None, :, None],
    "where it is odd": lambda x: jnp.where(jnp.isfinite(x / (x > 0)), jnp.trunc(x), jnp.sign(x)),
    "put together": lambda x: jnp.concatenate([x, jnp.stack([x[:, 0]] * 2, 1)], 1),
    "cut apart": lambda x: sum(jnp.split(x[:, :2], 2, 1)),
    "largest nearby": lambda x: lax.reduce_window(
        x,
        -jnp.inf,
        lax.max,
        (1, 1, 3, 3, 1),
        (1, 1, 2, 1, 1),
        [(0, 0)] * 2 + [(1, 1)] * 2 + [(0, 0)],
    ),
    "convolved": lambda x: _conv(x, K),
    "summed over letters": lambda x: jnp.einsum("btijc,bsijc->bcts", x, x[:, :2]),
    "product": lambda x: (
        jax.nn.softmax(x @ K[0, 0, 0], -1) ** 3 * lax.rsqrt(1 + jnp.square(x[..., :4]))
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("free", [False, True])
def test_operations_mean_the_same_in_onnx(name, free):
    from posec3d_jax.export.onnx_file import assemble, read_onnx
    from posec3d_jax.export.onnx_graph import FREE

    function = OPERATIONS[name]
    shape = jax.ShapeDtypeStruct((FREE if free else 2, *X.shape[1:]), jnp.float32)
    file = assemble(function, {"x": shape}, "y", name="test", metadata={})
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            read_onnx(file, ("x",), "y")(X), function(X), atol=1e-5, rtol=1e-5
        )


def test_an_exported_network_is_served(exported, predictor):
    pytest.importorskip("uvicorn", reason="needs the extra `serve`")
    from tests.test_serve import Running

    running = Running(load_exported(exported[0]["onnx"]))
    try:
        clip = json.loads(running.ask("GET", "/v1/clips/walk")[1])
        status, answer = running.recognise(clip)
        size = tuple(clip["frame_size"])
        wanted = predictor(np.array(clip["keypoint"]), np.array(clip["score"]), size)
        assert status == 200 and answer["label"] == wanted.label
        status, content, _ = running.ask("POST", "/v1/volume", json.dumps(clip))
        assert status == 501 and "volume" in json.loads(content)["error"]
    finally:
        running.stop()
