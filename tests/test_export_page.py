"""The page without a service: in a real Chromium it says what the run says, and asks nobody."""

import functools
import http.server
import json
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
RUNTIME = Path(__file__).with_name("node_modules") / "onnxruntime-web" / "dist"
if not RUNTIME.is_dir():
    pytest.skip("needs onnxruntime-web: npm ci --prefix tests", allow_module_level=True)

from posec3d_jax.export import web_page  # noqa: E402
from posec3d_jax.predict import load_predictor  # noqa: E402
from posec3d_jax.weights import import_weights  # noqa: E402
from tests.reference import FIXTURES, reference_config  # noqa: E402
from tests.test_page import browser, expect, give, give_video  # noqa: E402, F401
from tests.videos import write_video  # noqa: E402


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "run"
    import_weights(FIXTURES / "tiny_slowonly.pth", reference_config("tiny_slowonly"), folder)
    return folder


@pytest.fixture(scope="module")
def folder(run):
    package, out = run.parent / "runtime.tgz", run.parent / "site"
    with tarfile.open(package, "w:gz", compresslevel=1) as archive:
        for name in web_page._HASHES:
            archive.add(RUNTIME / Path(name).name, name)
    exported = web_page.export_page(run, out, runtime=package)
    assert exported.difference <= 1e-5
    return out


@pytest.fixture(scope="module")
def address(folder):
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_the_browser_does_it_all(browser, address, folder, run, tmp_path):  # noqa: F811
    with browser.new_context() as context:
        page, asked, faults = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda fault: faults.append(fault))
        page.goto(address)
        expect(page.locator("#status")).to_contain_text("Done")
        clip = json.loads((folder / "clips" / "walk.json").read_text())
        rows = (np.arange(8) + 0.5) * len(clip["keypoint"][0]) / 8  # as the page chooses them
        chosen = {k: np.array(clip[k])[:, rows.astype(int)] for k in ("keypoint", "score")}
        wanted = load_predictor(run)(**chosen, frame_size=tuple(clip["frame_size"])).scores
        found = page.evaluate(
            "async (clip) => (await (await import('/engine.js')).recognise(clip)).classes", clip
        )
        scores = [{c["name"]: c["probability"] for c in found}[f"class {k}"] for k in range(11)]
        np.testing.assert_allclose(scores, wanted, atol=1e-4)
        volume = page.evaluate("async (clip) => (await import('/engine.js')).volume(clip)", clip)
        assert volume["shape"] == [8, 16, 16, 17] and len(volume["voxels"]) > 500
        give(page, "broken.json", "no json")
        expect(page.get_by_role("alert")).to_contain_text("no JSON")
        give_video(page, write_video(tmp_path / "v.mkv"))
        expect(page.get_by_role("alert")).to_contain_text("has no pose estimator")
        assert all(url.startswith((address, "blob:", "data:")) for url in asked) and not faults
        with pytest.raises(Exception, match="Failed to fetch|Content Security Policy"):
            page.evaluate("fetch('http://127.0.0.1:9/')")


def test_a_folder_that_is_there_is_not_written_over(run, folder):
    with pytest.raises(ValueError, match="not empty"):
        web_page.export_page(run, folder)
