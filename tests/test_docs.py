"""The pages: links that lead somewhere, a README of one sitting, a map that shows every room."""

import ast
import re
from pathlib import Path

import pytest

from posec3d_jax.commands.table import COMMANDS, COMMON
from posec3d_jax.config.keys import find_key

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "experiments/*.md", "results/**/*.md")
    for page in ROOT.glob(pattern)
    if "_build" not in page.parts
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|^```\{include\} (\S+)", re.MULTILINE)
CODE = re.compile(r"^(```|~~~)(?!\{).*?^\1", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What can stand behind '#' in a link to the page, as GitHub makes it of the headings."""
    text = CODE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def broken_links(page: Path) -> list[str]:
    """Links of the page to files or headings that there are not; addresses of the web pass."""
    broken = []
    for match in LINK.finditer(CODE.sub("", page.read_text("utf-8"))):
        link = match[1] or match[2]
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A b\n[x](#a-b) [y](#c) [z](none.md) [w](https://example.org)\n")
    assert broken_links(page) == ["#c", "none.md"]


def test_the_readme_can_be_read_in_one_sitting():
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 200 and len(text.split()) <= 1800


def test_the_map_shows_every_room():
    text = (ROOT / "README.md").read_text("utf-8")
    shown = text.split("<!-- map -->")[1].split("<!-- end of map -->")[0]
    rooms = {
        path.stem + "/" * path.is_dir()
        for path in (ROOT / "posec3d_jax").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {"__init__"}
    first = " ".join(line.split("|")[1] for line in shown.splitlines() if line.startswith("|"))
    assert set(re.findall(r"`([\w/]+)`", first)) == rooms


def test_python_in_the_pages_is_python():
    for page in PAGES:
        for code in re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            ast.parse(code)


def test_the_api_pages_name_modules_that_exist():
    for page in (ROOT / "docs" / "api").glob("*.md"):
        for module in re.findall(r"automodule:: (\S+)", page.read_text("utf-8")):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file(), module


def test_commands_in_the_pages_are_commands_with_these_flags_and_keys():
    commands, seen = {command.name: command for command in COMMANDS}, 0
    for page in [*PAGES, *(ROOT / "configs").glob("*.py")]:
        text = page.read_text("utf-8").replace("\\\n", " ")
        for name, rest in re.findall(r"(?:^|`) *posec3d ([a-z-]+)([^`#\n]*)", text, re.M):
            if name == "help":
                continue
            assert name in commands, f"{page.name}: posec3d {name}"
            command, seen = commands[name], seen + 1
            known = {flag.name for flag in (*command.flags, *COMMON)} | {"help", "flagfile"}
            known |= {"config"} if command.config else set()
            for flag in re.findall(r"--(?:no)?([A-Za-z_.]+)", rest):
                key = flag.removeprefix("config.")
                is_key = bool(command.config) and (key == "KEY" or find_key(key) is not None)
                assert flag in known or key != flag and is_key, f"{page.name}: {name} --{flag}"
    assert seen > 50
