"""Hostile and broken files: thousands are read under guard, without harm, and with a message."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from posec3d_jax.data.stored.info import DataError
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.prepare import prepare
from posec3d_jax.reports.inspection import inspect_dataset
from posec3d_jax.runs.orbax_trees import CheckpointError
from tests.hostile import orbax_folders
from tests.tiny import tiny_config

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}


def _try_all(tmp_path, *arguments: str) -> dict:
    """What `python -m benchmarks.hostile_inputs` recorded; in a process with limits of its own."""
    out = tmp_path / "record.json"
    command = [sys.executable, "-m", "benchmarks.hostile_inputs", f"--out={out}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode in (0, 1) and out.exists(), done.stderr[-3000:]
    record = json.loads(out.read_text())
    assert not any(record["faults"].values()), "\n".join(record["first_faults"])
    assert record["peak_memory_growth_mb"] < 1024
    return record


def test_nothing_is_run_written_or_left_without_a_message(tmp_path):
    record = _try_all(tmp_path, "--mutations=4", "--cuts=8", "--every=3")
    assert record["tried"] > 600 and record["refused"] > 400


@pytest.mark.slow
def test_the_same_of_many_thousands(tmp_path):
    record = _try_all(tmp_path, "--mutations=200", "--cuts=300")
    assert record["tried"] > 15_000


REFUSED = {
    "model/manifest.ocdbt is a pipe": "model/manifest.ocdbt is no regular file",
    "model leads away": "model is a link to a folder",
    "model/_METADATA: deep lists": "model/_METADATA is damaged: maximum recursion",
    "model/_sharding: empty": "model/_sharding is damaged: Expecting value",
    "model/d is missing": "model/d/",
    "model: a chunk of terabytes": r"the array params.w has chunks of \[1099511627776, 3\]",
    "model: a shape of terabytes": "the array params.w has shape",
    "model: another shape": r"params.*w.* has shape \(3, 4\)",
    "model: a shard of zeros": "params.w/c/0/0",
    "checksums: names the system": "names '/dev/zero', which is not below the folder",
}


def test_a_checkpoint_folder_of_a_stranger_is_refused_with_file_and_reason(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    orbax_folders.write_run(tmp_path / "run")
    orbax_folders.load(tmp_path / "run")
    attacks = dict(orbax_folders.attacks(outside))
    for number, (name, said) in enumerate(REFUSED.items()):
        run = tmp_path / str(number)
        shutil.copytree(tmp_path / "run", run)
        attacks[name](run / "checkpoints" / str(orbax_folders.STEP))
        with pytest.raises(CheckpointError, match=said):
            orbax_folders.load(run)


KILLED = """
import os, signal
from ml_collections import ConfigDict
from posec3d_jax import prepare
from posec3d_jax.data.readers import READERS
from posec3d_jax.skeletons.skeleton import get_skeleton
from dataclasses import replace

read = READERS["simulated"]

def until_killed(path, **options):
    dataset = read(path, **options)
    def clips():
        for i, clip in enumerate(dataset.sequences):
            if i == 20:
                os.kill(os.getpid(), signal.SIGKILL)
            yield clip
    return replace(dataset, sequences=clips())

READERS["simulated"] = until_killed
prepare.prepare(ConfigDict({data!r}))
"""


@pytest.mark.parametrize("storage", ["pack", "tfds"])
def test_a_killed_prepare_says_so_and_can_be_repeated(tmp_path, storage):
    (tmp_path / "simulated").mkdir()  # so that the config is made without a data set
    config = tiny_config(tmp_path)
    (tmp_path / "simulated").rmdir()
    config.data.storage = storage
    code = KILLED.format(data=config.data.to_dict())
    killed = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True)
    assert killed.returncode == -9, killed.stderr
    left = tmp_path / "simulated.preparing"
    assert left.is_dir() and not (tmp_path / "simulated").exists()
    for look in (
        lambda: open_source(config.data, "train"),
        lambda: inspect_dataset(config.data.dir),
    ):
        with pytest.raises(DataError, match="interrupted.*posec3d prepare"):
            look()
    prepare(config.data, progress=lambda line: None)
    assert len(open_source(config.data, "train")) > 0 and not left.exists()


def test_an_overwrite_killed_between_its_two_renames_tells_where_the_old_data_set_is(tmp_path):
    config = tiny_config(tmp_path)
    folder = Path(config.data.dir)
    folder.rename(tmp_path / "simulated.replaced")
    with pytest.raises(DataError, match="is still in .*simulated.replaced"):
        open_source(config.data, "train")
