"""Who may import whom: floors, and the heavy libraries that only some files may load."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "posec3d_jax"

# An import goes to the same floor or a lower one, without cycles.
FLOORS = {
    0: "skeletons layouts declarations label_spaces metrics host tables disk checksums distributed "
    "video",
    1: "heatmaps strokes geometry noise encoders models sharding optimizer recognizer dispatch",
    2: "data",
    3: "train evaluate predict checkpoints reports prepare inspection fusion metric_writer "
    "weights drawing charts html_page event_file evaluation_files provenance run_log plan "
    "initialize preview summary training_loop checkpoint_files identity preemption watchdog "
    "divergence config_ranges checkpoint_vetting resident poses",
    4: "main __init__",
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms.split()}

# Libraries that belong to few files; a folder stands for what is in it.
ONLY_IN = {
    "tensorflow": ("data/tfds_builder.py", "data/tf_pipeline.py", "main.py"),
    "tensorflow_datasets": ("data/",),
    "orbax": ("checkpoints.py",),
    "tensorstore": ("checkpoint_vetting.py",),
}
LOADS_TENSORFLOW = {"posec3d_jax.data.tfds_builder", "posec3d_jax.data.tf_pipeline"}
# The installed package has none of these beside it.
OUTSIDE = {"configs", "experiments", "benchmarks", "tests"}


def _sources() -> dict[str, str]:
    files = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in files}


def _imports(file: str, source: str) -> list[tuple[str, int, bool]]:
    """(absolute dotted name, line, whether it is inside a function) of every import."""
    found = []

    def visit(node: ast.AST, lazy: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend((alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = ("posec3d_jax", *Path(file).parent.parts)
            base = [*here[: len(here) + 1 - node.level]] if node.level else []
            base += [node.module] if node.module else []
            found.extend((".".join([*base, a.name]), node.lineno, lazy) for a in node.names)
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, lazy)

    visit(ast.parse(source), lazy=False)
    return found


def _room(dotted: str) -> str:
    """The first name below the package: 'posec3d_jax.data.records' is in the room 'data'."""
    return (dotted.split(".") + ["__init__"])[1]


def _faults(file: str, source: str) -> list[str]:
    """Every rule that this file of the package breaks, in words."""
    room = Path(file).parts[0].removesuffix(".py")
    if room not in FLOOR:
        return [f"{file}: '{room}' has no floor yet; give it one in FLOORS of tests/test_layers.py"]
    faults = []
    for name, line, lazy in _imports(file, source):
        where, library = f"{file}:{line} imports {name}", name.split(".")[0]
        if library == "posec3d_jax":
            below = FLOOR.get(_room(name))
            if below is None:
                faults.append(f"{where}, a room with no floor in FLOORS of tests/test_layers.py")
            elif below > FLOOR[room]:
                faults.append(f"{where}: floor {FLOOR[room]} must not know floor {below}")
            elif room == "data" and below == 1:
                faults.append(f"{where}: data/ may use floor 0 only")
        if room == "data" and library in ("jax", "jaxlib", "flax", "optax"):
            faults.append(f"{where}: data/ stays on the host, without jax")
        if library in ONLY_IN and not file.startswith(ONLY_IN[library]):
            faults.append(f"{where}: only {', '.join(ONLY_IN[library])} may")
        if library == "tensorflow" and file == "main.py" and not lazy:
            faults.append(f"{where} at the top: import it inside a function")
        if library in OUTSIDE:
            faults.append(f"{where}: the package does not know what is outside it")
    return faults


def test_imports_go_only_downwards():
    faults = [fault for file, source in _sources().items() for fault in _faults(file, source)]
    assert not faults, "\n" + "\n".join(faults)


def test_no_two_modules_import_each_other():
    sources = _sources()
    modules = {_dotted(file): file for file in sources}
    graph: dict[str, set[str]] = {}
    for module, file in modules.items():
        names = {name for name, _, _ in _imports(file, sources[file])}
        # `from module import function` names no module; `from package import module` does.
        names = {name if name in modules else name.rpartition(".")[0] for name in names}
        graph[module] = (names & set(modules)) - {module}
    graph.pop("posec3d_jax")  # the root package is what every import passes through
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other in a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("heatmaps.py", "from posec3d_jax.train import fit", "floor 1 must not know floor 3"),
        ("heatmaps.py", "def f():\n    from . import train", "floor 1 must not know floor 3"),
        ("data/records.py", "from ..geometry import flip", "data/ may use floor 0 only"),
        ("data/readers/ntu.py", "import jax.numpy as jnp", "without jax"),
        ("data/records.py", "import tensorflow as tf", "only data/tfds_builder.py"),
        ("main.py", "import tensorflow as tf", "inside a function"),
        ("train.py", "from orbax.checkpoint import v1", "only checkpoints.py"),
        ("train.py", "from configs.base import get_config", "outside it"),
        ("cellar.py", "", "'cellar' has no floor yet; give it one in FLOORS"),
        ("main.py", "from posec3d_jax.cellar import wine", "a room with no floor"),
    ],
)
def test_the_rules_catch_what_they_forbid(file, source, expected):
    (fault,) = _faults(file, source)
    assert expected in fault


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("train.py", "from posec3d_jax import checkpoints, heatmaps\nimport jax"),
        ("data/records.py", "from posec3d_jax.skeletons import Skeleton"),
        ("data/readers/sbu.py", "from ..records import SkeletonSequence"),
        ("main.py", "def run():\n    import tensorflow as tf"),
    ],
)
def test_the_rules_allow_what_they_should(file, source):
    assert _faults(file, source) == []


def test_importing_the_package_and_its_data_loads_no_tensorflow():
    names = {_dotted(file) for file in _sources()}
    data = {name for name in names if name.startswith("posec3d_jax.data")} - LOADS_TENSORFLOW
    imports = "\n".join(f"import {name}" for name in ["posec3d_jax", *sorted(data)])
    check = "import sys\nif 'tensorflow' in sys.modules: sys.exit('tensorflow was imported')"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}\n{check}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _dotted(file: str) -> str:
    """'data/__init__.py' is 'posec3d_jax.data'."""
    parts = Path(file).with_suffix("").parts
    return ".".join(["posec3d_jax", *(part for part in parts if part != "__init__")])
