"""Command line: `posec3d COMMAND --config=... --workdir=...`; start-up, dispatch, how it ends."""

import importlib
import os
import sys
from typing import TYPE_CHECKING

from posec3d_jax.machine import streams
from posec3d_jax.machine.host import quiet_libraries, tune_process, use_compilation_cache

# What takes long to load is imported where it is needed: before `tune_process` all is loaded twice.
if TYPE_CHECKING:
    from posec3d_jax.commands.request import Request

UNREAD, INTERRUPTED = 141, 130  # exit status: as of a process ended by SIGPIPE, by SIGINT


def run() -> None:
    """Entry point of the console script."""
    streams.settle()
    tune_process()
    from absl import app

    from posec3d_jax.flags import parse

    try:
        app.run(_main, flags_parser=parse)
    except (BrokenPipeError, SystemExit) as error:
        if streams.is_unread() or isinstance(error, BrokenPipeError):
            sys.exit(UNREAD)
        raise


def _main(request: "Request") -> None:
    quiet_libraries()
    use_compilation_cache()
    options = request.options
    try:
        numbers = options.num_processes, options.process_id
        if _many(options):
            from posec3d_jax.machine.distributed import join

            join(options.coordinator, *numbers, options.join_timeout)
        elif numbers != (None, None):
            raise ValueError("--num_processes and --process_id need --coordinator or --multihost")
        elif options.multihost is None and request.command.name in ("train", "evaluate"):
            from posec3d_jax.machine.joining import check_alone

            check_alone(os.environ)
        importlib.import_module(request.command.module).run(request)
    except KeyboardInterrupt:
        _interrupted(request.command.name, options)
    except Exception as error:
        _fail(request.command.name, error, options)


def _many(options) -> bool:
    """Whether this process is one of several."""
    return bool(options.multihost or options.coordinator)


def _fail(command: str, error: Exception, options) -> None:
    """Ends the program: with a line where the error is one for people, else with a traceback."""
    if isinstance(error, BrokenPipeError):  # what is printed is not read any more
        raise error
    expected = isinstance(error, ValueError | OSError | FloatingPointError)
    if not _many(options):
        if options.traceback or not expected:
            raise error
        sys.exit(f"posec3d {command}: {error}")
    from posec3d_jax.machine.distributed import exit_at_once

    if options.traceback or not expected:
        sys.excepthook(type(error), error, error.__traceback__)
    print(
        f"posec3d {command}: {error}\nThis process ends, and with it the job. If another one ended "
        "first, its output says why",
        file=sys.stderr,
    )
    exit_at_once(1)


def _interrupted(command: str, options) -> None:
    """Ends the program after Ctrl-C, which training itself takes as a wish to save and stop."""
    print(f"posec3d {command}: interrupted", file=sys.stderr)
    if _many(options):
        from posec3d_jax.machine.distributed import exit_at_once

        exit_at_once(INTERRUPTED)
    sys.exit(INTERRUPTED)


if __name__ == "__main__":
    run()
