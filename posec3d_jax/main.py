"""Command line: `posec3d COMMAND --config=... --workdir=...`; flags, start-up, dispatch."""

import difflib
import runpy
import sys
import traceback
from pathlib import Path

from posec3d_jax.distributed import exit_at_once, join
from posec3d_jax.host import quiet_libraries, tune_process, use_compilation_cache

USAGE = """posec3d COMMAND [flags]

  prepare     annotation files -> a data set on disk      --config [--skip_bad --overwrite]
  inspect     what is in a data set, and pictures of it   --config | --data_dir, [--out --clips]
  train       train, or resume a run                      --config --workdir [--resume_anyway]
  evaluate    test a run; prints and stores metrics       --workdir [--checkpoint --split --record]
  report      an HTML page of a run                       --workdir
  fuse        add up saved scores of several streams      SCORES SCORES ... [--weights --out]
  predict     recognise one clip (.npz: keypoint, score, frame_size)   --workdir --input
  summary     layers, parameters and multiply-adds        --config
  import-weights  a PYSKL or mmaction2 checkpoint (.pth, .safetensors)   FILE --config --out
  export-weights  a run's weights under the same names    --workdir --out [--checkpoint]

A config is a Python file with an optional variant: --config=configs/penn_action.py:limb. Any of its
keys can be set: --config.optimizer.learning_rate=0.1. `posec3d --help` lists every flag."""


def run() -> None:
    """Entry point of the console script."""
    tune_process()
    _find_configs(sys.argv)
    from absl import app

    app.run(_main, flags_parser=_parse)


def _find_configs(argv: list[str]) -> None:
    """Makes `from configs import base` work inside a config, wherever it and its user are."""
    folders = [Path.cwd(), Path(__file__).resolve().parents[1]]
    for argument in argv:
        if argument.startswith(("--config=", "-config=")):
            path = Path(argument.split("=", 1)[1].split(":", 1)[0]).resolve()
            folders = [path.parent.parent, *folders]
    sys.path[:0] = [str(folder) for folder in folders if (folder / "configs").is_dir()]


def _define_flags() -> None:
    from absl import flags
    from ml_collections import config_flags

    config_flags.DEFINE_config_file("config", None, "Config file, file.py or file.py:variant.")
    flags.DEFINE_string("workdir", "", "Directory of the run.")
    flags.DEFINE_bool("multihost", False, "Join the other processes of a TPU pod or Slurm job.")
    flags.DEFINE_string("coordinator", "", "Join them elsewhere: host:port of process 0.")
    flags.DEFINE_integer("num_processes", None, "With --coordinator: how many processes there are.")
    flags.DEFINE_integer("process_id", None, "With --coordinator: number of this process, from 0.")
    flags.DEFINE_bool(
        "resume_anyway", False, "train: go on though config, data or code differ; they are logged."
    )
    flags.DEFINE_bool("traceback", False, "Show where in the program an error was raised.")
    flags.DEFINE_bool("skip_bad", False, "prepare: leave bad samples out instead of refusing.")
    flags.DEFINE_bool("overwrite", False, "prepare: replace the data set that is there.")
    flags.DEFINE_string("data_dir", "", "inspect: a prepared data set, instead of the config's.")
    flags.DEFINE_list("clips", [], "inspect: names of clips to draw.")
    flags.DEFINE_integer("draw", 4, "inspect: how many clips to draw if none are named.")
    flags.DEFINE_string("out", "", "inspect, fuse, import-, export-weights: where to write.")
    flags.DEFINE_string("checkpoint", "latest", "'latest', 'best', a step, or a folder.")
    flags.DEFINE_string("split", "", "evaluate, inspect: split; default: config.data.test_split.")
    flags.DEFINE_enum(
        "protocol",
        "both",
        ["both", "one", "many"],
        "evaluate: one clip, many clips (x flip). predict: one unless it is 'many'.",
    )
    flags.DEFINE_string("record", "", "evaluate, fuse: JSON file for the result and its origin.")
    flags.DEFINE_list("weights", [], "fuse: one weight a stream; default: equal.")
    flags.DEFINE_string("input", "", "predict: the clip.")


