"""Arguments of the commands: flags, configs and what to say of a mistake in them."""

import difflib
import runpy
import sys
from pathlib import Path

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
  weights list    published checkpoints by name           [WORDS]
  weights get     download one and import it              NAME --out [--from]

A config is a Python file with an optional variant: --config=configs/penn_action.py:limb. Any of its
keys can be set: --config.optimizer.learning_rate=0.1. `posec3d --help` lists every flag."""


def find_configs(argv: list[str]) -> None:
    """Makes `from configs import ...` work inside a config, wherever it and its user are."""
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
    flags.DEFINE_string(
        "from", "", "weights get: the checkpoint's file, where there is no network."
    )
    flags.DEFINE_string("input", "", "predict: the clip.")


def parse(argv: list[str]) -> list[str]:
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
            return f"there is no key {name}{hint}\nposec3d_jax/config/base.py lists every key"
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
                raise ValueError(f"--config={path} has no function get_config; see config/base.py")
            return names["get_config"](*variant)
    return {}


def _flatten(config, prefix: str = "") -> list[str]:
    keys = []
    for key, value in config.items():
        keys.append(prefix + key)
        if hasattr(value, "items"):
            keys += _flatten(value, f"{prefix}{key}.")
    return keys
