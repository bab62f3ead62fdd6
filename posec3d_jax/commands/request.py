"""Commands and flags as data, and what a command is asked for on the command line."""

from dataclasses import dataclass
from typing import Any, Literal


class PathText(str):
    """The kind of a flag that names a file or folder: '~' is the user's home."""


class PlaceText(PathText):
    """The same of a run or data set, which may be in a bucket, too."""


@dataclass(frozen=True)
class Flag:
    """One `--name=value`."""

    name: str
    kind: type  # str, PathText, PlaceText, bool, int, float, or list: words separated by commas
    default: Any
    help: str
    choices: tuple[str, ...] = ()  # of kind str: what it may be; () for anything


@dataclass(frozen=True)
class Command:
    """One `posec3d NAME`; function `run` of posec3d_jax/commands/NAME.py ('-' is '_') does it."""

    name: str
    help: str  # one line
    flags: tuple[Flag, ...] = ()
    arguments: str = ""  # what may follow without a flag, as in 'SCORES SCORES ...'
    # 'file': takes --config=FILE and any --config.KEY=...; 'run': the same, and without --config
    # the config of the run in --workdir; '': neither.
    config: Literal["", "file", "run"] = ""

    @property
    def module(self) -> str:
        """The dotted name of the module with its function `run`."""
        return f"posec3d_jax.commands.{self.name.replace('-', '_')}"


@dataclass(frozen=True)
class Request:
    """What was typed: the command, its flags' values, its config, and what stands without a flag.

    `options` has an attribute for each flag of the command; `settings` is the checked and locked
    config, or None where none was named.
    """

    command: Command
    options: Any
    settings: Any = None
    arguments: tuple[str, ...] = ()

    @property
    def config(self) -> Any:
        """The config. Raises ValueError where none was named."""
        if self.settings is None:
            run = " (or --workdir of a run that has one)" * (self.command.config == "run")
            raise ValueError(f"expected --config=FILE{run}")
        return self.settings

    def need(self, flag: str) -> Any:
        """The value of a flag that must be given. Raises ValueError where it was not."""
        if not getattr(self.options, flag):
            raise ValueError(f"expected --{flag}=...")
        return getattr(self.options, flag)

    @property
    def workdir(self) -> Any:
        """The run of --workdir; without it, the model in the package made into one."""
        if self.options.workdir:
            return self.options.workdir
        from posec3d_jax.weights.builtin import builtin_run

        return builtin_run()
