"""From what was typed to a request: flags of the command, its config with the keys that were set.

absl parses the flags and ml_collections the keys of the config. Here stands what they leave out:
each command takes its own flags only, files of flags and the config are read once, and mistakes
are told in a line.
"""

import ast
import sys
from typing import Any

from absl import flags as absl_flags

from posec3d_jax.commands.flag_files import expanded
from posec3d_jax.commands.help import describe, overview, suggestion
from posec3d_jax.commands.request import Command, Flag, PathText, PlaceText, Request
from posec3d_jax.commands.table import COMMANDS, COMMON
from posec3d_jax.config import stored
from posec3d_jax.config.checks import check_config
from posec3d_jax.config.files import run_config
from posec3d_jax.config.reference import explain
from posec3d_jax.files.buckets import is_address
from posec3d_jax.files.places import expand

_OPTIONS = "config.data.reader_options."
_HELP = ("-h", "-help", "--help", "--helpshort", "--helpfull")


def parse(argv: list[str]) -> Request:
    """What the command line asks for; ends the program where that is help, or not understood."""
    if len(argv) < 2 or argv[1] in (*_HELP, "help"):
        print(_help(argv[2:] if argv[1:2] == ["help"] else []))
        sys.exit(0 if len(argv) > 1 else 2)
    if argv[1] in ("--version", "version"):
        print(f"posec3d-jax {version()}")
        sys.exit(0)
    command = _find_command(argv[1])
    if set(argv) & set(_HELP):
        print(describe(command))
        sys.exit(0)
    try:
        return read_request(command, argv[2:])
    except Exception as error:  # a config is a program; what is wrong with it can be anything
        if "--traceback" in argv and not isinstance(error, absl_flags.Error):
            raise
        expected = isinstance(error, ValueError | OSError | absl_flags.Error)
        plain = expected and type(error) is not UnicodeDecodeError
        named = "" if plain else f"{type(error).__name__}: "
        sys.exit(f"posec3d {command.name}: {named}{error}")


def version() -> str:
    """Of the installed package; a clone that is only looked at has none."""
    from importlib import metadata  # here: it takes long to load, and is seldom asked for

    try:
        return metadata.version("posec3d-jax")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _help(topics: list[str]) -> str:
    """Of nothing the overview, of a command its flags, of 'config' or 'config.train' the keys."""
    if not topics:
        return overview()
    topic = topics[0].lstrip("-")
    if topic == "config" or topic.startswith("config."):
        try:
            return explain(topic.removeprefix("config").lstrip("."))
        except ValueError as error:
            sys.exit(f"posec3d help: {error}")
    return describe(_find_command(topic))


def _find_command(name: str) -> Command:
    """The command of that name; ends the program where there is none."""
    for command in COMMANDS:
        if command.name == name:
            return command
    if name.startswith("-"):
        sys.exit(f"posec3d: {name!r:.200} stands where the command does: posec3d COMMAND [flags]")
    hint = suggestion(name, [command.name for command in COMMANDS])
    sys.exit(f"posec3d: unknown command {name!r:.200}{hint}\n\n{overview()}")


def read_request(command: Command, arguments: list[str]) -> Request:
    """The request of a command line after its command.

    Raises:
      ValueError: a flag that the command does not have, or a value that makes no sense.
      OSError: a file of flags, or the run's config, that cannot be read.
      Exception: whatever the config file raises.
    """
    options = absl_flags.FlagValues()
    options.set_gnu_getopt()
    for flag in (*command.flags, *COMMON):
        _define(flag, options)
    if command.config:
        absl_flags.DEFINE_string("config", "", "", flag_values=options)
    rest = _parse(options, expanded(arguments), known_only=True)
    for flag in command.flags:
        if issubclass(flag.kind, PathText) and (path := getattr(options, flag.name)):
            setattr(options, flag.name, _path(flag, path))
    config = _config_of(command, options)
    if config is not None:
        config, rest = _set_keys(config, rest)
    try:
        rest = _parse(absl_flags.FLAGS, rest)  # those of absl itself: --verbosity and others
    except absl_flags.UnrecognizedFlagError as error:
        raise ValueError(_unknown(error.flagname, command, config)) from None
    if rest and not command.arguments:
        raise ValueError(f"unexpected argument {rest[0]!r:.200}; flags are --name=value")
    return Request(command, options, config, tuple(rest))


def _path(flag: Flag, path: str) -> str:
    """The path of a flag as it is used; ValueError where it is an address that it cannot take."""
    if flag.kind is PlaceText and is_address(path):
        return path
    try:
        expanded_path = str(expand(path))
    except ValueError as error:
        raise ValueError(f"--{flag.name}: {error}") from error
    return expanded_path if path.startswith("~") else path


