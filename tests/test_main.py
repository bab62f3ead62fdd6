"""The command line: errors that a person can act on, and the way from a pickle to a prediction."""

import importlib
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from posec3d_jax import main
from posec3d_jax.commands.table import COMMANDS
from posec3d_jax.flags import parse
from posec3d_jax.machine.distributed import join

ROOT = Path(__file__).resolve().parents[1]

CONFIG = """
from posec3d_jax.config import base, networks

def get_config(stream="joint"):
    config = base.get_config()
    base.set_stream(config, stream)
    config.name = "mine"
    config.data.source = "{folder}/annotations.pkl"
    config.data.dir = "{folder}/prepared"
    config.data.storage, config.data.loader = "pack", "threads"
    config.data.num_classes = 2
    base.declare_skeleton(
        config,
        joints=("head", "hip", "left_foot", "right_foot"),
        limbs=(("head", "hip"), ("hip", "left_foot"), ("hip", "right_foot")),
        pairs=(("left_foot", "right_foot"),),
    )
    config.sampling.num_frames, config.sampling.test_clips = 4, 2
    config.volume.train_size = config.volume.test_size = (16, 16)
    config.model = networks.slowonly(
        width=4, stage_blocks=(1,), inflate=(1,), temporal_strides=(2,)
    )
    config.data.repeat, config.train.batch_size, config.train.epochs = 1, 8, 2
    return config
"""


def _posec3d(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "POSEC3D_HOST_SETTINGS": "0"}
    command = [sys.executable, "-m", "posec3d_jax.main", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.fixture
def here(monkeypatch):
    """The clone is where the command is typed."""
    monkeypatch.chdir(ROOT)


def _complaint(*arguments: str) -> str:
    """The line with which a command ends; in this process, which is left as it was."""
    with (
        mock.patch.object(main, "quiet_libraries"),
        mock.patch.object(main, "use_compilation_cache"),
        pytest.raises(SystemExit) as end,
    ):
        main._main(parse(["posec3d", *arguments]))
    return str(end.value.code)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ["train", "--config=configs/demo.py", "--config.optimizer.learning_rat=1"],
            "no key config.optimizer.learning_rat; did you mean config.optimizer.learning_rate",
        ),
        (["train", "--config=configs/demo.py", "--config.seed=x"], "config.seed"),
        (["train", "--config=configs/none.py"], "configs/none.py"),
        (["train", "--config=configs/demo.py:bones"], "expected joint, limb or both"),
        (["train", "--config=configs/demo.py"], "expected --workdir"),
        (["train", "--num_processes=2"], "need --coordinator or --multihost"),
        (["dance"], "unknown command 'dance'"),
        (["evaluate"], "expected --workdir"),
        (["trian"], "unknown command 'trian'; did you mean train"),
        (["train", "--confg=x"], "no flag --confg; did you mean --config"),
        (["train", "--out=x"], "--out is no flag of train, but of inspect"),
        (["predict", "--config=demo"], "--config is no flag of predict"),
        (["train", "--config", "pen_action"], "the packaged one is called penn_action"),
        (["train", "--flagfile", "none"], "--flagfile=none: there is no such file"),
        (["report", "runs/x"], "unexpected argument 'runs/x'"),
    ],
)
def test_mistakes_are_told_in_a_line(arguments, message, here):
    assert message in _complaint(*arguments)


def test_one_of_several_processes_ends_at_once_with_a_line():
    result = _posec3d("train", "--coordinator=first")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "--coordinator is 'first'; expected host:port" in result.stderr
    with pytest.raises(ValueError, match="needs --num_processes and"):
        join("a:1", 2, None)


@pytest.mark.parametrize(
    "contents, arguments, message",
    [
        (b"\xff\xfe", [], "SyntaxError"),
        (b"import nothing_of_this_name", [], "ModuleNotFoundError"),
        (b"get_config = lambda: 1 / 0", [], "ZeroDivisionError"),
        (b"get_config = lambda: None", [], "returns NoneType; expected a config"),
        (
            b"from posec3d_jax.config.base import get_config",
            ["--config.train.epochs=-1"],
            "config.train.epochs",
        ),
        (b"from posec3d_jax.config.base import get_config", ["--config.seed=1e999"], "config.seed"),
    ],
    ids=["no text", "no module", "error", "nothing", "range", "type"],
)
def test_configs_that_are_none_are_told_in_a_line(tmp_path, contents, arguments, message):
    (tmp_path / "odd.py").write_bytes(contents)
    assert message in _complaint("summary", f"--config={tmp_path}/odd.py", *arguments)


