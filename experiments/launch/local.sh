#!/usr/bin/env bash
# Trains, tests and reports one config on this machine, on its GPUs or its CPU.
#
#   experiments/launch/local.sh [--dry-run] [--processes=N] CONFIG WORKDIR [--config.KEY=VALUE ...]
#
# One process drives all devices; CUDA_VISIBLE_DEVICES=0,1 gives it two of the GPUs. --processes=N
# starts N processes that train together as those of N machines would, each with its share of the
# GPUs if there are any. Further arguments go to the training. Started again with the same WORKDIR it
# resumes; a finished run is only tested. --dry-run prints the commands and runs nothing.
# PYTHON (default: .venv's, else python) is the Python with the package.
set -euo pipefail

usage() {
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
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

# The share of process $1 of the GPUs, as CUDA_VISIBLE_DEVICES wants it; empty where there are none.
gpus_of() {
  local all=${CUDA_VISIBLE_DEVICES:-} each
  if [ -z "${CUDA_VISIBLE_DEVICES+set}" ] && command -v nvidia-smi >/dev/null; then
    all=$(nvidia-smi --query-gpu=index --format=csv,noheader | paste -sd, -)
  fi
  [ -n "$all" ] || return 0
  IFS=, read -ra all <<<"$all"
  each=$((${#all[@]} / processes))
  [ "$each" -gt 0 ] || { echo "${#all[@]} GPUs for $processes processes" >&2 && exit 2; }
  (IFS=, && echo "${all[*]:$(($1 * each)):each}")
}

# Starts all processes and waits; when one fails or this script is told to stop, all are stopped.
train() {
  local port=$((20000 + $$ % 10000)) i gpus ended status=0
  local command=("${posec3d[@]}" train "$@")
  for ((i = 0; i < processes; i++)); do
    if [ "$processes" -gt 1 ]; then
      gpus=$(gpus_of "$i")
      command=(env ${gpus:+CUDA_VISIBLE_DEVICES="$gpus"} "${posec3d[@]}" train "$@" --multihost
        --coordinator="127.0.0.1:$port" --num_processes="$processes" --process_id="$i")
    fi
    if [ "$dry_run" = yes ]; then
      run "${command[@]}"
    else
      "${command[@]}" &
      children+=($!)
    fi
  done
  [ "$dry_run" = no ] || return 0
  trap stop_all TERM INT
  while [ -n "$(jobs -rp)" ]; do # a signal to this script ends the wait, but no process
    wait -n || stop_all
  done
  for i in "${children[@]}"; do # of several statuses, a failure counts before "run me again"
    wait "$i" && continue || ended=$?
    case $ended in
      75 | 143) [ "$status" != 0 ] || status=$ended ;;
      *) status=$ended && break ;;
    esac
  done
  trap - TERM INT
  return "$status"
}

# Once only: a second signal would end a process that is saving.
stop_all() {
  [ "$stopped" = no ] || return 0
  stopped=yes
  kill -TERM "${children[@]}" 2>/dev/null || true
}

dry_run=no processes=1 stopped=no children=()
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --processes=*) processes=${1#*=} ;;
    *) break ;;
  esac
  shift
done
[[ $# -ge 2 && $1 != -* && $2 != -* && $processes =~ ^[1-9][0-9]*$ ]] || usage

root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-$([ -x "$root/.venv/bin/python" ] && echo "$root/.venv/bin/python" || echo python)}
posec3d=("$python" -m posec3d_jax.main)
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"

train --config="$1" --workdir="$2" "${@:3}"
run "${posec3d[@]}" evaluate --workdir="$2"
run "${posec3d[@]}" report --workdir="$2"
