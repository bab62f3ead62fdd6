"""What people do with commands and files: each has a good answer, and loses nothing."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posec3d_jax.commands.flag_files import expanded
from posec3d_jax.data.readers.pyskl_samples import whole
from posec3d_jax.data.stored.info import DataError
from posec3d_jax.files.arrays import BadSample, load_json
from posec3d_jax.files.disk import DiskError, write_json
from posec3d_jax.flags import parse
from posec3d_jax.machine import streams
from posec3d_jax.poses.gathering import find_jobs
from posec3d_jax.prepare import prepare
from posec3d_jax.reports.predictions import write_predictions
from posec3d_jax.train import train_and_evaluate
from tests.tiny import tiny_config

ROOT = Path(__file__).resolve().parents[1]
COMMAND = f"{sys.executable} -m posec3d_jax.main"
HERE = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}


@pytest.fixture
def source(tmp_path):
    """A folder of one clip, in the directory format, and `config.data` for it."""
    folder, config = tmp_path / "my clips", tiny_config(tmp_path)
    folder.mkdir()
    points = np.random.default_rng(0).uniform(5, 95, (1, 5, 17, 2))
    clip = dict(keypoint=points, score=np.ones((1, 5, 17)), frame_size=(100, 120), label=1)
    np.savez(folder / "a b é.npz", **clip)
    (folder / "splits.json").write_text(json.dumps({"train": ["a b é"]}))
    data = config.data
    data.format, data.source, data.dir = "directory", str(folder), str(tmp_path / "out dir")
    data.num_classes, data.val_split, data.test_split = 2, "", "train"
    with config.ignore_type():
        data.reader_options = {}
    return folder, config


def _prepare(config, **options):
    return prepare(config.data, progress=lambda line: None, **options)


def test_overwriting_a_data_set_deletes_nothing_else(source):
    folder, config = source
    _prepare(config)
    run = Path(config.data.dir) / "checkpoints"
    run.mkdir()
    with pytest.raises(DataError, match="besides checkpoints, which --overwrite would delete"):
        _prepare(config, overwrite=True)
    run.rmdir()
    _prepare(config, overwrite=True)
    with pytest.raises(ValueError, match="holds a prepared data set.*choose another folder"):
        train_and_evaluate(config, config.data.dir)


def test_a_data_set_is_not_prepared_into_its_own_source(source):
    folder, config = source
    config.data.dir = str(folder / "prepared")
    with pytest.raises(DataError, match="lies in config.data.source.*choose a folder beside it"):
        _prepare(config)
    assert not (folder / "prepared").exists()


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""])
def test_files_of_other_editors_are_read(source, start):
    folder, config = source
    (folder / "splits.json").write_bytes(start + '{"train": ["a b é"]}\r\n'.encode())
    assert _prepare(config)["statistics"]
    (folder / "labels.csv").write_bytes(start + b"video,label\r\na,wave\r\n")
    (folder / "a.mp4").touch()
    assert find_jobs([folder], folder / "labels.csv")[0].class_name == "wave"
    (folder / "flags.txt").write_bytes(start + b"--workdir=x\r\n")
    assert expanded([f"--flagfile={folder / 'flags.txt'}"]) == ["--workdir=x"]


def test_a_text_in_utf_16_is_called_one(tmp_path):
    (tmp_path / "splits.json").write_bytes('{"train": []}'.encode("utf-16"))
    with pytest.raises(ValueError, match="UTF-16.*save it as UTF-8"):
        load_json(tmp_path / "splits.json")


LABELS = {
    "video\na\n": "expected a first line 'video,label'",
    "video,label\na\n": "line 2: .*lacks its video or its label",
    "video,label\na,x\na,y\n": "line 3: 'a' has another label or split above",
    'video,label\na,"' + "x" * 200_000 + '"\n': "no readable table: field larger",
    "video,label\nb,x\n": "has no line for 'a'",
}


@pytest.mark.parametrize("text", LABELS, ids=range(len(LABELS)))
def test_labels_of_videos_that_are_none_are_told_with_file_and_line(tmp_path, text):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=LABELS[text]) as told:
        find_jobs([tmp_path / "a.mp4"], tmp_path / "labels.csv")
    assert "labels.csv" in str(told.value)


def test_labels_that_are_numbers_keep_them(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "labels.csv").write_text("video,label\na,07\nb,3\n")
    jobs = find_jobs([tmp_path], tmp_path / "labels.csv")
    assert [job.label for job in jobs] == [7, 3]


def test_long_names_in_any_letters_are_written(tmp_path):
    write_json(tmp_path / ("日" * 80), {"a": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["日" * 80]


def _set(*options, config="demo"):
    return parse(["posec3d", "prepare", f"--config={config}", *options]).config.data.reader_options


def test_a_readers_options_are_set_on_the_command_line():
    options = _set("--config.data.reader_options.third_channel=score")
    assert options["third_channel"] == "score" and options["num_clips"] == 4000
    options = _set("--config.data.reader_options.yaws", "(-40.0, 40.0)")
    assert options["yaws"] == (-40.0, 40.0)
    assert _set("--config.data.reader_options.num_clips=7")["num_clips"] == 7
    with pytest.raises(SystemExit, match="no name of a reader's option"):
        _set("--config.data.reader_options.a-b=1")


def test_letters_that_a_terminal_does_not_have_are_escaped(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr("sys.stdout", terminal)
    streams.settle()
    print("日 wave")
    assert terminal.buffer.getvalue() == b"\\u65e5 wave\n"


@pytest.mark.parametrize(("where", "status"), [("| true", 141), (">&-", 0)])
def test_nobody_reads_what_is_printed(where, status):
    """The pipe is closed before anything is written to it; or there is no stream at all."""
    line = f"(sleep 0.2; {COMMAND} help; echo $? >&2) {where}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=HERE)
    assert done.stderr == f"{status}\n"


def test_predictions_replace_predictions_and_nothing_else(tmp_path):
    for name in ("config.json", "labels.csv"):
        write_predictions(tmp_path / name, [("a", "unreadable")])
        write_predictions(tmp_path / name, [("b", "unreadable")])
        (tmp_path / name).write_text('{"name": "mine"}')
        with pytest.raises(ValueError, match=f"{name}, which is there and holds something else"):
            write_predictions(tmp_path / name, [("c", "unreadable")])


@pytest.mark.parametrize("port", [0, 99_999, -1])
def test_a_port_that_cannot_be_had_is_told_before_the_network_is_loaded(port):
    serving = pytest.importorskip("posec3d_jax.server.serving", reason="needs the extra `serve`")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(ValueError, match="choose another port"):
            serving.serve(pytest.fail, port=port or taken.getsockname()[1])


def test_a_full_disk_is_told_with_the_place(source, monkeypatch):
    def full(*_):
        raise RuntimeError("UNKNOWN: shard-0; No space left on device [writing]")

    monkeypatch.setattr("posec3d_jax.prepare.write_pack", full)
    folder, config = source
    with pytest.raises(DiskError, match="out dir could not be written: No space left.*Make room"):
        _prepare(config)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["my clips", "simulated"]


def test_ctrl_c_ends_a_command_in_a_line():
    code = "import signal, sys, time\nfrom posec3d_jax import main\n"
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # not so below nohup
    code += "from posec3d_jax.commands import summary\n"
    code += "def run(request):\n    print('at it', flush=True)\n    time.sleep(60)\n"
    code += "summary.run = run; sys.argv[1:] = ['summary', '--config=demo']; main.run()"
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process = subprocess.Popen([sys.executable, "-c", code], env=HERE, **pipes)
    assert process.stdout.readline() == b"at it\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and said.splitlines()[-1] == b"posec3d summary: interrupted"
    assert b"Traceback" not in said


@pytest.mark.parametrize("count", [10**400, -(2**70), 2.0, "5", None])
def test_a_count_that_is_none_or_beyond_any_is_told(count):
    with pytest.raises(BadSample, match="is no whole number") as told:
        whole({"total_frames": count}, "total_frames")
    assert told.value.key == "total_frames" and len(str(told.value)) < 200
