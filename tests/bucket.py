"""A bucket in memory, behind etils.epath: objects are put, got, listed and deleted, no more."""

import contextlib
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

from etils.epath import backend, gpath, stat_utils


class Objects(backend.Backend):
    """Objects by their address. Whatever a bucket does not do fails, as it would in one."""

    def __init__(self):
        self.objects: dict[str, tuple[bytes, int]] = {}  # content, seconds
        self.done: list[tuple[str, str]] = []  # in order: ('put' | 'got' | 'deleted', address)
        self._clock = itertools.count(1_000_000_000)

    def names(self, prefix: str) -> list[str]:
        """What is below an address, relative to it."""
        return sorted(key[len(prefix) + 1 :] for key in self._below(prefix))

    def put(self, address: str, content: bytes) -> None:
        self.objects[address] = content, next(self._clock)
        self.done.append(("put", address))

    @contextlib.contextmanager
    def open(self, path, mode: str):
        assert mode in ("rb", "wb"), mode
        if mode == "rb":
            self.done.append(("got", str(path)))
            yield io.BytesIO(self._object(path)[0])
            return
        file = io.BytesIO()
        yield file
        self.put(str(path), file.getvalue())

    def exists(self, path) -> bool:
        return str(path) in self.objects or self.isdir(path)

    def isdir(self, path) -> bool:
        return any(True for _ in self._below(path))

    def listdir(self, path) -> list[str]:
        return sorted({key[len(str(path)) + 1 :].split("/")[0] for key in self._below(path)})

    def remove(self, path) -> None:
        self._object(path)
        del self.objects[str(path)]
        self.done.append(("deleted", str(path)))

    def stat(self, path) -> stat_utils.StatResult:
        folder = str(path) not in self.objects and self.isdir(path)
        content, seconds = (b"", 0) if folder else self._object(path)
        return stat_utils.StatResult(folder, len(content), seconds, None, None, None)

    def _below(self, path) -> Iterator[str]:
        return (key for key in list(self.objects) if key.startswith(f"{path}/"))

    def _object(self, path) -> tuple[bytes, int]:
        if str(path) not in self.objects:
            raise FileNotFoundError(f"no object {path}")
        return self.objects[str(path)]

    def _refuse(self, *_, **__):
        raise NotImplementedError("a bucket does not do that")

    glob = walk = makedirs = mkdir = rmtree = rename = replace = copy = _refuse


def bucket(monkeypatch, cache: Path) -> Objects:
    """Has gs:// lead to a new bucket in memory, and mirrors lie below `cache`."""
    objects = Objects()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(gpath, "_is_tf_installed", lambda: False)
    monkeypatch.setitem(gpath._PREFIX_TO_BACKEND, "gs", objects)
    return objects
