"""`posec3d extract`."""

import shlex
import sys

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Finds people in videos and writes their keypoints."""
    from posec3d_jax.extract import ExtractSettings, extract
    from posec3d_jax.poses.recording import RecordingSettings

    options = request.options
    settings = ExtractSettings(
        options.estimator,
        options.heatmaps,
        RecordingSettings(
            every=options.every,
            search_every=options.search_every,
            shortest=options.shortest,
            segment=options.segment,
        ),
    )
    result = extract(
        request.arguments,
        request.need("out"),
        settings,
        labels=options.labels,
        shard=_shard(options.shard),
        workers=options.workers,
        beam=None if options.beam is None else shlex.split(options.beam),
        pickle=options.pickle,
    )
    print(f"{result['done']} videos done, {result['before']} before, {result['failed']} failed")
    if result["failed"]:
        sys.exit(1)


def _shard(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()):
        raise ValueError(f"--shard={text:.50}: expected two numbers, as in 2/8")
    return int(number), int(count)
