"""An installed wheel: every step from a folder that is no clone, with configs that come with it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("posec3d_jax", "configs", "pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE")

CONFIG = """
from configs import demo
from posec3d_jax.config import networks

def get_config(stream="joint"):
    config = demo.get_config(stream)
    config.data.dir = "tiny"
    config.data.storage, config.data.loader, config.data.val_split = "pack", "threads", ""
    config.sampling.num_frames, config.sampling.test_clips = 4, 1
    config.volume.train_size = config.volume.test_size = (16, 16)
    stages = dict(stage_blocks=(1,), inflate=(1,), temporal_strides=(2,))
    config.model = networks.slowonly(width=4, **stages)
    config.train.epochs = 1
    return config
"""
# Runs in the folder, in one process: that costs one start of the libraries.
STEPS = """
import json
import socket
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from threading import Thread
import numpy as np
import posec3d_jax
from posec3d_jax import main
from posec3d_jax.commands.table import COMMANDS
from posec3d_jax.config.files import read_config
from posec3d_jax.flags import parse

tried = set()

def typed(*arguments):
    tried.add(arguments[0])
    print("posec3d", *arguments, flush=True)
    main._main(parse(["posec3d", *arguments]))

def fetched(address):
    for _ in range(600):
        with suppress(urllib.error.URLError):  # not listening yet
            return urllib.request.urlopen(address, timeout=60).read()
        time.sleep(0.1)
    raise TimeoutError(address)

assert "clone" not in posec3d_jax.__file__ and posec3d_jax.__file__.startswith(sys.prefix)
config = read_config("penn_action:limb")
assert config.name == "penn_action_limb" and config.volume.limbs
assert read_config("mine.py:limb").model.width == 4
fewer = "--config.data.reader_options={'num_clips': 60, 'actions': ('walk', 'run')}"
tiny = ("--config.data.dir=tiny", "--config.data.storage=pack", "--config.data.num_classes=2")
typed("prepare", "--config=demo", fewer, *tiny)
typed("train", "--config", "mine.py:limb", "--workdir=run", fewer, tiny[2])
typed("evaluate", "--workdir", "run", "--protocol=one", "--record=record.json")
rng = np.random.default_rng(0)
np.savez("clip.npz", keypoint=rng.uniform(50, 90, (1, 9, 17, 2)), frame_size=(128, 128))
typed("predict", "--workdir=run", "--input=clip.npz")
typed("report", "--workdir=run")
typed("configs", "custom")
typed("inspect", "--config=mine.py", "--out=pictures", "--draw=1", fewer, tiny[2])
typed("summary", "--workdir=run")
typed("export-weights", "--workdir=run", "--out=weights.safetensors")
typed("import-weights", "weights.safetensors", "--config=mine.py:limb", "--out=imported", tiny[2])
(scores,) = Path("run/evaluations").iterdir()
typed("fuse", str(scores), str(scores), "--out=fused")
typed("export", "--workdir=run", "--format=stablehlo", "--out=network.stablehlo", "--batch=1")
typed("weights", "list", "movenet")
poses = [{"frame_id": i, "instances": [{"keypoints": rng.uniform(50, 90, (17, 2)).tolist(),
          "keypoint_scores": [0.9] * 17}]} for i in range(60)]
with open("poses.json", "w") as file:
    json.dump(poses, file)
typed("recognise", "poses.json", "--frame_size=128x128", "--out=seen")
try:
    typed("extract", "nowhere.mp4", "--out=skeletons")
except SystemExit as error:
    assert "nowhere.mp4" in str(error)
port = socket.create_server(("127.0.0.1", 0)).getsockname()[1]
Thread(target=typed, args=("serve", "--workdir=run", f"--port={port}"), daemon=True).start()
for path in ("/", "/health"):
    assert fetched(f"http://127.0.0.1:{port}{path}")
untried = {command.name for command in COMMANDS} - tried
assert not untried, untried
"""


@pytest.fixture(scope="module")
def venv(tmp_path_factory) -> Path:
    """An environment with the wheel, and the libraries of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source, venv = folder / "source", folder / "venv"
    source.mkdir()
    (source / "README.md").write_text("A copy, so that building leaves nothing in the clone.")
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    _run([*pip, "wheel", *offline, "--no-build-isolation", "-w", folder, source])
    _run([sys.executable, "-m", "venv", "--without-pip", venv])
    (wheel,) = folder.glob("posec3d_jax-*.whl")
    python = venv / "bin" / "python"
    _run([*pip, "--python", python, "install", *offline, wheel])
    # A line of a .pth file brings the libraries, but not the clone that may be installed there.
    libraries = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    (site,) = (venv / "lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text("\n".join(sorted(libraries)))
    return venv


def _run(command: list, **how) -> subprocess.CompletedProcess:
    done = subprocess.run(command, capture_output=True, text=True, timeout=550, **how)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


def test_from_a_data_set_to_a_prediction_without_a_clone(venv, tmp_path):
    (tmp_path / "mine.py").write_text(CONFIG)
    (tmp_path / "steps.py").write_text(STEPS)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    how = dict(cwd=tmp_path, env=environment | {"POSEC3D_HOST_SETTINGS": "0"})
    listed = _run([venv / "bin" / "posec3d", "configs"], **how).stdout
    assert "penn_action" in listed and "custom" in listed
    said = _run([venv / "bin" / "python", "steps.py"], **how).stdout
    assert "split train: " in said and "EDIT" in said
    assert (tmp_path / "record.json").exists() and (tmp_path / "run" / "report.html").exists()
    assert "run" in said.split("posec3d predict")[1].split("posec3d report")[0]
