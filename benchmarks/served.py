"""The service in a process of its own that reports what it does beside answering.

    python -m benchmarks.served RUN PORT BATCHES WATCHED

is started by `serving`. An audit hook of Python's writes down, after the first answer, every
process that is started other than the video decoder, every file that is opened for writing,
renamed or removed outside the folder WATCHED, and every connection to elsewhere.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from posec3d_jax.predict import load_predictor
from posec3d_jax.server.app import make_app
from posec3d_jax.server.batching import Batcher
from posec3d_jax.server.patience import HastyProtocol
from posec3d_jax.server.serving import LOCAL, _allow_many_connections, open_eyes
from posec3d_jax.video.sandbox import CHILD

_CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod")
_STARTS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile")


@dataclass(frozen=True)
class Served:
    """A running service."""

    port: int
    process: subprocess.Popen
    watched: Path  # its temporary folder

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str, timeout: float = 10) -> bytes:
        with urllib.request.urlopen(self.url(path), timeout=timeout) as answer:
            return answer.read()

    def megabytes(self) -> float:
        """Resident memory of the process."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1e3
        raise RuntimeError("the service has ended")

    def deeds(self) -> list[str]:
        """What it did that it should not have done, so far."""
        log = self.watched / "deeds.log"
        return log.read_text().splitlines() if log.exists() else []


@contextmanager
def serving(run: Path, batches: tuple[int, ...] = (1, 2, 4, 8)) -> Iterator[Served]:
    """The service of a run, until the context ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="watched-") as watched:
        command = [sys.executable, "-m", "benchmarks.served", str(run), str(port)]
        command += [",".join(map(str, batches)), watched]
        process = subprocess.Popen(command, env=os.environ | {"TMPDIR": watched})
        served = Served(port, process, Path(watched))
        try:
            _wait(served)
            yield served
        finally:
            process.terminate()
            process.wait(30)


def _wait(served: Served) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until and served.process.poll() is None:
        try:
            served.get("/health")
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    raise SystemExit("the service did not start")


def _watch(folder: str) -> None:
    """Writes down what the process does, from now on."""
    log = os.open(os.path.join(folder, "deeds.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def told(text: str) -> None:
        os.write(log, (text + "\n").encode())

    def inside(place: object, directory: object = -1) -> bool:
        base = f"/proc/self/fd/{directory}" if isinstance(directory, int) else ""
        base = os.readlink(base) if os.path.islink(base) else os.getcwd()
        path = os.path.abspath(os.path.join(base, os.fsdecode(place)))
        return path.startswith((folder, "/dev/null", "/proc/"))

    def hook(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes):
            writes = any(c in str(arguments[1] or "") for c in "wax+")
            if writes and not inside(arguments[0]):
                told(f"{event} {arguments[:2]}")
        elif event in _CHANGES and not inside(arguments[0], arguments[-1]):
            told(f"{event} {arguments}")
        elif event == "subprocess.Popen" and CHILD not in arguments[1]:
            told(f"{event} {arguments[1]}")
        elif event.startswith(_STARTS) or event == "socket.connect":
            told(f"{event} {json.dumps(arguments, default=str)[:300]}")

    sys.addaudithook(hook)


def main(run: str, port: str, batches: str, watched: str) -> None:
    predictor = load_predictor(run)
    batcher = Batcher(predictor.scores, sizes=tuple(map(int, batches.split(","))))
    eyes = open_eyes("")
    app = make_app(predictor, name="benchmark", hosts=LOCAL, batcher=batcher, eyes=eyes)
    _allow_many_connections()
    _watch(watched)
    uvicorn.run(app, host="127.0.0.1", port=int(port), http=HastyProtocol, ws="none",
                log_level="warning", server_header=False, date_header=False)  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
