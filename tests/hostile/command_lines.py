"""Command lines made at random: commands, configs, and odd values for their keys and flags."""

import contextlib
import io
import random
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from posec3d_jax import flags as cli
from posec3d_jax import main
from posec3d_jax.config import base
from posec3d_jax.config.ranges import check_ranges

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = [f"configs/{path.name}" for path in sorted((ROOT / "configs").glob("[a-z]*.py"))]
for config in CONFIGS:  # what they import is imported now: Python defines dataclasses by exec
    runpy.run_path(str(ROOT / config)).get("get_config", dict)()
CONFIGS += [
    "configs/demo.py:limb",
    "configs/demo.py:x:y",
    "configs",
    "/dev/null",
    "",
    "no.py",
    "\0",
]
KEYS = [f"config.{key}" for key in cli._flatten(base.get_config())]
FLAGS = ["workdir", "num_processes", "process_id", "coordinator", "protocol", "draw", "clips"]
FLAGS += ["weights", "multihost", "config", "traceback", "confi", "", "flagfile", "undefok"]
VALUES = ["", "0", "-1", "1e999", "nan", "-inf", "9" * 400, "0x10", "1_000", "True", "None", "x"]
VALUES += ["'", '"', "\\", "()", "(1,", "(1, 2)", "((1, 2), 3)", "[1]", "{1: 2}", "1,2", "a b", "é"]
VALUES += ["__import__('os').system('true')", "lambda: 0", "os.system", "(" * 500, "-" * 500 + "1"]
VALUES += ["@x", "{}", "%s", "\n", "\ud800", "../../x", "/dev/zero", "/etc/passwd", "x" * 100_000]


def command_lines(rng: random.Random, count: int) -> Iterator[list[str]]:
    """`count` of them, without the program's name."""
    for _ in range(count):
        line = [rng.choice([*main.COMMANDS, "", "--help", "prepar", "--"])]
        line += [f"--config={rng.choice(CONFIGS)}"] * (rng.random() < 0.9)
        for _ in range(rng.randint(0, 3)):
            key = rng.choice(KEYS if rng.random() < 0.8 else FLAGS)
            key = key[:-1] if rng.random() < 0.05 else key
            line.append(f"--{key}={rng.choice(VALUES)}" if rng.random() < 0.95 else f"--{key}")
        yield line


def parse(line: list[str]) -> None:
    """Reads a command line up to where the command would begin.

    Raises:
      ValueError: the program would end there, with this message.
    """
    before, typed, said = set(flags.FLAGS), sys.argv, io.StringIO()
    sys.argv = ["posec3d", *line]  # where ml_collections looks for a config's keys
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            cli.parse(sys.argv)
        if flags.FLAGS.config is not None:
            check_ranges(flags.FLAGS.config)
    except SystemExit as end:
        message = end.code if isinstance(end.code, str) else said.getvalue()
        if "Traceback" in message:
            raise AssertionError(message) from end
        raise ValueError(message[:10_000]) from end
    finally:
        flags.FLAGS.unparse_flags()
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)
        sys.argv = typed
