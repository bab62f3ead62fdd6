"""`posec3d export --format=page`: a folder for any web server, where browsers do all the work."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from posec3d_jax.data.simulation.samples import sample, sample_names
from posec3d_jax.engines.exported import INPUTS
from posec3d_jax.export.clips import real_clips
from posec3d_jax.export.exporting import TOLERANCE, Exported, export_model
from posec3d_jax.export.program import Program, load_program
from posec3d_jax.files import disk
from posec3d_jax.files.npm import package_files
from posec3d_jax.steps.protocol import ONE_CLIP

PAGE = Path(__file__).resolve().parents[1] / "page"
RUNTIME = "onnxruntime-web@1.30.0"
_HASHES = {
    "package/dist/ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d31"
    "0bd2f4a59bbd13744df5b2b7fc6cee3b",
    "package/dist/ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4"
    "ace6dfbc8939bc718aabdc0a27c4299b",
    "package/dist/ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e"
    "51a8e5704b88c7c083ebbeb78842dee2",
}
_BY_HAND = "posec3d export --format=page --runtime=FILE.tgz"
_HEAD = '<meta charset="utf-8">'
# What the browser itself holds the page to: it can send nothing to anybody.
_CLOSED = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'; connect-src '
    "'self'; img-src 'self' data: blob:; media-src 'self' blob:; script-src 'self' "
    "'wasm-unsafe-eval'; form-action 'none'; base-uri 'none'\">"
)
_NO_VIDEOS = (
    "this page works wholly in the browser and has no pose estimator. Give it keypoints (JSON), or "
    "look at videos with `posec3d serve`"
)


def export_page(
    workdir: str | Path,
    out: str | Path,
    *,
    checkpoint: str = "latest",
    persons: int = 0,
    data_dir: str = "",
    runtime: str | Path | None = None,
    config: Any = None,
) -> Exported:
    """Writes the page of `posec3d serve` with the network inside, as a folder of static files.

    Args:
      workdir: of the run.
      out: the folder, which must not be there or be empty.
      checkpoint: 'latest', 'best', a step or a folder.
      persons: that it takes; 0 for as many as the run was trained with.
      data_dir: where the run's prepared data set is now, as of `export_model`.
      runtime: the .tgz of `RUNTIME`; None lets `npm pack` fetch it.
      config: instead of the run's; where they differ, that is told.

    Raises:
      ValueError: as `export_model`; or the runtime is not to be had.
      DiskError: it cannot be written.
    """
    out = Path(out)
    if out.is_dir() and any(out.iterdir()) or out.is_file():
        raise ValueError(f"{out} is not empty; give a new folder")
    files = package_files(RUNTIME, _HASHES, runtime, _BY_HAND)
    exported = export_model(
        workdir,
        out / "model.onnx",
        checkpoint=checkpoint,
        persons=persons,
        data_dir=data_dir,
        config=config,
    )
    program = load_program(workdir, checkpoint, ONE_CLIP, persons, "portable", config)
    with disk.writing(out):
        for name, content in files.items():
            _write(out / "onnxruntime" / Path(name).name, content)
        if program.draws:
            _write(out / "volume.onnx", _volume(program))
        for path in PAGE.iterdir():
            if path.is_file() and not path.name.startswith("api."):
                _write(out / path.name, path.read_bytes())
        _write(out / "engine.js", (PAGE / "in_browser" / "engine.js").read_bytes())
        page = (PAGE / "index.html").read_text("utf-8").replace(_HEAD, f"{_HEAD}\n{_CLOSED}", 1)
        _write(out / "index.html", page.replace('<a id="api" href="api.html">For programs</a>', ""))
        _write(out / "model.json", json.dumps(_about(program)))
        for name in sample_names():
            _write(out / "clips" / f"{name}.json", json.dumps(sample(name)))
        _write(out / "clips.json", json.dumps(sample_names()))
    return exported


def _about(program: Program) -> dict:
    """What the service says at /v1/model, and how many frames the network takes."""
    skeleton = program.recognizer.skeleton
    return {
        "name": program.config.name,
        "classes": list(program.class_names),
        "layout": skeleton.name,
        "joints": list(skeleton.joints),
        "limbs": [list(limb) for limb in skeleton.limbs],
        "persons": program.config.data.max_persons,
        "frames": program.frames,
        "volume": program.draws,
        "videos": False,
        "no_videos_because": _NO_VIDEOS,
    }


def _volume(program: Program) -> bytes:
    """The drawing alone as ONNX, held to the run's.

    Raises:
      ValueError: they differ.
    """
    from posec3d_jax.export.onnx_file import assemble, read_onnx
    from posec3d_jax.export.onnx_graph import FREE

    shapes = dict(zip(INPUTS, program.shapes(FREE), strict=True))
    content = assemble(program.drawing, shapes, "volume", name="volume", metadata={})
    inputs, _ = real_clips(program, 4)
    arrays = [inputs[name] for name in INPUTS]
    found, wanted = read_onnx(content, output="volume")(*arrays), jax.jit(program.drawing)(*arrays)
    difference = float(np.abs(found - np.asarray(wanted)).max())
    if not difference <= TOLERANCE:
        raise ValueError(f"the exported drawing differs from the run's by {difference:.2g}")
    return content


def _write(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
