"""Every file of a folder of difficult videos through `posec3d extract`: exit code, message, people.

    python -m benchmarks.videos FOLDER [--estimator=thunder] [--out=FILE.md]

Each file is extracted by a process of its own, as a user would. A table in Markdown is printed, or
written with --out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HEAD = (
    "| file | exit | frames | last frame, s | rate | rotation | tracks (longest, frames) "
    "| nobody in | message |"
)


def rows(folder: Path, estimator: str) -> list[str]:
    """A line of the table for each file."""
    lines = [HEAD, "|" + "---|" * HEAD.count(" | ") + "---|"]
    for file in sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix != ".md"):
        with tempfile.TemporaryDirectory() as scratch:
            lines.append(f"| {file.relative_to(folder)} | {_row(file, Path(scratch), estimator)} |")
        print(lines[-1], flush=True)
    return lines


def _row(file: Path, out: Path, estimator: str) -> str:
    command = [sys.executable, "-m", "posec3d_jax.main", "extract", str(file), f"--out={out}"]
    done = subprocess.run(
        [*command, f"--estimator={estimator}", "--workers=1"], capture_output=True, text=True
    )
    (report,) = (json.loads(f.read_text()) for f in (out / "reports").rglob("*.jsonl"))
    if "error" in report:
        message = report["error"].replace(str(file.parent) + "/", "")
        return " | ".join([str(done.returncode), *7 * [""], message]).replace(" |  | ", " | | ")
    with np.load(out / f"{report['clips'][0]}.npz") as clip:
        longest = (clip["score"] > 0).any(-1).sum(1).max(initial=0)
        last = clip["time"][-1]
    info = report["video_info"]
    return " | ".join(
        [
            str(done.returncode),
            str(report["frames"]),
            f"{last:.3f}",
            f"{info['rate']:.2f}" + " (varies)" * info["variable_rate"],
            str(info["rotation"]),
            f"{report['tracks']} ({longest})",
            str(report["frames_without_anybody"]),
            f"{report['gaps']} gaps" if report["gaps"] else "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--estimator", default="thunder")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = rows(arguments.folder, arguments.estimator)
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
