"""What strangers may send to the service: odd bodies and paths, lying heads, halves, bombs."""

import gzip
import io
import json
import random
import zipfile
import zlib
from pathlib import Path

from tests.videos import write_video

HOST = b"Host: localhost\r\n"


def post(path: str, body: bytes, *, length: int | None = None, more: bytes = b"") -> bytes:
    """The bytes of a request."""
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\n".encode() + HOST + more
    return head + f"Content-Length: {size}\r\n\r\n".encode() + body


def _value(rng: random.Random, depth: int = 0) -> object:
    """Any JSON at all."""
    simple = [None, True, -1, 0, 1e308, 10**30, "", "x" * 99, "../../etc/passwd", "\ud800", -0.0]
    if depth > 3 or rng.random() < 0.5:
        return rng.choice(simple)
    inner = [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return inner if rng.random() < 0.6 else {str(rng.choice(simple)): x for x in inner}


def odd_clip(rng: random.Random) -> bytes:
    """Keypoints of odd types, shapes and values."""
    shape = [rng.choice([0, 1, 2, 3, 17, 40]) for _ in range(2)] + [rng.choice([0, 16, 17, 33])]
    number = rng.choice([0, -1, 1e30, 1e39, 10**400, None, "1", [], float("nan"), float("inf")])
    point = [number] * rng.choice([0, 1, 2, 2, 2, 3])
    keypoint = [[[point] * shape[2]] * shape[1]] * shape[0]
    clip = {"keypoint": rng.choice([keypoint, keypoint, _value(rng)])}
    clip["frame_size"] = rng.choice([[480, 640], [0, 1], [1e9, 1], ["a", 1], _value(rng)])
    if rng.random() < 0.4:
        clip["score"] = rng.choice([[[[1] * shape[2]] * shape[1]] * shape[0], _value(rng)])
    if rng.random() < 0.3:
        clip[rng.choice(["top", "speed", "__class__"])] = _value(rng)
    path = rng.choice(["/v1/recognise", "/v1/volume"])
    return post(path, json.dumps(clip).encode("utf-8", "surrogatepass"))


def odd_json(rng: random.Random) -> bytes:
    """JSON that is deep, long, cut or none."""
    bodies = [
        b"[" * rng.randrange(1, 200_000),
        b'{"a":' * rng.randrange(1, 50_000),
        b'{"keypoint":' + b"9" * rng.randrange(1, 100_000) + b',"frame_size":[1,1]}',
        bytes(rng.randrange(256) for _ in range(rng.randrange(2000))),
        json.dumps(_value(rng)).encode("utf-8", "surrogatepass")[: rng.randrange(1, 50)],
        b"\xff\xfe\x00[",
    ]
    return post("/v1/recognise", rng.choice(bodies))


def odd_path(rng: random.Random) -> bytes:
    """Paths that lead out of where they should, and methods that there are not."""
    parts = [
        "..",
        ".",
        "%2e%2e",
        "etc",
        "passwd",
        "app.js",
        "\\",
        "%00",
        "v1",
        "clips",
        "~",
        "\u00fc",
    ]
    path = "/" + "/".join(rng.choice(parts) for _ in range(rng.randrange(1, 8)))
    method = rng.choice(["GET", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
    query = rng.choice(["", "?a=%ff", "?window=nan&step=-1", "?" + "x" * 3000])
    return f"{method} {path}{query} HTTP/1.1\r\n".encode() + HOST + b"\r\n"


def lying_head(rng: random.Random) -> bytes:
    """Heads that lie, and what is hardly HTTP."""
    return rng.choice(
        [
            post("/v1/recognise", b"{}", length=10**12),
            post("/v1/videos", b"xx", length=10**12),
            post("/v1/recognise", b"{}", length=-1),
            post("/v1/recognise", b"{}", more=b"Content-Length: 5\r\n"),
            post("/v1/recognise", b"{}", more=b"Transfer-Encoding: chunked\r\n"),
            b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
            b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n",
            b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
            bytes(rng.randrange(256) for _ in range(200)) + b"\r\n\r\n",
            post("/v1/poses?width=1280&height=1280", b"x" * 100),
            post(f"/v1/poses?width={rng.choice([-1, 'a', 10**9])}&height=16", b"x" * 100),
        ]
    )


def half(rng: random.Random) -> bytes:
    """A request that ends in its middle; the connection stays open."""
    whole = rng.choice([odd_clip, odd_json])(rng)
    return whole[: rng.randrange(1, len(whole))]


class OddVideos:
    """What is sent as a video."""

    def __init__(self, folder: Path):
        good = write_video(folder / "good.mkv", frames=10).read_bytes()
        large = write_video(folder / "large.mkv", frames=1, size=(8000, 8000)).read_bytes()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("bomb", bytes(50_000_000))
        self._good = good
        self._fixed = [
            large,
            archive.getvalue(),
            gzip.compress(bytes(10_000_000)),
            _png(60_000, 60_000),
            b"GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02",
            b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
            b"ffconcat version 1.0\nfile /etc/passwd\n",
            b"v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
            b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
            b"YUV4MPEG2 W99999 H99999 F25:1\nFRAME\n",
            b"#!/bin/sh\ntouch /tmp/owned\n",
            b"",
        ]

    def __call__(self, rng: random.Random) -> bytes:
        body = rng.choice([*self._fixed, None, None, None])
        if body is None:
            damaged = bytearray(self._good)
            for _ in range(rng.randrange(1, 40)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            body = bytes(damaged[: rng.randrange(100, len(damaged))])
        query = rng.choice(["", "", "?details=true", "?window=0.2&step=0.1", "?window=-1"])
        accept = rng.choice([b"", b"Accept: application/x-ndjson\r\n"])
        return post(f"/v1/videos{query}", body, more=accept)


def _png(width: int, height: int) -> bytes:
    """A picture that claims so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        size = len(data).to_bytes(4, "big")
        return size + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
