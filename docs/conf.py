"""How Sphinx builds the pages: `make docs`."""

import re
import sys
from os.path import relpath
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

project = "posec3d_jax"
author = "The posec3d_jax authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "requirements.txt"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3  # as GitHub, so that links between pages work on both

default_role = "code"  # of `x` in docstrings, which are plain text with backticks

# Signatures show names; types, shapes and errors are in the docstrings.
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"
autodoc_mock_imports = ["tensorflow", "tensorflow_datasets"]  # seconds to import, not needed here

html_theme = "furo"
html_title = "posec3d_jax"
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

# Pages that are written elsewhere in the repository.
ELSEWHERE = {
    "readme": ROOT / "README.md",
    "project/contributing": ROOT / "CONTRIBUTING.md",
    "project/changelog": ROOT / "CHANGELOG.md",
    "project/experiments": ROOT / "experiments" / "README.md",
}
_LINK = re.compile(r"(\]\()(?!\w+:|#)([^)#\s]+)")


def _read(app, docname: str, source: list[str]) -> None:
    """Takes a page from where it is written; its links lead to pages, else to the files."""
    page = ELSEWHERE.get(docname, DOCS / f"{docname}.md")
    if docname in ELSEWHERE:
        source[0] = page.read_text("utf-8")
        app.env.note_dependency(str(page))
    names = {path: DOCS / f"{name}.md" for name, path in ELSEWHERE.items()}
    here = (DOCS / docname).parent

    def link(match: re.Match) -> str:
        target = (page.parent / match[2]).resolve()
        return match[1] + relpath(names.get(target, target), here)

    source[0] = _LINK.sub(link, source[0])


def _as_plain_text(app, what, name, obj, options, lines: list[str]) -> None:
    """Keeps stars and bars of a docstring, which are products and absolute values there."""
    lines[:] = [re.sub(r"(?<!\\)[*|]", r"\\\g<0>", line) for line in lines]


def setup(app) -> None:
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _as_plain_text, priority=400)  # before napoleon's
