"""An ONNX file in Chromium: onnxruntime-web on one thread, one clip after the other.

Needs playwright, Chromium, and `npm ci --prefix tests` for onnxruntime-web.
"""

import base64
import functools
import http.server
import shutil
import threading
from pathlib import Path

import numpy as np

RUNTIME = Path(__file__).resolve().parents[1] / "tests/node_modules/onnxruntime-web/dist"
PAGE = "<!doctype html><title>timing</title>"
SCRIPT = """async ({ clips, shapes }) => {
  const ort = await import("/ort.wasm.min.mjs");
  ort.env.wasm.wasmPaths = "/";
  ort.env.wasm.numThreads = 1;
  const file = new Uint8Array(await (await fetch("/model.onnx")).arrayBuffer());
  const session = await ort.InferenceSession.create(file);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const floats = (text) => new Float32Array(bytes(text).buffer);
  const tensor = (name, text) => new ort.Tensor("float32", floats(text), shapes[name]);
  const found = [];
  const run = async (clip) => {
    const tensors = Object.entries(clip).map(([k, text]) => [k, tensor(k, text)]);
    const started = performance.now();
    const { probabilities } = await session.run(Object.fromEntries(tensors));
    return { scores: [...probabilities.data], milliseconds: performance.now() - started };
  };
  await run(clips[0]);
  for (const clip of clips) found.push(await run(clip));
  return found;
}"""


class _Files(http.server.SimpleHTTPRequestHandler):
    """The runtime's files, the model and an empty page."""

    def __init__(self, *arguments, model: Path, **options):
        self._model = model
        super().__init__(*arguments, directory=str(RUNTIME), **options)

    def translate_path(self, path: str) -> str:
        return str(self._model) if path == "/model.onnx" else super().translate_path(path)

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_):
        pass


def run_in_browser(
    model: Path, inputs: dict[str, np.ndarray]
) -> tuple[np.ndarray, list[float], str]:
    """Probabilities [N, K] of N clips, the milliseconds of each, and the browser's version."""
    from playwright.sync_api import sync_playwright

    if not RUNTIME.is_dir():
        raise SystemExit("onnxruntime-web is not installed: npm ci --prefix tests")
    count = len(inputs["score"])
    shapes = {name: [1, *array.shape[1:]] for name, array in inputs.items()}
    clips = [{name: _text(array[i]) for name, array in inputs.items()} for i in range(count)]
    handler = functools.partial(_Files, model=model)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with sync_playwright() as driver:
                options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
                browser = driver.chromium.launch(**options)
                page = browser.new_page()
                page.goto(f"http://127.0.0.1:{server.server_port}/")
                found = page.evaluate(SCRIPT, {"clips": clips, "shapes": shapes})
                version = f"Chromium {browser.version}"
                browser.close()
        finally:
            server.shutdown()
    scores = np.array([clip["scores"] for clip in found], np.float32)
    return scores, [clip["milliseconds"] for clip in found], version


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()
