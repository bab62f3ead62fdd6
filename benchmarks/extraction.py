"""Whether `posec3d extract` gives the same files however it is run: killed, resumed, shared out.

    python -m benchmarks.extraction VIDEO [--clips=200] [--frames=4] [--out=FILE.json]

Cuts short clips out of a video, and extracts them three times, by two processes each: in
one go; killed again and again; and by two shards at once. The folders are compared byte for byte.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from posec3d_jax.video.decoding import read_frames
from posec3d_jax.video.info import probe

KILLS = 3
HEIGHT = 192  # of the clips


def cut_clips(video: Path, folder: Path, clips: int, frames: int) -> None:
    """Writes clips of consecutive frames from all over the video; every seventh file is broken."""
    info = probe(video)
    size = HEIGHT, round(info.size[1] / info.size[0] * HEIGHT / 2) * 2
    starts = np.linspace(0, info.frames - frames, clips).astype(int)
    wanted = np.unique(starts[:, None] + np.arange(frames))
    images = dict(zip(wanted.tolist(), read_frames(video, wanted, size), strict=True))
    for number, start in enumerate(starts.tolist()):
        file = folder / f"batch{number % 4}" / f"clip{number:04d}.mkv"
        file.parent.mkdir(exist_ok=True)
        _write(file, [images[n] for n in range(start, start + frames)])
        if number % 7 == 3:
            file.write_bytes(file.read_bytes()[:100])


def _write(file: Path, images: list[np.ndarray]) -> None:
    import av

    with av.open(str(file), "w") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(25))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def start(videos: Path, out: Path, *flags: str) -> subprocess.Popen:
    """The command in a process group of its own, so that all of it can be killed."""
    command = [sys.executable, "-m", "posec3d_jax.main", "extract", str(videos), f"--out={out}"]
    return subprocess.Popen(
        [*command, "--estimator=lightning", "--workers=2", *flags],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killed_and_resumed(videos: Path, out: Path, clips: int) -> list[int]:
    """How many videos were done at each kill."""
    done = []
    for kill in range(1, KILLS + 1):
        process = start(videos, out)
        while process.poll() is None and _done(out) < clips * kill // (KILLS + 1):
            time.sleep(0.5)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        done.append(_done(out))
    start(videos, out).wait()
    return done


def _done(out: Path) -> int:
    return sum(1 for _ in out.rglob("*.npz"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the locks and halves that a killed process left."""
    files = (f for f in folder.rglob("*") if f.is_file() and not f.name.endswith(".partial"))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def differences(one: Path, other: Path) -> list[str]:
    """Names of files that are not the same in both folders."""
    a, b = contents(one), contents(other)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("video", type=Path)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp())
    videos, whole, resumed, shared = (scratch / n for n in ("videos", "whole", "killed", "shards"))
    videos.mkdir()
    cut_clips(arguments.video, videos, arguments.clips, arguments.frames)
    start(videos, whole).wait()
    kills = killed_and_resumed(videos, resumed, arguments.clips)
    shards = [start(videos, shared, f"--shard={n}/2") for n in (1, 2)]
    codes = [shard.wait() for shard in shards]
    start(videos, shared).wait()  # splits and summary of both
    record = {
        "videos": arguments.clips,
        "broken": sum("FAILED" in x for x in (whole / "report.txt").read_text().splitlines()),
        "clips": _done(whole),
        "files": len(contents(whole)),
        "done_at_each_kill": kills,
        "killed_and_resumed_differs_in": differences(whole, resumed),
        "shards_differ_in": differences(whole, shared),
        "exit_codes_of_shards": codes,
    }
    print(json.dumps(record, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(record, indent=1) + "\n")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
