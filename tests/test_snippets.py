"""What the README and the guides tell readers to type: names, flags and keys exist."""

import ast
import importlib
import importlib.util
import inspect
import re
import shlex
from pathlib import Path

import pytest

from posec3d_jax.config import base, stored
from posec3d_jax.flags import parse

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = ("posec3d_jax", "configs", "experiments", "benchmarks")
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
TEMPLATE = "configs/custom.py"  # stands for a reader's own config, and for `...`


def _blocks(*languages: str) -> list:
    """Each fenced block in one of these languages, named by its page and line."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in BLOCK.finditer(text):
            line = text[: match.start()].count("\n") + 1
            name = f"{page.name}:{line}"
            if match[1] in languages:
                found.append(pytest.param(match[2], id=name))
    return found


@pytest.mark.parametrize("code", _blocks("python"))
def test_names_and_arguments_of_python_exist(code):
    tree, known = ast.parse(code), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OURS:
            for alias in node.names:
                known[alias.asname or alias.name] = _member(node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (called := _called(node.func, known)) is not None:
            keywords = {k.arg for k in node.keywords if k.arg}
            inspect.signature(called).bind_partial(*node.args, **dict.fromkeys(keywords))


def _member(module: str, name: str) -> object:
    found = importlib.import_module(module)
    return getattr(found, name, None) or importlib.import_module(f"{module}.{name}")


def _called(function: ast.expr, known: dict) -> object:
    """What `name(...)` or `module.name(...)` calls, where the page imports it from us."""
    if isinstance(function, ast.Name):
        return known.get(function.id)
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        module = known.get(function.value.id)
        return getattr(module, function.attr) if inspect.ismodule(module) else None
    return None


@pytest.mark.parametrize("code", _blocks("sh", "bash", "console", "shell"))
def test_commands_can_be_typed(code, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(stored, "load_config", lambda workdir: base.get_config())  # a reader's run
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            del words[0]
        if words:
            _check(words)


def _check(words: list[str]) -> None:
    program, *rest = words
    if program == "posec3d":
        _check_command(rest)
    elif program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert {word for word in rest if "=" not in word} <= set(targets)
    elif program.startswith("python") and rest[:1] == ["-m"] and rest[1].split(".")[0] in OURS:
        assert importlib.util.find_spec(rest[1])
    elif program.startswith(OURS):
        assert (ROOT / program).is_file()


def _check_command(arguments: list[str]) -> None:
    """Reads it as the program does; a config that only the reader has is the template."""
    if "|" in arguments or ">" in arguments:
        arguments = arguments[: min(arguments.index(c) for c in "|>" if c in arguments)]
    arguments = [_own(word) for word in arguments]
    try:
        parse(["posec3d", *arguments])
    except SystemExit as end:
        assert not end.code, end.code  # help ends without one


def _own(word: str) -> str:
    flag, equals, value = word.partition("=")
    path, colon, variant = value.partition(":")
    if flag == "--config" and (path == "..." or path.endswith(".py") and not Path(path).exists()):
        return f"--config={TEMPLATE}"
    return word
