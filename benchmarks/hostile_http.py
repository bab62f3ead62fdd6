"""Ten thousand hostile requests, and a thousand slow or broken uploads at once.

    python -m benchmarks.hostile_http RUN [--requests=10000] [--slow=1000]
        [--out=benchmarks/results/hostile_http.json]

The service runs in a process of its own that writes down what it does (`benchmarks/served.py`).
Hostile requests are drawn by a seed from the kinds of benchmarks/hostile_requests.py: wrong types,
shapes and sizes of keypoints, deep and huge JSON, paths that lead out, zip and gzip bombs and
pictures sent as videos, damaged and cut videos, videos of enormous frames, playlists that name
files and addresses, headers that lie, broken HTTP, bodies that are sent by half. Each must be
answered with a status and a reason, or, where nothing whole was asked, be hung up on; all within a
time.

Slow uploads send a head and then a byte now and then, stop, or send noise; all are open at once
while /health is asked again and again.
"""

import argparse
import asyncio
import json
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.hostile_requests import (
    OddVideos,
    half,
    lying_head,
    odd_clip,
    odd_json,
    odd_path,
    post,
)
from benchmarks.machine import machine
from benchmarks.served import Served, serving

SEED = 0
AT_ONCE = 48
CHUNK = 250  # requests; after each of them the record is written
PATIENCE = 60.0  # seconds for an answer, or for the end of a connection
VIDEO_PATIENCE = 600.0  # the same of videos, which wait for each other


async def attack(served: Served, request: bytes, partial: bool) -> str:
    """What became of one: 'answered 422', 'hung up', 'no reason', 'hangs'."""
    patience = VIDEO_PATIENCE if request.startswith(b"POST /v1/videos") else PATIENCE
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            try:
                writer.write(request)
                return await _outcome(reader, partial)
            finally:
                writer.close()
    except TimeoutError:
        return "hangs"
    except OSError:
        return "hung up"


async def _outcome(reader: asyncio.StreamReader, partial: bool) -> str:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return "hung up" if partial else "hung up on a whole request"
    status = int(head[9:12])
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if b"content-length" in fields:
        body = await reader.readexactly(int(fields[b"content-length"]))
    elif fields.get(b"transfer-encoding") != b"chunked":  # up to the end of the connection
        body = await reader.read()
    else:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
    if status >= 400 and b"error" not in body and b"Invalid HTTP" not in body:
        return f"no reason with {status}"
    return f"answered {status}"


class Attack:
    """The requests, drawn one after the other, and what became of them."""

    def __init__(self, videos: OddVideos):
        self._rng, self._videos = random.Random(SEED), videos
        self.done = 0
        self.outcomes: Counter = Counter()

    async def go_on(self, served: Served, count: int) -> None:
        """So many more, a few at once."""
        kinds: list[tuple[Callable, int, bool]] = [
            (odd_clip, 44, False), (odd_json, 15, False), (odd_path, 20, False),
            (lying_head, 15, True), (half, 3, True), (self._videos, 3, False),
        ]  # fmt: skip
        weights, places = [weight for _, weight, _ in kinds], asyncio.Semaphore(AT_ONCE)

        async def one(kind: str, request: bytes, partial: bool) -> None:
            async with places:
                end = await attack(served, request, partial)
            self.outcomes[kind, end] += 1

        drawn = self._rng.choices(kinds, weights, k=count)
        names = [getattr(maker, "__name__", "odd_video") for maker, _, _ in drawn]
        requests = [(maker(self._rng), partial) for maker, _, partial in drawn]
        await asyncio.gather(*(one(n, *each) for n, each in zip(names, requests, strict=True)))
        self.done += count

    def record(self) -> dict:
        """Sums, and every kind's ends."""
        ends = Counter()
        for (_, end), number in self.outcomes.items():
            ends["hangs"] += number * (end == "hangs")
            ends["without_reason"] += number * ("reason" in end or "whole" in end)
            ends["faults_500"] += number * (end == "answered 500")
        detail = {f"{kind}: {end}": n for (kind, end), n in sorted(self.outcomes.items())}
        return {"requests": self.done} | ends | {"outcomes": detail}


async def _slow(served: Served, rng: random.Random, seconds: float) -> str:
    path = rng.choice(["/v1/recognise", "/v1/videos", "/v1/volume"])
    how = rng.choice(["drip", "stop", "noise", "half a head"])
    head = post(path, b"", length=rng.choice([10_000, 8_000_000]))
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(head[: len(head) // 2] if how == "half a head" else head)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if how == "drip":
                writer.write(b"[")
            elif how == "noise":
                writer.write(rng.randbytes(4000))
            try:
                async with asyncio.timeout(0.5):
                    text = await reader.read(12)
                return f"answered {text[9:12].decode()}" if text else "hung up"
            except TimeoutError:
                continue
        return "still open"
    except OSError:
        return "hung up"
    finally:
        writer.close()


async def slow(served: Served, count: int, seconds: float) -> tuple[Counter, list[float]]:
    """So many slow uploads at once; how they ended, and how long each /health took meanwhile."""
    rng = random.Random(SEED)
    uploads = [asyncio.create_task(_slow(served, rng, seconds)) for _ in range(count)]
    health = []
    while not all(upload.done() for upload in uploads):
        began = time.monotonic()
        await asyncio.to_thread(served.get, "/health")
        health.append(time.monotonic() - began)
        await asyncio.sleep(0.25)
    return Counter([await upload for upload in uploads]), health


def said_of(served: Served, clip: bytes) -> dict:
    """What the service says of a built-in clip."""
    request = urllib.request.Request(served.url("/v1/recognise"), clip)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def measure(served: Served, options: argparse.Namespace, record: dict) -> None:
    """Both parts; the record is written again and again."""
    clip = served.get("/v1/clips/walk")
    wanted, memory = said_of(served, clip), {"before": served.megabytes()}
    ends, health = asyncio.run(slow(served, options.slow, options.seconds))
    memory["after_slow"] = served.megabytes()
    record["slow_uploads"] = {"at_once": options.slow} | ends
    record["health"] = {"asked": len(health), "slowest_s": round(max(health), 3)}
    attack_on, began = Attack(OddVideos(served.watched)), time.monotonic()
    while attack_on.done < options.requests:
        asyncio.run(attack_on.go_on(served, min(CHUNK, options.requests - attack_on.done)))
        memory["after_hostile"] = max(memory.get("after_hostile", 0), served.megabytes())
        record["hostile"] = attack_on.record() | {"seconds": round(time.monotonic() - began)}
        record["deeds"] = served.deeds()
        while json.loads(served.get("/health"))["looking_at_a_video"]:
            time.sleep(0.5)
        record["left_behind"] = [path.name for path in served.watched.glob("posec3d-*")]
        record["same_answer_as_before"] = said_of(served, clip) == wanted
        record["memory_mb"] = memory
        options.out.write_text(json.dumps(record, indent=1) + "\n")
        print(f"{attack_on.done} of {options.requests}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="That slow uploads go on.")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/hostile_http.json"))
    options = parser.parse_args()
    record: dict = {"machine": machine()}
    with serving(options.run) as served:
        measure(served, options, record)
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
