"""Command line: `posec3d COMMAND --config=... --workdir=...`; flags, start-up, dispatch."""

import sys
import traceback

from posec3d_jax.flags import USAGE, find_configs, parse
from posec3d_jax.machine.distributed import exit_at_once, join
from posec3d_jax.machine.host import quiet_libraries, tune_process, use_compilation_cache


def run() -> None:
    """Entry point of the console script."""
    tune_process()
    find_configs(sys.argv)
    from absl import app

    app.run(_main, flags_parser=parse)


def _main(argv: list[str]) -> None:
    from absl import flags

    command = argv[1] if len(argv) > 1 else ""
    if command not in COMMANDS:
        sys.exit(f"posec3d: unknown command {command!r}\n\n{USAGE}")
    quiet_libraries()
    use_compilation_cache()
    try:
        numbers = flags.FLAGS.num_processes, flags.FLAGS.process_id
        if _many(flags.FLAGS):
            join(flags.FLAGS.coordinator, *numbers)
        elif numbers != (None, None):
            raise ValueError("--num_processes and --process_id need --coordinator or --multihost")
        COMMANDS[command](flags.FLAGS, argv[2:])
    except Exception as error:
        _fail(command, error, flags.FLAGS)


def _many(flags) -> bool:
    """Whether this process is one of several."""
    return flags.multihost or bool(flags.coordinator)


def _fail(command: str, error: Exception, flags) -> None:
    """Ends the program: with a line where the error is one for people, else with a traceback."""
    told = isinstance(error, ValueError | OSError | FloatingPointError)
    if not _many(flags):
        if flags.traceback or not told:
            raise error
        sys.exit(f"posec3d {command}: {error}")
    if flags.traceback or not told:
        traceback.print_exception(error)
    print(
        f"posec3d {command}: {error}\nThis process ends, and with it the job. If another one ended "
        "first, its output says why",
        file=sys.stderr,
    )
    exit_at_once(1)


def _config(flags):
    """The config of the command line, else that of the run in --workdir."""
    from posec3d_jax.config import stored
    from posec3d_jax.config.ranges import check_ranges

    if flags.config is not None:
        return check_ranges(flags.config)
    if not flags.workdir:
        raise ValueError("expected --config=FILE (or --workdir of a run that has one)")
    return stored.load_config(flags.workdir)


def _need(value: str, flag: str) -> str:
    if not value:
        raise ValueError(f"expected --{flag}=...")
    return value


def _prepare(flags, rest) -> None:
    from posec3d_jax.prepare import prepare

    prepare(_config(flags).data, skip_bad=flags.skip_bad, overwrite=flags.overwrite)


def _inspect(flags, rest) -> None:
    from posec3d_jax.reports.inspection import describe, draw_clips, inspect_dataset, pick_clips

    data_dir = flags.data_dir or _config(flags).data.dir
    print(describe(inspect_dataset(data_dir)))
    if not flags.out:
        return
    from posec3d_jax.data.stored.sources import open_source
    from posec3d_jax.reports.preview import volume_of

    config = _config(flags)
    source = open_source(config.data, flags.split or config.data.test_split)
    chosen = pick_clips(source, flags.clips, flags.draw)
    kind = "keypoints" if config.volume.keypoints else "limbs"
    for path in draw_clips(source, chosen, flags.out, volume_of(config), kind):
        print(path)


def _train(flags, rest) -> None:
    from posec3d_jax.train import train_and_evaluate

    workdir = _need(flags.workdir, "workdir")
    train_and_evaluate(_config(flags), workdir, resume_anyway=flags.resume_anyway)


def _evaluate(flags, rest) -> None:
    from posec3d_jax.evaluate import evaluate
    from posec3d_jax.steps.protocol import protocols

    config = _config(flags)
    one, many = protocols(config)
    evaluate(
        config,
        _need(flags.workdir, "workdir"),
        checkpoint=flags.checkpoint,
        split=flags.split,
        chosen={"both": (one, many), "one": (one,), "many": (many,)}[flags.protocol],
        record=flags.record,
    )


def _report(flags, rest) -> None:
    from posec3d_jax.reports.report import write_report

    print(write_report(_need(flags.workdir, "workdir")))


def _fuse(flags, rest) -> None:
    from posec3d_jax.fuse import fuse_runs

    weights = [float(weight) for weight in flags.weights]
    print(fuse_runs(rest, weights, flags.out, flags.record))


def _predict(flags, rest) -> None:
    from posec3d_jax.config.stored import load_config
    from posec3d_jax.predict import load_clip, load_predictor
    from posec3d_jax.steps.protocol import protocols

    clip = load_clip(_need(flags.input, "input"))
    workdir = _need(flags.workdir, "workdir")
    one, many = protocols(load_config(workdir))
    protocol = many if flags.protocol == "many" else one
    predictor = load_predictor(workdir, flags.checkpoint, protocol)
    result = predictor(*clip)
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for name, probability in result.top():
        print(f"{probability:.4f}  {name}")


def _summary(flags, rest) -> None:
    from posec3d_jax.reports.summary import summarize

    print(summarize(_config(flags)))


def _import_weights(flags, rest) -> None:
    from posec3d_jax.weights.importing import import_weights

    if len(rest) != 1:
        raise ValueError("expected one checkpoint: posec3d import-weights FILE --config --out")
    print(import_weights(rest[0], _config(flags), _need(flags.out, "out")))


def _export_weights(flags, rest) -> None:
    from posec3d_jax.weights.exporting import export_weights

    workdir, out = _need(flags.workdir, "workdir"), _need(flags.out, "out")
    print(export_weights(workdir, _config(flags), out, checkpoint=flags.checkpoint))


def _weights(flags, rest) -> None:
    from posec3d_jax.weights.getting import get_weights
    from posec3d_jax.weights.index import matching, table

    if rest[:1] == ["list"]:
        print(table(matching(rest[1:])))
    elif rest[:1] == ["get"] and len(rest) == 2:
        file, out = flags["from"].value, _need(flags.out, "out")
        print(get_weights(rest[1], out, file=file, config=flags.config))
    else:
        raise ValueError("expected `weights list [WORDS]` or `weights get NAME --out=RUN`")


COMMANDS = {
    "prepare": _prepare,
    "inspect": _inspect,
    "train": _train,
    "evaluate": _evaluate,
    "report": _report,
    "fuse": _fuse,
    "predict": _predict,
    "summary": _summary,
    "import-weights": _import_weights,
    "export-weights": _export_weights,
    "weights": _weights,
}

if __name__ == "__main__":
    run()
