"""The pictures of docs/serve.md: the page in Chromium with a built-in clip, wide and on a phone.

python -m benchmarks.page_pictures [--clip=jumping_jack] [--out=docs]
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks.served import serving
from posec3d_jax.weights.builtin import builtin_run

COLOURS = 96
VIEWS = {
    "serve_page": ({"width": 1200, "height": 1060}, "light"),
    "serve_page_phone": ({"width": 390, "height": 844}, "dark"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clip", default="jumping_jack")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    with serving(builtin_run()) as served, sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu"]
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        for name, (size, scheme) in VIEWS.items():
            page = chromium.new_page(viewport=size, color_scheme=scheme)
            page.set_default_timeout(60_000)
            page.goto(served.url("/"))
            page.locator("#status", has_text="Done").wait_for()
            with page.expect_response("**/v1/volume"):
                page.select_option("#clips", options.clip)
            page.locator("#status", has_text="Done").wait_for()
            page.wait_for_timeout(2000)  # into the clip
            picture = Image.open(io.BytesIO(page.screenshot()))
            few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(options.out / f"{name}.png", optimize=True)
        chromium.close()


if __name__ == "__main__":
    main()
