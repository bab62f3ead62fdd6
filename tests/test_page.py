"""The page in a real Chromium: clips, files, videos, a camera, keyboard, phone, bad networks."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytest.importorskip("uvicorn", reason="needs the extra `serve`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM:
    pytest.skip("needs Chromium", allow_module_level=True)

from posec3d_jax.server.app import Eyes  # noqa: E402
from tests.test_serve import LIMITS, Running, Standing, predictor  # noqa: E402, F401
from tests.videos import write_video  # noqa: E402

FLAGS = ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--no-first-run"]
FLAGS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
FLAGS += ["--no-sandbox"] * (os.geteuid() == 0)
AXE = (
    Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
)  # npm ci, see package.json
expect = playwright.expect
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def address(predictor):  # noqa: F811
    limits = replace(LIMITS, upload=60, video_upload=60)
    running = Running(predictor, eyes=Eyes(Standing(), Standing()), limits=limits)
    yield f"http://127.0.0.1:{running.port}/"
    running.stop()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, address):
    """The page with its first clip recognised; no script on it may fail."""
    with browser.new_context(viewport={"width": 1100, "height": 900}) as context:
        page, faults = context.new_page(), []
        page.on("pageerror", lambda fault: faults.append(fault))
        page.set_default_timeout(60_000)
        page.goto(address)
        expect(page.locator("#status")).to_contain_text("Done")
        yield page
        assert not faults


def give(page, name: str, content) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    page.set_input_files("#file", {"name": name, "mimeType": "text/json", "buffer": text.encode()})


def give_video(page, path: Path, name: str = "clip.mkv") -> None:
    content = path.read_bytes()
    page.set_input_files("#file", {"name": name, "mimeType": "video/x-matroska", "buffer": content})


def rows(page) -> list[str]:
    return page.locator("#rows tr").all_inner_texts()


def test_built_in_clips_and_files_are_recognised(page, address):
    expect(page.locator("#rows tr")).to_have_count(1)
    page.select_option("#clips", "jumping_jack")
    expect(page.locator("#status")).to_contain_text("Done")
    clip = page.request.get(f"{address}v1/clips/wave").json()
    pair = {"keypoint": clip["keypoint"] * 2, "frame_size": clip["frame_size"]}
    give(page, "pair.json", pair)
    expect(page.locator("#status")).to_contain_text("2 actions")
    assert [row[0] for row in rows(page)] == ["1", "2"]
    page.select_option("#person", "all")
    expect(page.locator("#rows tr")).to_contain_text(["all"])


def test_the_volume_is_the_services(page):
    with page.expect_request("**/v1/volume"):
        page.select_option("#clips", "squat")
    page.wait_for_function(
        """() => { const c = document.getElementById('volume'), pixels =
          c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          return pixels.filter((x, i) => i % 4 == 3 && x).length > 2000 }"""
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no json", "broken.json is no JSON"),
        ({"keypoint": [[[[1, 2]] * 5] * 3], "frame_size": [9, 9]}, "the network knows 17"),
        ({"frames": []}, "lacks keypoint or frame_size"),
        ({"keypoint": [[[[1, 2]] * 17] * 3], "frame_size": [0, 9]}, "above 0"),
    ],
)
def test_broken_files_are_explained(page, content, says):
    give(page, "broken.json", content)
    expect(page.get_by_role("alert")).to_contain_text(says)


def test_a_video_is_looked_at_as_it_comes(page, tmp_path):
    give_video(page, write_video(tmp_path / "v.mkv", frames=150))
    expect(page.locator("#status")).to_contain_text("Looking")
    expect(page.locator("#status")).to_contain_text("Done: 1 actions")
    [row] = rows(page)
    assert row.split("\t")[:2] == ["1", "0.0 to 5.9"]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 99)
    give_video(page, broken, "broken.mp4")
    expect(page.get_by_role("alert")).to_contain_text("no video that can be read")


def test_the_camera(page):
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#status")).to_contain_text("Looking through the camera")
    expect(page.locator("#rows tr").first).to_contain_text("%")
    assert page.evaluate("document.getElementById('video').srcObject.active")
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.locator("#status")).to_contain_text("Stopped")
    assert page.evaluate("document.getElementById('video').srcObject") is None


def test_a_camera_that_is_not_allowed(browser, address):
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = () => "
            "Promise.reject(new DOMException('no', 'NotAllowedError'))"
        )
        page.goto(address)
        expect(page.locator("#status")).to_contain_text("Done")
        page.get_by_role("button", name="Use the camera").click()
        expect(page.get_by_role("alert")).to_contain_text("not allowed to use the camera")


def test_the_keyboard_alone(page):
    page.get_by_label("A built-in clip").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#status")).to_contain_text("Done")
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"file", "camera", "play", "frame", "scroll", "api"} <= reached
    page.locator("#play").focus()
    page.keyboard.press("Space")
    page.evaluate("document.activeElement.blur()")
    if page.locator("#play").text_content() == "Pause":
        page.keyboard.press("Space")
    before = page.locator("#frame").input_value()
    page.keyboard.press("ArrowRight")
    assert page.locator("#frame").input_value() != before


def test_a_phone_in_the_dark(browser, address):
    size = {"width": 360, "height": 740}
    with browser.new_context(viewport=size, color_scheme="dark") as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#status")).to_contain_text("Done")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"


def test_nothing_jumps(browser, address):
    with browser.new_context(viewport={"width": 1100, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(
            "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach("
            "(entry) => { window.moved += entry.value })).observe({type: 'layout-shift', "
            "buffered: true})"
        )
        page.goto(address)
        expect(page.locator("#status")).to_contain_text("Done")
        give(page, "broken.json", "no json")
        expect(page.get_by_role("alert")).to_contain_text("no JSON")
        assert page.evaluate("window.moved") < 0.02


def test_a_busy_a_slow_and_a_lost_service(page):
    answers = iter([503, 503])

    def busy(route):
        status = next(answers, None)
        if status is None:
            return route.continue_()
        return route.fulfill(status=status, body='{"error": "busy"}')

    page.route("**/v1/recognise", busy)
    page.select_option("#clips", "squat")
    expect(page.locator("#status")).to_contain_text("Recognising")
    expect(page.locator("#status")).to_contain_text("Done")
    page.route("**/v1/recognise", lambda route: route.abort())
    page.select_option("#clips", "kick")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")


def test_a_slow_network(browser, address, tmp_path):
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        speed = {"downloadThroughput": 60_000, "uploadThroughput": 60_000}
        network.send("Network.emulateNetworkConditions", speed | {"offline": False, "latency": 300})
        page.goto(address)
        expect(page.locator("#status")).to_contain_text("Done")
        give_video(page, write_video(tmp_path / "v.mkv", frames=20))
        expect(page.locator("#status")).to_contain_text("Sending")
        expect(page.locator("#status")).to_contain_text("Done")


def test_a_token_is_asked_for(browser, predictor):  # noqa: F811
    running = Running(predictor, token="secret")
    try:
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{running.port}/")
            page.get_by_label("Token of the service").fill("secret")
            page.keyboard.press("Enter")
            expect(page.locator("#status")).to_contain_text("Done")
            assert page.get_by_role("button", name="Use the camera").is_disabled()
    finally:
        running.stop()


def test_the_description_for_people(page, address):
    page.get_by_role("link", name="For programs").click()
    expect(page.get_by_role("heading", name="/v1/videos POST")).to_be_visible()
    expect(page.locator("main")).to_contain_text("503: Too many requests at once")


@pytest.mark.skipif(not AXE.is_file(), reason="needs axe-core: npm ci --prefix tests")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(browser, address, scheme):
    for path in ("", "api.html"):
        with browser.new_context(color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(address + path)
            words = ("#status", "Done") if not path else ("#title", "tiny")
            expect(page.locator(words[0])).to_contain_text(words[1])
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("axe.run()")["violations"]
            assert not found, [(fault["id"], fault["nodes"][0]["html"]) for fault in found]
