"""The page in a real Chromium: clips, files, keyboard, phone, slow and broken networks."""

import json
import os
import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytest.importorskip("uvicorn", reason="needs the extra `serve`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM:
    pytest.skip("needs Chromium", allow_module_level=True)

from tests.test_serve import Running, predictor  # noqa: E402, F401

FLAGS = ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--no-first-run"]
FLAGS += ["--no-sandbox"] * (os.geteuid() == 0)
expect = playwright.expect
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def address(predictor):  # noqa: F811
    running = Running(predictor)
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


def test_built_in_clips_and_files_are_recognised(page, address):
    expect(page.locator("#rows tr")).to_have_count(1)
    page.select_option("#clips", "jumping_jack")
    expect(page.locator("#status")).to_contain_text("Done")
    clip = page.request.get(f"{address}v1/clips/wave").json()
    longer = {"keypoint": [clip["keypoint"][0] * 6], "frame_size": clip["frame_size"]}
    give(page, "long.json", longer)
    expect(page.locator("#status")).to_contain_text("windows")
    assert page.locator("#rows tr").count() > 3


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


def test_the_keyboard_alone(page):
    page.get_by_label("Built-in clips").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#status")).to_contain_text("Done")
    page.locator("#play").focus()
    page.keyboard.press("Space")
    page.evaluate("document.activeElement.blur()")
    if page.locator("#play").text_content() == "Stop":
        page.keyboard.press("Space")
    before = page.locator("#time").text_content()
    page.keyboard.press("ArrowRight")
    assert page.locator("#time").text_content() != before


def test_a_phone_in_the_dark(browser, address):
    size = {"width": 360, "height": 740}
    with browser.new_context(viewport=size, color_scheme="dark") as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#status")).to_contain_text("Done")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"


def test_a_busy_and_a_lost_service(page):
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


def test_everything_has_a_name(page):
    names = page.evaluate(
        """() => [...document.querySelectorAll('input, select, button, canvas')].map(
          (e) => e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim())"""
    )
    assert all(names) and page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"
