"""The command line that all studies share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from absl import app, flags

from experiments.studies.presets import PRESETS, prepare_once
from experiments.studies.report import Study, write_study
from experiments.studies.runs import Job, run_jobs, trainings
from posec3d_jax.host import quiet_libraries, tune_process, use_compilation_cache

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Command:
    """What a study's file gives; each takes the preset's name."""

    data: Callable[[str], Sequence[Any]]  # configs whose data sets have to be prepared
    jobs: Callable[[str, Sequence[int]], Sequence[Job]]  # also takes the seeds
    report: Callable[[str, Rows], Study]


def start(command: Command) -> None:
    """Runs a study as a program; to be called where a study's file is the main one."""
    tune_process()
    flags.DEFINE_enum("preset", "small", PRESETS, "The size: for two CPU cores, or the paper's.")
    flags.DEFINE_string("workdir", "runs/studies", "Where trainings go; studies share them.")
    flags.DEFINE_string("out", "", "Where the report goes; '' for <workdir>/reports.")
    flags.DEFINE_list("seeds", ["0", "1", "2"], "One training each.")
    flags.DEFINE_multi_string("source", [], "<format>=<file or folder> of a data set to prepare.")
    app.run(lambda argv: _main(command))


def _main(command: Command) -> None:
    options = flags.FLAGS
    quiet_libraries()
    use_compilation_cache()
    sources = dict(pair.split("=", 1) for pair in options.source)
    for config in command.data(options.preset):
        prepare_once(config, sources)
    jobs = command.jobs(options.preset, [int(seed) for seed in options.seeds])
    folder = Path(options.workdir) / options.preset
    rows = run_jobs(jobs, folder)
    study = command.report(options.preset, rows)
    study = replace(study, facts={**study.facts, "trainings": trainings(rows, folder)})
    for path in write_study(study, options.out or Path(options.workdir) / "reports"):
        print(path)
