"""Exports held to their runs on real clips with one to four persons, in Python and in a browser.

    python -m benchmarks.exports RUN ... --data=DIR [--browser] [--out=benchmarks/results/exports]

RUN are trained runs, DIR a prepared data set in their joints, with a split `test`. Of each run,
for inputs of four persons, ONNX and StableHLO are written; a hundred test clips, to which persons
of other clips are added so that each has one, two, three or four, go through the run and through
both files, one of them also through `docs/examples` in a process that cannot import the package.
With --browser ten of them also go through onnxruntime-web in Chromium, once to warm up and then
timed.

Writes OUT.json and OUT.md.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import numpy as np

from benchmarks.browser import run_in_browser
from benchmarks.machine import machine
from posec3d_jax.data.stored.info import read_info
from posec3d_jax.engines.exported import INPUTS
from posec3d_jax.export import export_model
from posec3d_jax.export.clips import real_clips
from posec3d_jax.export.onnx_file import read_onnx
from posec3d_jax.export.program import Program, load_program
from posec3d_jax.export.stablehlo_file import read_stablehlo
from posec3d_jax.steps.protocol import ONE_CLIP

PERSONS, CLIPS, IN_BROWSER, CHUNK = 4, 100, 10, 4
EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"
READERS = {"onnx": read_onnx, "stablehlo": read_stablehlo}
SCRIPTS = {"onnx": ("onnx_runtime.py", "jax"), "stablehlo": ("stablehlo.py", "")}


@dataclass(frozen=True)
class Row:
    """One file of one run."""

    network: str
    checkpoint: str
    format: str
    megabytes: float
    clips: int
    difference: float  # the largest between probabilities
    same_label: int
    certainty: float  # mean of the largest probabilities: near 1 / classes little was learnt
    reloads_alone: bool  # in a process without the package (and, of ONNX, without JAX)


def crowded(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The clips [N, 4, ...] of one person each, with 0 to 3 persons of the next clips added."""
    keypoint, score = inputs["keypoint"].copy(), inputs["score"].copy()
    for i in range(len(score)):
        for m in range(1, 1 + i % PERSONS):
            other = (i + m) % len(score)
            keypoint[i, m], score[i, m] = inputs["keypoint"][other, 0], inputs["score"][other, 0]
    return inputs | {"keypoint": keypoint, "score": score}


def scores(function: Callable, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """[N, K], a few clips at a time."""
    count = len(inputs["score"])
    parts = []
    for start in range(0, count, CHUNK):
        rows = np.minimum(np.arange(start, start + CHUNK), count - 1)
        parts.append(np.asarray(function(*(inputs[name][rows] for name in INPUTS))))
    return np.concatenate(parts)[:count]


def reloads_alone(file: Path, kind: str, inputs: dict[str, np.ndarray], folder: Path) -> bool:
    """Whether the example reads it where this package cannot be imported."""
    script, also = SCRIPTS[kind]
    clip = folder / "clip.npz"
    first = {name: inputs[name][0] for name in INPUTS}
    np.savez(clip, **first)
    blocked = "".join(f"sys.modules[{name!r}] = None; " for name in ("posec3d_jax", also) if name)
    code = f"import sys; {blocked}sys.argv[1:] = {[str(file), str(clip)]!r}; "
    code += f"exec(open({str(EXAMPLES / script)!r}).read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.returncode == 0 and len(done.stdout.splitlines()) == 5


def measure(run: Path, data_dir: str, folder: Path) -> tuple[list[Row], Program, dict, np.ndarray]:
    """Both files of a run; also the inputs and what the run itself says of them."""
    program = load_program(run, "latest", ONE_CLIP, PERSONS, "")
    data = program.config.data  # of the clips, whose own labels do not matter
    data.dir, data.test_split, data.class_names = data_dir, "test", ()
    data.num_classes = read_info(Path(data_dir)).num_classes
    inputs = crowded(real_clips(program, CLIPS)[0])
    wanted = scores(jax.jit(program.function), inputs)
    rows = []
    for kind, read in READERS.items():
        path = folder / f"{run.name}.{kind}"
        export_model(run, path, file_format=kind, persons=PERSONS, clips=10)
        found = scores(read(path.read_bytes()), inputs)
        same = int((found.argmax(-1) == wanted.argmax(-1)).sum())
        difference = float(np.abs(found - wanted).max())
        alone = reloads_alone(path, kind, inputs, folder)
        certainty = round(float(wanted.max(-1).mean()), 3)
        rows.append(Row(program.config.model.name, program.checkpoint, kind,
                        round(path.stat().st_size / 1e6, 3), len(wanted), difference, same,
                        certainty, alone))  # fmt: skip
    return rows, program, inputs, wanted


def in_browser(path: Path, inputs: dict[str, np.ndarray], wanted: np.ndarray) -> dict:
    """The same file in Chromium: how near, and how fast."""
    ten = {name: inputs[name][:IN_BROWSER] for name in INPUTS}
    found, milliseconds, version = run_in_browser(path, ten)
    wanted = wanted[:IN_BROWSER]
    return {
        "clips": len(wanted),
        "difference": float(np.abs(found - wanted).max()),
        "same_label": int((found.argmax(-1) == wanted.argmax(-1)).sum()),
        "milliseconds": round(float(np.median(milliseconds)), 2),
        "milliseconds_most": round(float(np.max(milliseconds)), 2),
        "browser": version,
    }


def as_text(rows: list[Row], browser: dict[str, dict], conditions: dict) -> str:
    """The record for people."""
    lines = ["# Exports against their runs", ""]
    lines += [f"Real test clips with 1 to {PERSONS} persons; differences are of probabilities.", ""]
    heads = "network | step | mean largest probability | format | MB | clips"
    lines += [f"| {heads} | largest difference | same label | reloads alone |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        alone = "yes" if row.reloads_alone else "**no**"
        cells = [row.network, row.checkpoint, f"{row.certainty:.2f}", row.format]
        cells += [f"{row.megabytes:.2f}", row.clips, f"{row.difference:.1e}", row.same_label]
        lines.append(f"| {' | '.join(map(str, [*cells, alone]))} |")
    if browser:
        lines += ["", f"In the browser (onnxruntime-web, WebAssembly, one thread), {IN_BROWSER} "
                  "clips, one at a time:", ""]  # fmt: skip
        lines += ["| network | largest difference | same label | ms, median | ms, most |"]
        lines += ["|---|---|---|---|---|"]
        for name, found in browser.items():
            lines.append(
                f"| {name} | {found['difference']:.1e} | {found['same_label']} of "
                f"{found['clips']} | {found['milliseconds']} | {found['milliseconds_most']} |"
            )
    lines += ["", f"Machine: {json.dumps(conditions)}", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", required=True, help="The runs' prepared data set.")
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/exports"))
    options = parser.parse_args()
    if options.browser and not shutil.which("chromium"):
        raise SystemExit("--browser needs Chromium")
    rows, browser, conditions = [], {}, machine()
    with tempfile.TemporaryDirectory() as made:
        for run in options.runs:
            found, program, inputs, wanted = measure(run, options.data, Path(made))
            rows += found
            if options.browser:
                path = Path(made) / f"{run.name}.onnx"
                browser[program.config.model.name] = in_browser(path, inputs, wanted)
            print(as_text(rows, browser, conditions), flush=True)
    record = {"machine": conditions, "rows": [asdict(row) for row in rows], "browser": browser}
    options.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    options.out.with_suffix(".md").write_text(as_text(rows, browser, conditions))


if __name__ == "__main__":
    main()
