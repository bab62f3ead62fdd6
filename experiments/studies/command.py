"""The command line that all studies share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from absl import app, flags

from experiments.studies.presets import PRESETS, prepare_once
from experiments.studies.report import Study, write_study
from experiments.studies.runs import Job, run_jobs, trainings
from posec3d_jax.machine.host import quiet_libraries, tune_process, use_compilation_cache

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Command:
    """The parts of a study, as functions; each takes the name of the preset."""

    data: Callable[[str], Sequence[Any]]  # configs whose data sets have to be prepared
    jobs: Callable[[str, Sequence[int]], Sequence[Job]]  # also takes the seeds
    report: Callable[[str, Rows], Study]
    frames: Mapping[str, int] = field(default_factory=dict)  # short side of RGB to store, by preset
    measure: Callable[[str, Path], Rows] = lambda preset, folder: []  # rows that need no training
    derive: Callable[[Rows, Path], Rows] = lambda rows, folder: []  # rows that follow from others


def start(command: Command) -> None:
    """Runs a study from the command line."""
    tune_process()
    flags.DEFINE_enum("preset", "small", PRESETS, "The size: for two CPU cores, or the paper's.")
    flags.DEFINE_string("workdir", "runs/studies", "Where trainings go; studies share them.")
    flags.DEFINE_string("out", "", "Where the report goes; '' for <workdir>/reports.")
    flags.DEFINE_list("seeds", ["0", "1", "2"], "One training each.")
    flags.DEFINE_multi_string("source", [], "<format>=<file or folder> of a data set to prepare.")
    flags.DEFINE_multi_string("videos", [], "<format>=<folder> of the clips' videos, for RGB.")
    flags.DEFINE_list("networks", None, "Train only these; '' for none: costs alone.")
    flags.DEFINE_list("data_sets", None, "Only these, where a study has several.")
    app.run(lambda argv: _main(command))


def _main(command: Command) -> None:
    options = flags.FLAGS
    quiet_libraries()
    use_compilation_cache()
    sources = dict(pair.split("=", 1) for pair in options.source)
    videos = dict(pair.split("=", 1) for pair in options.videos)
    jobs = command.jobs(options.preset, [int(seed) for seed in options.seeds])
    jobs = choose(jobs, options.networks)
    jobs = choose(jobs, options.data_sets, "data set") if options.data_sets else jobs
    used = {config.data.dir for job in jobs for config in _configs(job)}
    for config in command.data(options.preset) if jobs else ():
        if config.data.dir in used:
            prepare_once(config, sources, videos, command.frames.get(options.preset, 0))
    folder = Path(options.workdir) / options.preset
    rows = command.measure(options.preset, folder) + run_jobs(jobs, folder)
    rows += command.derive(rows, folder)
    study = command.report(options.preset, rows)
    study = replace(study, facts={**study.facts, "trainings": trainings(rows, folder)})
    for path in write_study(study, options.out or Path(options.workdir) / "reports"):
        print(path)


def choose(
    jobs: Sequence[Job], wanted: Sequence[str] | None, fact: str = "network"
) -> Sequence[Job]:
    """The jobs of these networks, or of other values of another fact; None is all of them.

    Raises:
      ValueError: no job is of such a one.
    """
    known = {job.facts.get(fact) for job in jobs}
    wanted = known if wanted is None else {name for name in wanted if name}
    if unknown := sorted(wanted - known):
        raise ValueError(
            f"--{fact.replace(' ', '_')}s has {unknown}; this study has {sorted(known, key=str)}"
        )
    return [job for job in jobs if job.facts.get(fact) in wanted]


def _configs(job: Job) -> Iterator[Any]:
    """Of a job, its tests, and those that follow it."""
    yield job.config
    yield from (test.config for test in job.tests)
    for follower in job.then:
        yield from _configs(follower)
