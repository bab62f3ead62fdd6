"""Trains and tests every fold of a data set, and averages the folds' figures into one result.

  python -m experiments.cross_validate --config=configs/sbu.py --folds=1,2,3,4,5 \
      --workdir=runs/sbu --record=results/sbu_joint.json

Fold n uses the variant `<stream>-fold<n>` of the config and the directory `<workdir>/fold<n>`.
Folds that are finished are not trained again. The reported accuracy is the mean over folds.
"""

from pathlib import Path

import numpy as np
from absl import app, flags
from ml_collections import ConfigDict

from posec3d_jax.config import stored
from posec3d_jax.config.files import read_config
from posec3d_jax.evaluate import evaluate
from posec3d_jax.files import disk
from posec3d_jax.machine.host import quiet_libraries, tune_process, use_compilation_cache
from posec3d_jax.runs import records
from posec3d_jax.train import train_and_evaluate

FIGURES = ("top1", "top5", "mean_class", "loss")


def main(argv: list[str]) -> None:
    options = flags.FLAGS
    quiet_libraries()
    use_compilation_cache()
    variants = {fold: f"{options.stream}-fold{fold}" for fold in options.folds}
    configs = {fold: read_config(f"{options.config}:{word}") for fold, word in variants.items()}
    cross_validate(configs, Path(options.workdir), options.record)


def cross_validate(configs: dict[str, ConfigDict], workdir: Path, record: str = "") -> None:
    """Trains and tests the config of each fold, prints the means, and writes them to `record`."""
    results = []
    for fold, config in configs.items():
        train_and_evaluate(config, workdir / f"fold{fold}")
        results.append(evaluate(config, workdir / f"fold{fold}"))
    means = average(results)
    for protocol, figures in means.items():
        print(f"mean of {len(results)} folds, {protocol}: top-1 {figures['top1']:.4f}")
    if record:
        _write_record(Path(record), configs, workdir, results, means)


def average(folds: list[dict[str, dict]]) -> dict[str, dict[str, float]]:
    """By protocol, the mean of each figure over folds."""
    return {
        protocol: {k: float(np.mean([fold[protocol][k] for fold in folds])) for k in FIGURES}
        for protocol in folds[0]
    }


def _write_record(
    path: Path, configs: dict[str, ConfigDict], workdir: Path, results: list[dict], means: dict
) -> None:
    config, protocol = list(configs.values())[-1], list(means)[-1]
    runs = [workdir / f"fold{fold}" / records.RUN_FILE for fold in configs]
    records.write_record(
        path,
        protocol=f"{protocol}, mean of {len(results)} folds",
        metrics=means[protocol],
        clips=sum(result[protocol]["clips"] for result in results),
        seed=config.seed,
        config=stored.config_to_dict(config),
        training=[disk.read_json(run) for run in runs],
        all_protocols=means,
        folds=results,
    )


if __name__ == "__main__":
    tune_process()
    flags.DEFINE_string("config", None, "File with variants <stream>-fold<n>.", required=True)
    flags.DEFINE_string("stream", "joint", "joint, limb or both.")
    flags.DEFINE_list("folds", ["1", "2", "3", "4", "5"], "Numbers of the folds.")
    flags.DEFINE_string("workdir", None, "Directory of the runs.", required=True)
    flags.DEFINE_string("record", "", "JSON file for the result; '' for none.")
    app.run(main)
