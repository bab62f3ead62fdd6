"""What is printed, wherever it goes: another encoding, a pipe that nobody reads, or nothing."""

import os
import sys


def settle() -> None:
    """Characters that a stream cannot have are escaped; a stream that was closed swallows all."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_unread() -> bool:
    """Whether whoever should read what is printed has gone, as in `posec3d inspect | head`.

    What was still to be printed is dropped then, so that Python does not complain at its end.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    except (OSError, ValueError):  # closed, or no room where it goes
        return False
    return False
