"""`posec3d configs`."""

import ast
from pathlib import Path

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Lists the packaged configs, or prints one."""
    from posec3d_jax.config.files import find_config, packaged_configs

    if len(request.arguments) > 1:
        raise ValueError("expected one name: posec3d configs NAME > mine.py")
    for name in request.arguments:
        print(find_config(name.split(":", 1)[0]).read_text("utf-8"), end="")
        return
    for name, path in packaged_configs().items():
        print(f"{name:<20}{_first_line(path)}")


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
