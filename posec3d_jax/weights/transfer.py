"""One file over HTTP: asked for again from where it broke off, until it is whole."""

import errno
import http.client
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 16
LARGEST = 1 << 30  # bytes; the published checkpoints have some 2 to 150 MB
VERSION = ".version"
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Progress = Callable[[int, int], None]  # bytes that are here, and of how many (0: not known)


class DownloadError(OSError):
    """A download that failed; the message names the address and says what to do."""


@dataclass(frozen=True)
class Patience:
    """When to give up on a server."""

    silence: float = 30.0  # seconds without a byte
    rate: float = 1000.0  # bytes a second, at least, over `window` seconds
    window: float = 60.0
    attempts: int = 4  # in a row that brought next to nothing
    pause: float = 1.0  # seconds before the second attempt; doubled for each further one


PATIENT = Patience()


def complete(url: str, file: BinaryIO, progress: Progress, patience: Patience) -> None:
    """Asks for what is missing until nothing is.

    Args:
      url: http or https; proxies are taken from the environment.
      file: open for reading and appending, with what came before; gets the rest.
      progress: told how far it is, after every piece.
      patience: when to give up.

    Raises:
      DownloadError: attempts in a row brought nothing, or none can help.
      OSError: the file cannot be written.
    """
    idle = 0
    while True:
        before = file.seek(0, os.SEEK_END)
        try:
            return _ask(url, file, progress, patience)
        except _Broken as broken:
            gained = file.seek(0, os.SEEK_END) - before >= CHUNK
            idle = 0 if gained else idle + 1
            if idle >= patience.attempts:
                here = file.tell()
                kept = f"; {here:,} bytes are kept, and the next attempt goes on from there"
                raise DownloadError(f"{url}: {broken}{kept if here else ''}") from broken
            time.sleep(patience.pause * 2 ** max(idle - 1, 0))


class _Broken(Exception):
    """An answer that ended early, or none: worth asking again."""


def _ask(url: str, file: BinaryIO, progress: Progress, patience: Patience) -> None:
    """One request for what is missing; its answer goes to the end of the file."""
    start = file.seek(0, os.SEEK_END)
    headers = {"User-Agent": "posec3d_jax", "Accept-Encoding": "identity"}
    if start and (version := _version(file)):  # without one another file's end might come
        headers |= {"Range": f"bytes={start}-", "If-Range": version}
    try:
        with _open(urllib.request.Request(url, headers=headers), patience.silence) as answer:
            start, total = _begin(answer, file, start, url)
            _receive(answer, file, start, total, progress, patience)
    except urllib.error.HTTPError as error:
        _refused(error, file, start, url)
    except (TimeoutError, http.client.HTTPException, urllib.error.URLError) as error:
        raise _Broken(_reason(error, patience)) from error
    except ConnectionError as error:
        raise _Broken(f"the connection broke ({error})") from error


def _open(request: urllib.request.Request, silence: float):
    return urllib.request.build_opener(_WebOnly).open(request, timeout=silence)


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirections to http and https only, and never from https to http."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        safe = newurl.startswith("https://" if req.type == "https" else ("https://", "http://"))
        if not safe:
            raise DownloadError(
                f"{req.full_url} redirects to {newurl!r:.200}, which is not followed"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _begin(answer, file: BinaryIO, start: int, url: str) -> tuple[int, int]:
    """Where the answer's first byte belongs, and the size of the whole (0: not said)."""
    length = answer.headers.get("Content-Length", "")
    rest = int(length) if length.isdecimal() else 0
    if answer.status == 206:
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        if not match or int(match[1]) != start:
            file.truncate(0)
            raise _Broken("the server sent another part than was asked for")
        total = int(match[2]) if match[2] != "*" else 0
    else:  # the whole, from its start
        start, total = 0, rest
        file.truncate(0)
        _note_version(answer, file)
    if max(total, start + rest) > LARGEST:
        raise DownloadError(f"{url} has {max(total, rest):,} bytes; expected at most {LARGEST:,}")
    free = shutil.disk_usage(os.path.dirname(file.name)).free
    if total - start > free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return start, total


def _version(file: BinaryIO) -> str:
    """What the server called the version of the file that is here in part; '' if nothing."""
    path = Path(file.name + VERSION)
    return path.read_text() if path.exists() else ""


def _note_version(answer, file: BinaryIO) -> None:
    """A weak tag says nothing of bytes, so the date stands in for it; '' where there is neither."""
    tag = answer.headers.get("ETag", "")
    tag = "" if tag.startswith("W/") else tag
    Path(file.name + VERSION).write_text(tag or answer.headers.get("Last-Modified", ""))


def _receive(
    answer, file: BinaryIO, start: int, total: int, progress: Progress, patience: Patience
) -> None:
    """Appends the body; _Broken where it ends early or comes too slowly."""
    here, window = start, (time.monotonic(), start)
    while piece := answer.read1(CHUNK):
        here += len(piece)
        if here > (total or LARGEST):
            file.truncate(0)
            raise DownloadError(f"{answer.url} sends more than the {total or LARGEST:,} bytes due")
        file.write(piece)
        progress(here, total)
        passed = time.monotonic() - window[0]
        if passed > patience.window:
            if here - window[1] < patience.rate * passed:
                file.flush()
                raise _Broken(f"slower than {patience.rate:,.0f} bytes a second")
            window = time.monotonic(), here
    file.flush()
    if total and here < total:
        raise _Broken(f"the answer ended after {here:,} of {total:,} bytes")


def _refused(error: urllib.error.HTTPError, file: BinaryIO, start: int, url: str) -> None:
    """What a status above 299 means: another attempt, or the end."""
    if error.code == 416 and start:  # nothing beyond what is here: whole, or of another file
        whole = error.headers.get("Content-Range", "").removeprefix("bytes */")
        if whole == str(start):
            return
        file.truncate(0)
        raise _Broken("what was kept does not fit the server's file")
    if error.code >= 500 or error.code in (408, 429):
        raise _Broken(f"the server answers {error.code} {error.reason}")
    if 300 <= error.code < 400:
        raise DownloadError(
            f"{url} redirects without end, or to what is no web page: {str(error).splitlines()[0]}"
        )
    advice = {
        404: "it is not there any more: look for it on the project's pages, and give the file "
        "with --from=FILE",
        403: "the server refuses it: perhaps a proxy's rule; another machine's copy can be given "
        "with --from=FILE",
        407: "the proxy wants a name and password: put them into https_proxy",
    }
    hint = advice.get(error.code, "give the file with --from=FILE if you have it")
    raise DownloadError(f"{url}: the server answers {error.code} {error.reason}; {hint}")


def _reason(error: Exception, patience: Patience) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"nothing came for {patience.silence:g} seconds"
    return f"the server cannot be reached, or its answer broke off ({cause})"
