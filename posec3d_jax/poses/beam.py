"""Videos shared out by Apache Beam: in this process, or on Dataflow, Flink or Spark by its options.

Beam is an extra for an environment of its own, see docs/video.md; only this file imports it.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from posec3d_jax.poses.gathering import Job, note, report_file
from posec3d_jax.poses.workers import Opener


class _Work(beam.DoFn):
    """Each of Beam's workers opens one estimator, and keeps it."""

    def __init__(self, opener: Opener, out: str) -> None:
        self._opener, self._out = opener, out

    def setup(self) -> None:
        self._worker = self._opener(0)

    def process(self, job: Job) -> Iterator[str]:
        """Leaves clips and report in the folder; a result that came twice is the same twice."""
        report = self._worker(job, Path(self._out))
        if "error" in report:
            note(Path(self._out), report)
        yield job.name


def run_on_beam(
    jobs: list[Job], out: Path, opener: Opener, options: Sequence[str]
) -> Iterator[dict]:
    """What the worker says of each video, as `workers.run_jobs`, once all are done.

    Args:
      jobs: the videos; their files must be readable by Beam's workers under these names.
      out: the folder, for the worker; one that all of Beam's workers see, such as NFS.
      opener: makes the worker, once in each of Beam's.
      options: Beam's own, such as '--runner=FlinkRunner'; none: all in this process.

    Raises:
      Exception: what Beam raises, or the worker.
    """
    with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
        work = beam.ParDo(_Work(opener, str(out.absolute())))
        # Without the shuffle a runner would keep all videos on the worker that listed them.
        _ = pipeline | beam.Create(jobs) | beam.Reshuffle() | work
    for job in jobs:
        yield json.loads(report_file(out, job.name).read_text("utf-8"))
