"""Command lines made at random: commands, configs, and odd values for their keys and flags."""

import contextlib
import io
import random
import runpy
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from posec3d_jax import flags as cli
from posec3d_jax.commands.table import COMMANDS
from posec3d_jax.config import base

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
CONFIGS += ["demo", "demo:limb", "dem"]
KEYS = cli.config_keys(base.get_config())
FLAGS = ["workdir", "num_processes", "process_id", "coordinator", "protocol", "draw", "clips"]
FLAGS += ["weights", "multihost", "config", "traceback", "confi", "", "flagfile", "undefok", "out"]
NAMES = [command.name for command in COMMANDS]
VALUES = ["", "0", "-1", "1e999", "nan", "-inf", "9" * 400, "0x10", "1_000", "True", "None", "x"]
VALUES += ["'", '"', "\\", "()", "(1,", "(1, 2)", "((1, 2), 3)", "[1]", "{1: 2}", "1,2", "a b", "é"]
VALUES += ["__import__('os').system('true')", "lambda: 0", "os.system", "(" * 500, "-" * 500 + "1"]
VALUES += ["@x", "{}", "%s", "\n", "\ud800", "../../x", "/dev/zero", "/etc/passwd", "x" * 100_000]


def command_lines(rng: random.Random, count: int) -> Iterator[list[str]]:
    """`count` of them, without the program's name."""
    for _ in range(count):
        line = [rng.choice([*NAMES, "", "--help", "help", "prepar", "--"])]
        if rng.random() < 0.9:
            config = rng.choice(CONFIGS)
            line += ["--config", config] if rng.random() < 0.2 else [f"--config={config}"]
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
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            cli.parse(["posec3d", *line])
    except SystemExit as end:
        message = end.code if isinstance(end.code, str) else said.getvalue()
        if "Traceback" in message:
            raise AssertionError(message) from end
        raise ValueError(message[:10_000]) from end
    finally:
        flags.FLAGS.unparse_flags()