def _parse(argv: list[str]) -> list[str]:
    """absl's parser with readable errors for what is not in a config."""
    from absl import app

    if len(argv) < 2 or argv[1] in ("-h", "--help", "help"):
        print(USAGE)
        if len(argv) < 2:
            sys.exit(2)
    config = {}
    try:
        _check_files(argv)
        _define_flags()
        config = _load_config(argv)  # absl would wrap what is wrong with it in a traceback
        return app.parse_flags_with_usage(argv)
    except Exception as error:  # a config is a program; what is wrong with it can be anything
        if "--traceback" in argv:
            raise
        sys.exit(f"posec3d: {_explain(argv, config, error)}")


def _explain(argv: list[str], config, error: Exception) -> str:
    """Which override names a key that the config does not have, with the nearest one there is."""
    message = f"{type(error).__name__}: {error}"
    if not config or not isinstance(error, AttributeError | KeyError):
        return message
    keys = [f"config.{key}" for key in _flatten(config)]
    for argument in argv:
        name = argument.lstrip("-").split("=", 1)[0]
        if name.startswith("config.") and name not in keys:
            close = difflib.get_close_matches(name, keys, 3, 0.5)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            return f"there is no key {name}{hint}\nconfigs/base.py lists every key"
    return message


def _check_files(argv: list[str]) -> None:
    """ValueError for a config or file of flags that is none: a device would be read without end."""
    for argument in argv:
        name, _, path = argument.lstrip("-").partition("=")
        path = Path(path.split(":", 1)[0] if name == "config" else path)
        if name in ("config", "flagfile") and path.exists() and not path.is_file():
            raise ValueError(f"--{name}={path} is no regular file")


def _load_config(argv: list[str]):
    """The config without its overrides; {} if none is named. Of several the last counts."""
    for argument in reversed(argv):
        if argument.lstrip("-").startswith("config="):
            path, *variant = argument.split("=", 1)[1].split(":", 1)
            names = runpy.run_path(path)
            if "get_config" not in names:
                raise ValueError(f"--config={path} has no function get_config; see configs/base.py")
            return names["get_config"](*variant)
    return {}


def _flatten(config, prefix: str = "") -> list[str]:
    keys = []
    for key, value in config.items():
        keys.append(prefix + key)
        if hasattr(value, "items"):
            keys += _flatten(value, f"{prefix}{key}.")
    return keys


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
    from posec3d_jax import provenance
    from posec3d_jax.config_ranges import check_ranges

    if flags.config is not None:
        return check_ranges(flags.config)
    if not flags.workdir:
        raise ValueError("expected --config=FILE (or --workdir of a run that has one)")
    return provenance.load_config(flags.workdir)


def _need(value: str, flag: str) -> str:
    if not value:
        raise ValueError(f"expected --{flag}=...")
    return value


def _prepare(flags, rest) -> None:
    from posec3d_jax.prepare import prepare

    prepare(_config(flags).data, skip_bad=flags.skip_bad, overwrite=flags.overwrite)


def _inspect(flags, rest) -> None:
    from posec3d_jax.inspection import describe, draw_clips, inspect_dataset, pick_clips

    data_dir = flags.data_dir or _config(flags).data.dir
    print(describe(inspect_dataset(data_dir)))
    if not flags.out:
        return
    from posec3d_jax.data.sources import open_source
    from posec3d_jax.preview import volume_of

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
    from posec3d_jax.evaluate import evaluate, protocols

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
    from posec3d_jax.reports import write_report

    print(write_report(_need(flags.workdir, "workdir")))


def _fuse(flags, rest) -> None:
    from posec3d_jax.fusion import fuse_runs

    weights = [float(weight) for weight in flags.weights]
    print(fuse_runs(rest, weights, flags.out, flags.record))


def _predict(flags, rest) -> None:
    from posec3d_jax.evaluate import protocols
    from posec3d_jax.predict import load_clip, load_predictor
    from posec3d_jax.provenance import load_config

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
    from posec3d_jax.summary import summarize

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
}

if __name__ == "__main__":
    run()
