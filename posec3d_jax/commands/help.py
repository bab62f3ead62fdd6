"""What `posec3d --help` and `posec3d COMMAND --help` print, and which word was meant."""

import difflib
import textwrap
from collections.abc import Iterable

from posec3d_jax.commands.request import Command, Flag
from posec3d_jax.commands.table import COMMANDS, COMMON

_ABOUT_CONFIGS = """\
A config is a Python file, or the name of a packaged one (`posec3d configs` lists them), with an
optional variant: --config=mine.py, --config=penn_action:limb. Any of its keys can be set:
--config.optimizer.learning_rate=0.1. `posec3d help config` explains every key."""


def overview() -> str:
    """All commands in a line each."""
    lines = [f"  {command.name:<16}{command.help}" for command in COMMANDS]
    return "\n".join(
        [
            "posec3d COMMAND [flags]",
            "",
            *lines,
            "",
            "`posec3d COMMAND --help` lists its flags; `posec3d --version` tells the version.",
            "",
            _ABOUT_CONFIGS,
        ]
    )


def describe(command: Command) -> str:
    """One command with its flags and their defaults."""
    parts = ["posec3d", command.name, command.arguments, "[flags]"]
    lines = [" ".join(filter(None, parts)), f"  {command.help}", ""]
    if command.config:
        run = " (default: that of the run)" * (command.config == "run")
        lines += _entry("--config=FILE", f"Config file or packaged config, :variant.{run}")
        lines += _entry("--config.KEY=VALUE", "Sets a key of it. `posec3d help config` lists them.")
    for flag in command.flags:
        lines += _entry(*_words(flag))
    lines += ["", "Every command takes"]
    for flag in COMMON:
        lines += _entry(*_words(flag))
    lines += _entry("--flagfile=FILE", "Flags from a file, one a line.")
    lines += ["and flags of the logging library, such as --verbosity=-1 (only warnings)."]
    return "\n".join(lines)


def _words(flag: Flag) -> tuple[str, str]:
    """A flag as it is typed, and what it is for."""
    if flag.kind is bool:
        typed = f"--[no]{flag.name}" if flag.default else f"--{flag.name}"
        return typed, f"{flag.help} (default: {'yes' if flag.default else 'no'})"
    kinds = {int: "N", float: "X", list: "A,B,..."}
    value = "|".join(filter(None, flag.choices)) or kinds.get(flag.kind, "...")
    shown = "none" if flag.default in ("", None, []) else flag.default
    return f"--{flag.name}={value}", f"{flag.help} (default: {shown})"


def _entry(left: str, right: str) -> list[str]:
    """The lines of a flag: what is typed to the left, unless it is too long, or above."""
    first, *rest = textwrap.wrap(right, 70)
    head = [f"  {left:<28}{first}"] if len(left) < 28 else [f"  {left}", " " * 30 + first]
    return [*head, *(" " * 30 + line for line in rest)]


def suggestion(word: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' with the nearest of the known words, or ''.

    Up to three where none of them is much nearer than the others.
    """
    known = list(known)
    close = difflib.get_close_matches(word, known, 1, 0.85) or difflib.get_close_matches(
        word, known, 3, 0.5
    )
    return f"; did you mean {' or '.join(close)}?" if close else ""
