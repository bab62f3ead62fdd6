#!/usr/bin/env bash
# Trains and tests one config on all GPUs of this machine: one process, no launcher.
#
#   experiments/train_gpu.sh configs/ntu60_xsub.py:joint runs/ntu60_xsub_joint [--config.KEY=VALUE ...]
#
# Further arguments go to the training. CUDA_VISIBLE_DEVICES=0,1 uses two of the GPUs. Started again
# with the same directory it resumes; a finished run is only tested.
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
config=$1 workdir=$2
shift 2

cd "$(dirname "$0")/.."
python - <<'PYTHON'
import jax

if jax.default_backend() != "gpu":
    raise SystemExit('JAX sees no GPU here: pip install -e ".[cuda,tf]", and look at nvidia-smi')
print(f"{jax.device_count()} x {jax.devices()[0].device_kind}")
PYTHON

posec3d train --config="$config" --workdir="$workdir" "$@"
posec3d evaluate --workdir="$workdir"
posec3d report --workdir="$workdir"