def _parse(values: absl_flags.FlagValues, arguments: list[str], **how: bool) -> list[str]:
    """Sets the flags of `values`; returns what is left."""
    return values(["posec3d", *arguments], **how)[1:]


def _define(flag: Flag, options: absl_flags.FlagValues) -> None:
    if flag.choices:
        absl_flags.DEFINE_enum(
            flag.name, flag.default, flag.choices, flag.help, flag_values=options
        )
        return
    define = {
        bool: absl_flags.DEFINE_bool,
        int: absl_flags.DEFINE_integer,
        float: absl_flags.DEFINE_float,
        list: absl_flags.DEFINE_list,
    }.get(flag.kind, absl_flags.DEFINE_string)
    define(flag.name, flag.default, flag.help, flag_values=options)


def _config_of(command: Command, options: absl_flags.FlagValues) -> Any:
    """The config that the keys are set in; None where the command line names none."""
    if command.config and options["config"].present:
        return run_config(options.config)
    if command.config == "run" and options.workdir:
        return stored.load_config(options.workdir)
    return None


def _set_keys(config: Any, arguments: list[str]) -> tuple[Any, list[str]]:
    """The config with every --config.KEY=VALUE, checked and locked; and the other arguments."""
    from ml_collections import config_flags

    arguments = _set_options(config, arguments)
    values = absl_flags.FlagValues()
    values.set_gnu_getopt()
    try:
        config_flags.DEFINE_config_dict(
            "config", config, flag_values=values, sys_argv=["posec3d", *arguments]
        )
        rest = _parse(values, arguments, known_only=True)
    except (AttributeError, KeyError) as error:
        raise ValueError(_unknown_key(arguments, config) or f"{error}") from error
    return check_config(values.config), rest


def _set_options(config: Any, arguments: list[str]) -> list[str]:
    """Sets --config.data.reader_options.NAME=VALUE where the config has no such option yet.

    Which options there are is the reader's to say, so that ml_collections cannot know them. A value
    is what Python makes of it, else the text itself. Returns the other arguments.
    """
    rest, waiting = [], iter(arguments)
    for argument in waiting:
        name, equals, value = argument.lstrip("-").partition("=")
        option = name.removeprefix(_OPTIONS)
        if name == option or not argument.startswith("-") or option in config.data.reader_options:
            rest.append(argument)
            continue
        if not option.isidentifier():
            raise ValueError(f"--{name:.200}: {option!r:.80} is no name of a reader's option")
        value = value if equals else next(waiting, "")
        with config.unlocked(), config.ignore_type():
            config.data.reader_options = {**config.data.reader_options, option: _literal(value)}
    return rest


def _literal(text: str) -> Any:
    """2 of '2', ('a', 'b') of "('a', 'b')", and 'score' of 'score'."""
    try:
        return ast.literal_eval(text)
    except (MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        return text


def _unknown_key(arguments: list[str], config: Any) -> str:
    """Which of the arguments sets a key that the config does not have."""
    for argument in arguments:
        name = argument.lstrip("-").split("=", 1)[0]
        if name.startswith("config.") and name not in config_keys(config):
            return _no_key(name, config)
    return ""


def _no_key(name: str, config: Any) -> str:
    hint = suggestion(name, config_keys(config))
    return f"there is no key {name:.200}{hint}\n`posec3d help config` explains every key"


def _unknown(name: str, command: Command, config: Any) -> str:
    """What to say of a flag that neither the command nor absl has."""
    if name.startswith(("config.", "noconfig.")):
        if config is not None:
            return _no_key(name, config)
        if command.config:
            return f"--{name:.200} sets a key of a config, and there is none: add --config=FILE"
        return f"--{name:.200} sets a key of a config, and {command.name} takes none"
    others = [other.name for other in COMMANDS if _takes(other, name)]
    if others:
        return f"--{name} is no flag of {command.name}, but of {', '.join(others)}"
    known = [f"--{flag.name}" for flag in (*command.flags, *COMMON)] + ["--flagfile", "--help"]
    known += ["--config"] * bool(command.config)
    hint = suggestion(f"--{name}", known)
    return f"there is no flag --{name:.200}{hint}\n`posec3d {command.name} --help` lists its flags"


def _takes(command: Command, name: str) -> bool:
    return any(flag.name == name for flag in command.flags) or (
        name == "config" and bool(command.config)
    )


def config_keys(config: Any, prefix: str = "config.") -> list[str]:
    """Every key of a config and of the configs in it, as typed behind '--'."""
    keys = []
    for key, value in config.items():
        keys.append(prefix + key)
        if hasattr(value, "items"):
            keys += config_keys(value, f"{prefix}{key}.")
    return keys
