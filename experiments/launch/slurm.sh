#!/usr/bin/env bash
# Trains and tests one config on GPU nodes under Slurm: submits itself as a job that requeues itself.
#
#   experiments/launch/slurm.sh [--dry-run] [--nodes=N] [--gpus=G] [--time=T] [--sbatch=OPTION ...] \
#       CONFIG WORKDIR [--config.KEY=VALUE ...]
#
# One process a node drives its G GPUs (default: 1 node of 8, for 24 hours). WORKDIR and
# config.data.dir must be on storage that all nodes see. --sbatch passes an option on, as in
# --sbatch=--partition=gpu; further arguments go to the training. The log is WORKDIR/slurm-JOB.log.
#
# A job that is preempted, or five minutes before its time limit, gets SIGTERM: the training saves,
# ends with status 75 ("run me again"), and the job goes back into the queue, where it resumes. A
# failure does not requeue; submit the same command again and it resumes. --dry-run prints the
# commands and runs nothing. PYTHON (default: .venv's, else python) is the nodes' Python.
set -euo pipefail

usage() {
  sed -n '2,15s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# Runs a command, or prints it so that it can be pasted into a shell.
run() {
  if [ "$dry_run" = yes ]; then
    printf '%q ' "$@"
    printf '\n'
  else
    "$@"
  fi
}

# What the job does on its first node: $1 GPUs a node, config, workdir, ...
job() {
  local gpus=$1 config=$2 workdir=$3 status=0 posec3d step
  shift 3
  posec3d=("${PYTHON:-python}" -m posec3d_jax.main)
  # Under Slurm JAX takes one GPU a process unless told which. When a process ends, the others get
  # five minutes to finish saving; one that fails ends the others by itself.
  step=(env JAX_LOCAL_DEVICE_IDS="$(seq -s, 0 $((gpus - 1)))" srun --ntasks-per-node=1
    --kill-on-bad-exit=0 --wait=300)
  run "${step[@]}" "${posec3d[@]}" train --multihost --config="$config" --workdir="$workdir" "$@" ||
    status=$?
  if [ "$status" = 75 ]; then
    run scontrol requeue "$SLURM_JOB_ID"
    exit
  fi
  [ "$status" = 0 ] || exit "$status"
  run "${step[@]}" "${posec3d[@]}" evaluate --multihost --workdir="$workdir"
  run "${posec3d[@]}" report --workdir="$workdir"
}

if [ "${1:-}" = --job ]; then
  dry_run=no
  shift
  job "$@"
  exit
fi

dry_run=no nodes=1 gpus=8 time=24:00:00 options=()
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --nodes=*) nodes=${1#*=} ;;
    --gpus=*) gpus=${1#*=} ;;
    --time=*) time=${1#*=} ;;
    --sbatch=*) options+=("${1#*=}") ;;
    *) break ;;
  esac
  shift
done
[[ $# -ge 2 && $1 != -* && $2 != -* && $nodes:$gpus =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || usage

script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
root=$(dirname "$(dirname "$(dirname "$script")")")
export PYTHON=${PYTHON:-$([ -x "$root/.venv/bin/python" ] && echo "$root/.venv/bin/python" || echo python)}
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
run mkdir -p "$2" # Slurm does not make the log's folder
run sbatch --job-name=posec3d --chdir="$PWD" --nodes="$nodes" --ntasks-per-node=1 \
  --gpus-per-node="$gpus" --exclusive --time="$time" --signal=TERM@300 --requeue \
  --open-mode=append --output="$2/slurm-%j.log" --export=ALL \
  ${options[@]+"${options[@]}"} "$script" --job "$gpus" "$@"
if [ "$dry_run" = yes ]; then
  echo "# and the job, on its first node:"
  # shellcheck disable=SC2016  # the job's own number, not ours
  SLURM_JOB_ID='$SLURM_JOB_ID' job "$gpus" "$@"
fi
