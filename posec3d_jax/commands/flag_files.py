"""Files of flags: `--flagfile=FILE` or `--flagfile FILE` stands for the lines of a file."""

from pathlib import Path

from posec3d_jax.files.places import expand

_NAME = "flagfile"
_LARGEST = 1_000_000  # bytes


def expanded(arguments: list[str], inside: tuple[Path, ...] = ()) -> list[str]:
    """The arguments, with the lines of a file of flags in the place of --flagfile.

    Args:
      arguments: of the command line, or of a file of flags.
      inside: the files of flags that named it.

    Raises:
      ValueError: a file that is none of flags, or one that names itself.
      OSError: a file that cannot be read.
    """
    result, waiting = [], iter(arguments)
    for argument in waiting:
        name, equals, file = argument.lstrip("-").partition("=")
        if argument == "--":
            return [*result, argument, *waiting]
        if name != _NAME or not argument.startswith("-"):
            result.append(argument)
            continue
        path = expand(file if equals else next(waiting, ""))
        if path.resolve() in inside:
            raise ValueError(f"--flagfile={path} names itself")
        result += expanded(_lines(path), (*inside, path.resolve()))
    return result


def _lines(path: Path) -> list[str]:
    """The flags in a file of them: no comments, no empty lines."""
    if path.exists() and not path.is_file():
        raise ValueError(f"--flagfile={path} is no regular file")
    if not path.is_file():
        raise FileNotFoundError(f"--flagfile={path}: there is no such file")
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"--flagfile={path} has over {_LARGEST} bytes; it is none")
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"--flagfile={path} is no text file") from error
    return [line for line in lines if line and not line.startswith(("#", "//"))]
