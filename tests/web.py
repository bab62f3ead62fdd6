"""A local HTTP server that answers well or badly, as the path asks for."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

BODY = bytes(range(256)) * 1200  # 300 kB


class Server(http.server.ThreadingHTTPServer):
    """Counts the requests it gets, and what part each asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.body = BODY

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    """/good, /short (breaks off), /silent, /slow, /loop, /lost, /busy, /huge, /elsewhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind, server = self.path.split("/")[1], self.server
        server.asked.append((kind, self.headers.get("Range", "")))
        getattr(self, f"_{kind}")()

    def log_message(self, *_):
        pass

    def _good(self):
        start = self._start()
        self._head(start)
        self.wfile.write(self.server.body[start:])

    def _short(self):
        """A third of what is due, then the end."""
        start = self._start()
        self._head(start)
        self.wfile.write(self.server.body[start : start + 100_000])
        self._hang_up()

    def _silent(self):
        self._head(0)
        self.wfile.write(self.server.body[:1000])
        self.wfile.flush()
        time.sleep(5)

    def _slow(self):
        self._head(0)
        for i in range(200):
            self.wfile.write(self.server.body[i : i + 1])
            self.wfile.flush()
            time.sleep(0.02)
        self._hang_up()

    def _loop(self):
        self._redirect(self.path + "/x")

    def _elsewhere(self):
        self._redirect("file:///etc/hostname")

    def _lost(self):
        self.send_error(404)

    def _busy(self):
        self.send_error(503)

    def _huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 50))
        self.end_headers()

    def _redirect(self, to: str):
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _start(self) -> int:
        wanted = self.headers.get("If-Range") == self._tag()
        return int(self.headers["Range"][6:-1]) if wanted else 0

    def _tag(self) -> str:
        return f'"{hash(self.server.body):x}"'

    def _head(self, start: int):
        size = len(self.server.body)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("ETag", self._tag())
        self.send_header("Content-Length", str(size - start))
        self.end_headers()

    def _hang_up(self):
        self.wfile.flush()
        self.close_connection = True


@contextmanager
def serving() -> Iterator[Server]:
    """The server on a free port of this machine, until the block ends."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