def test_each_command_lists_its_own_flags_with_defaults(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as end:
            parse(["posec3d", command.name, "--help"])
        said = capsys.readouterr().out
        assert end.value.code == 0 and command.help in said
        for flag in command.flags:
            assert re.search(rf"--(\[no\])?{flag.name}\b", said) and flag.help.split()[0] in said
    with pytest.raises(SystemExit):
        parse(["posec3d", "evaluate", "--help"])
    said = capsys.readouterr().out
    assert "--protocol=both|one|many" in said and "(default: latest)" in said
    assert "--resume_anyway" not in said and "--multihost" in said
    assert callable(importlib.import_module(COMMANDS[-1].module).run)


def test_help_explains_keys(capsys):
    for topic, words in (
        ("config", ("config.train.epochs", "config.model.width of stgcn")),
        ("config.evaluate", ("Volumes of a step", "'union' or 'present'")),
    ):
        with pytest.raises(SystemExit) as end:
            parse(["posec3d", "help", topic])
        said = capsys.readouterr().out
        assert end.value.code == 0 and all(word in said for word in words)
    assert "config.optimizer" not in said
    with pytest.raises(SystemExit, match="no key config.trian; did you mean config.train"):
        parse(["posec3d", "help", "config.trian"])


def test_a_space_is_as_good_as_an_equals_sign_and_a_config_runs_once(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from posec3d_jax.config.base import get_config\n"
        f"open({str(tmp_path / 'count')!r}, 'a').write('x')\n"
    )
    (tmp_path / "flags.txt").write_text("# of this run\n\n--config.seed=5\n--workdir=here\n")
    line = (
        f"train --flagfile {tmp_path}/flags.txt --config {tmp_path}/mine.py --config.train.epochs 7"
    )
    request = parse(["posec3d", *line.split(), "--multihost"])
    assert (request.config.seed, request.config.train.epochs) == (5, 7)
    assert request.options.workdir == "here" and request.options.multihost
    assert (tmp_path / "count").read_text() == "x"


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A data set in the references' pickle format with a layout of its own, and its config."""
    folder, rng = tmp_path_factory.mktemp("mine"), np.random.default_rng(0)
    annotations = []
    for i in range(20):
        # Class 1 walks to the right, class 0 stands.
        keypoint = rng.uniform(20, 40, (1, 12, 4, 2)) + 10 * np.arange(4)[:, None]
        keypoint[..., 0] += (i % 2) * 8 * np.arange(12)[:, None]
        annotations.append(
            {
                "frame_dir": f"clip{i}",
                "total_frames": 12,
                "img_shape": (240, 320),
                "original_shape": (240, 320),
                "label": i % 2,
                "keypoint": keypoint.astype(np.float16),
                "keypoint_score": np.ones((1, 12, 4), np.float16),
            }
        )
    names = [a["frame_dir"] for a in annotations]
    contents = {"split": {"train": names[:16], "val": names[16:]}, "annotations": annotations}
    (folder / "annotations.pkl").write_bytes(pickle.dumps(contents))
    (folder / "mine.py").write_text(CONFIG.format(folder=folder))
    first = annotations[1]
    np.savez(folder / "clip.npz", keypoint=first["keypoint"], frame_size=first["img_shape"])
    return folder


@pytest.fixture
def succeed(capsys):
    """Runs a command in this process and returns what it printed."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        with (
            mock.patch.object(main, "quiet_libraries"),
            mock.patch.object(main, "use_compilation_cache"),
        ):
            main._main(parse(["posec3d", *arguments]))
        return capsys.readouterr().out

    return run


def test_from_a_pickle_with_its_own_layout_to_a_prediction(mine, succeed):
    config, run = f"--config={mine}/mine.py", f"--workdir={mine}/run"
    prepared = _posec3d("prepare", config, cwd=mine)  # a process of its own, in another folder
    assert prepared.returncode == 0, prepared.stderr
    assert "split train: 16 clips" in prepared.stdout
    for stream in ("joint", "limb", "both"):
        pictures = mine / "pictures" / stream
        said = succeed("inspect", f"{config}:{stream}", f"--out={pictures}", "--draw=1")
        assert "left_foot" in said and len(list(pictures.glob("*.png"))) == 2
    succeed("train", config, run)
    succeed("evaluate", run, f"--record={mine}/result.json")
    assert succeed("report", run).strip() == str(mine / "run" / "report.html")
    assert (mine / "run" / "report.html").stat().st_size > 10_000
    scores = [f"{mine}/run/evaluations/val-1-clip"] * 2
    assert "fused, 1 clip, 4 clips" in succeed("fuse", *scores, f"--out={mine}/fused")

    assert "parameters" in succeed("summary", run)
    said = succeed("export-weights", run, f"--out={mine}/mine.safetensors")
    assert "backbone.conv1.conv.weight" in said
    said = succeed("import-weights", f"{mine}/mine.safetensors", config, f"--out={mine}/again")
    assert "backbone.conv1.conv.weight" in said and "layer" in said
    predicted = [
        succeed("predict", f"--workdir={mine}/{name}", f"--input={mine}/clip.npz").splitlines()
        for name in ("run", "again")
    ]
    assert len(predicted[0]) == len(predicted[1]) == 2 and "warning" not in predicted[0][0]
    assert [line.split()[0] for line in predicted[0]] == [line.split()[0] for line in predicted[1]]
    (mine / "cut.npz").write_bytes(b"PK\x03\x04 cut")
    said = _complaint("predict", run, f"--input={mine}/cut.npz")
    assert "cut.npz" in said and "Traceback" not in said
