#!/usr/bin/env bash
# Trains and tests one config on all hosts of a Cloud TPU slice: the same program on every host.
#
#   export TPU=<name> ZONE=<zone>
#   experiments/train_tpu_pod.sh setup
#   experiments/train_tpu_pod.sh train configs/ntu60_xsub.py:joint /mnt/shared/runs/ntu60_xsub_joint \
#       --config.data.dir=/mnt/shared/data/ntu60 [--config.KEY=VALUE ...]
#
# `setup` copies the last commit to all hosts and installs it there. The data set and the run's
# directory must be on storage that every host sees under the same path. Started again with the same
# directory, `train` resumes. REMOTE_PYTHON (default python3) is the hosts' Python, 3.11 or newer.
set -euo pipefail

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

on_all_hosts() {
  gcloud compute tpus tpu-vm ssh "$TPU" --zone="$ZONE" --worker=all --command="$1"
}

setup() {
  local archive
  archive=$(mktemp -d)/posec3d_jax.tar.gz
  git archive --format=tar.gz --output="$archive" HEAD
  gcloud compute tpus tpu-vm scp "$archive" "$TPU:posec3d_jax.tar.gz" --zone="$ZONE" --worker=all
  on_all_hosts "set -e
    mkdir -p posec3d_jax && tar -xzf posec3d_jax.tar.gz -C posec3d_jax && cd posec3d_jax
    ${REMOTE_PYTHON:-python3} -m venv .venv
    .venv/bin/pip install --quiet -e '.[tpu,tf]'"
}

train() {
  local config=$1 workdir=$2 arguments
  shift 2
  arguments=$(printf ' %q' --multihost --config="$config" --workdir="$workdir" "$@")
  on_all_hosts "cd posec3d_jax && .venv/bin/posec3d train$arguments &&
    .venv/bin/posec3d evaluate --multihost$(printf ' %q' --workdir="$workdir")"
}

cd "$(dirname "$0")/.."
: "${TPU:?is the name of the TPU slice, see the head of this script}"
: "${ZONE:?is its zone, see the head of this script}"
case "${1:-}" in
  setup) setup ;;
  train)
    shift
    [ $# -ge 2 ] || usage
    train "$@"
    ;;
  *) usage ;;
esac
