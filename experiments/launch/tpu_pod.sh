#!/usr/bin/env bash
# Trains and tests one config on all hosts of a Cloud TPU slice: the same program on every host.
#
#   export TPU=<name> ZONE=<zone>
#   experiments/launch/tpu_pod.sh [--dry-run] train CONFIG WORKDIR [--config.KEY=VALUE ...]
#   experiments/launch/tpu_pod.sh [--dry-run] setup | logs FOLDER | stop
#
# `train` copies the last commit to all hosts, installs it where that was not done yet, starts every
# host, and shows their output. WORKDIR and config.data.dir must be on storage that every host sees
# under the same path. When the slice was preempted or the connection lost, make sure that the slice
# is up and give the same command again: the run resumes. `logs` fetches every host's log, `stop`
# ends the training after saving, `setup` only copies and installs. --dry-run prints the commands
# and runs nothing. REMOTE_PYTHON (default python3) is the hosts' Python, 3.11 or newer.
set -euo pipefail

usage() {
  sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
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

on_all_hosts() {
  run gcloud compute tpus tpu-vm ssh "$TPU" --zone="$ZONE" --worker=all --command="$1" "${@:2}"
}

setup() {
  local folder
  folder=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder's name as it is now
  trap "rm -rf $(printf %q "$folder")" EXIT
  run git -C "$root" archive --format=tar.gz --output="$folder/posec3d_jax.tar.gz" HEAD
  run gcloud compute tpus tpu-vm scp "$folder/posec3d_jax.tar.gz" "$TPU:posec3d_jax.tar.gz" \
    --zone="$ZONE" --worker=all
  # Installed again only when the requirements changed: a resumed run should start quickly.
  on_all_hosts "set -e
    rm -rf posec3d_jax && mkdir posec3d_jax && tar -xzf posec3d_jax.tar.gz -C posec3d_jax
    cd posec3d_jax
    cmp -s pyproject.toml ../posec3d_venv/pyproject.toml && exit
    ${REMOTE_PYTHON:-python3} -m venv ../posec3d_venv
    ../posec3d_venv/bin/pip install --quiet -e '.[tpu,tf]'
    cp pyproject.toml ../posec3d_venv/"
}

train() {
  local arguments workdir
  arguments=$(printf ' %q' --multihost --config="$1" --workdir="$2" "${@:3}")
  workdir=$(printf %q "$2")
  on_all_hosts "set -o pipefail; cd posec3d_jax && {
    ../posec3d_venv/bin/posec3d train$arguments &&
      ../posec3d_venv/bin/posec3d evaluate --multihost --workdir=$workdir
  } 2>&1 | tee -a ../posec3d.log"
}

logs() {
  run mkdir -p "$1"
  on_all_hosts "cat posec3d.log" --output-directory="$1"
}

stop() {
  # The brackets keep the pattern from matching the shell that holds it.
  on_all_hosts "pkill -TERM -f 'bin/[p]osec3d train' || true"
}

dry_run=no
if [ "${1:-}" = --dry-run ]; then
  dry_run=yes
  shift
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
: "${TPU:?is the name of the TPU slice, see the head of this script}"
: "${ZONE:?is its zone, see the head of this script}"
case "${1:-}:$#" in
  train:[01] | train:2) usage ;;
  train:*) [[ $2 != -* && $3 != -* ]] || usage
    setup
    train "${@:2}" ;;
  setup:1 | stop:1) "$1" ;;
  logs:2) logs "$2" ;;
  *) usage ;;
esac
