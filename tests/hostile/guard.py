"""Watches this process while it reads what may be hostile: what it runs, writes and takes."""

import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 30  # that one input may take, not waiting for a processor; most take a millisecond
ROOM = 2 << 30  # bytes of address space beyond those in use when the guard begins
READABLE = (ValueError, FileNotFoundError)  # what the package documents; the rest are accidents

RUNS = {
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty",
    "subprocess.Popen", "socket.connect", "socket.bind", "ctypes.dlopen", "pickle.find_class",
    "code.__new__", "webbrowser.open", "os.kill",
}  # fmt: skip
CHANGES = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod",
    "os.truncate", "shutil.rmtree", "shutil.move", "shutil.copyfile",
}  # fmt: skip


class Hang(BaseException):
    """An input took too long; no `except Exception` takes it for damage."""


@dataclass
class Guard:
    """Counts what became of inputs; `watch` runs one."""

    folder: Path  # the only place that may be written to
    counts: dict[str, Counter] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: Counter = field(default_factory=Counter)  # of the processor, by kind
    greatest: tuple[int, str] = (0, "")  # bytes, and the input that took them
    _watching: bool = False
    _starved: float = 0.0
    _seen: list[str] = field(default_factory=list)

    def __post_init__(self):
        sys.addaudithook(self._audit)
        signal.signal(signal.SIGALRM, self._too_long)
        self.started = _peak()
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, hard))

    @property
    def memory(self) -> int:
        """Bytes by which the process's peak has grown since the guard began."""
        return _peak() - self.started

    def watch(self, kind: str, name: str, read: Callable[[], object]) -> None:
        """Runs `read`; whatever is no result and no readable error becomes a fault."""
        count = self.counts.setdefault(kind, Counter())
        count["tried"] += 1
        self._seen.clear()
        before = _peak()
        self._watching = True
        self._starved = _starved()
        signal.alarm(SECONDS)
        started = time.process_time()
        try:
            read()
            count["read"] += 1
        except READABLE as error:
            count["refused"] += 1
            self._judge(kind, name, error)
        except Hang:
            self._fault(count, "hangs", kind, name, f"more than {SECONDS} s")
        except BaseException as error:  # SystemExit and KeyboardInterrupt would be accidents, too
            self._fault(count, "without_a_message", kind, name, f"{type(error).__name__}: {error}")
        finally:
            signal.alarm(0)
            self._watching = False
            self.seconds[kind] += time.process_time() - started
        self.greatest = max(self.greatest, (_peak() - before, f"{kind}, {name}"))
        for event in self._seen:
            self._fault(count, "executions", kind, name, event)

    def take(self) -> dict:
        """What was counted since the last time: by kind, the faults, and processor seconds."""
        taken = {
            "counts": {kind: dict(count) for kind, count in self.counts.items()},
            "faults": list(self.faults),
            "processor": dict(self.seconds),
        }
        self.counts.clear(), self.faults.clear(), self.seconds.clear()
        self.greatest = (0, "")
        return taken

    def _judge(self, kind: str, name: str, error: Exception) -> None:
        """The message is one that a person can read, and did not come from memory running out."""
        count, text = self.counts[kind], str(error)
        if not text.strip() or len(text) > 20_000:
            self._fault(count, "without_a_message", kind, name, f"{len(text)} characters")
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, MemoryError):
                self._fault(count, "memory", kind, name, text[:200])
            cause = cause.__cause__

    def _fault(self, count: Counter, what: str, kind: str, name: str, said: str) -> None:
        count[what] += 1
        fault = f"{what}: {kind}, {name}: {said[:300]}"
        self.faults.append(fault.encode(errors="backslashreplace").decode())
        print(self.faults[-1], file=sys.stderr, flush=True)

    def _too_long(self, number, frame):
        starved, self._starved = int(_starved() - self._starved), _starved()
        if starved < 1:
            raise Hang
        signal.alarm(starved)  # others had the processor: as long again

    def _audit(self, event: str, args: tuple) -> None:
        if not self._watching:
            return
        if event == "code.__new__" and str(args[1]).endswith((".py", ".pyx", ".pxd")):
            return  # Cython makes one for each line of its tracebacks; it holds nothing to run
        if event in RUNS:
            self._seen.append(f"{event} {args!r:.100}")
        elif event in CHANGES and not self._inside(args[0]):
            self._seen.append(f"{event} {args!r:.100}")
        elif event == "open" and _writes(args[1], args[2]) and not self._inside(args[0]):
            self._seen.append(f"writes {args[0]!r:.100}")
        elif event == "exec" and args[0].co_filename.startswith("<") and "frozen" not in str(args):
            self._seen.append(f"exec {args[0]!r:.100}")

    def _inside(self, path) -> bool:
        if not isinstance(path, str | Path):
            return True  # a file descriptor that is open already
        return Path(path).resolve().is_relative_to(self.folder) or str(path) == "/dev/null"


def _writes(mode, flags) -> bool:
    return bool(set(mode or "") & set("wax+")) or bool((flags or 0) & 3)


def _starved() -> float:
    """Seconds that this process was ready to run and had no processor."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
