"""Who may import whom: rooms, the heavy libraries that only some files may load, and no circles."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "posec3d_jax"
OUTSIDE = ("configs", "experiments", "benchmarks", "tests")  # an installed package has none of them

GROUND = "skeletons files machine kernels"
VERBS = "prepare extract train evaluate predict recognise fuse"
BELOW_VERBS = f"{GROUND} config data video encoders networks steps runs engines"
# A room, and the rooms that it may import besides itself.
MAY_IMPORT = {
    **dict.fromkeys(GROUND.split(), ""),
    "data": "skeletons files",
    "video": "skeletons files",
    "config": "skeletons files",
    "encoders": "kernels skeletons",
    "networks": "kernels skeletons",
    "steps": "encoders networks kernels skeletons machine",
    "runs": "steps data files config machine skeletons encoders",
    "engines": f"{GROUND} config data encoders steps",
    **dict.fromkeys(
        f"{VERBS} poses weights reports export".split(),
        f"{BELOW_VERBS} {VERBS} poses weights reports",
    ),
    "server": f"{BELOW_VERBS} {VERBS} poses weights reports export",
    "commands": f"{BELOW_VERBS} {VERBS} poses weights reports export server",
    "flags": "config files commands",
    "main": f"{BELOW_VERBS} {VERBS} poses weights reports export server commands flags",
    "__init__": "",
}
HOST_ROOMS = ("data", "video")  # they never load jax
# Libraries that belong to few files; a folder stands for what is in it.
ONLY_IN = {
    "tensorflow": ("data/stored/tfds_builder.py", "data/feed/tf_pipeline.py", "machine/"),
    "tensorflow_datasets": ("data/stored/",),
    "orbax": ("runs/orbax_trees.py",),
    "apache_beam": ("poses/beam.py",),
    "etils": ("files/buckets.py",),
    "tensorstore": ("runs/vetting.py", "runs/verification.py"),
}
LOADS_TENSORFLOW = {
    "posec3d_jax.data.stored.tfds_builder",
    "posec3d_jax.data.feed.tf_pipeline",
}


def _sources(root: Path, folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.py"))
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in files}


def _imports(file: str, source: str) -> list[tuple[str, int]]:
    """(absolute dotted name, line) of every import of a file of the repository."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.extend((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = Path(file).parent.parts
            base = [*here[: len(here) + 1 - node.level]] if node.level else []
            base += [node.module] if node.module else []
            found.extend((".".join([*base, a.name]), node.lineno) for a in node.names)
    return found


def _faults(file: str, source: str) -> list[str]:
    """Every rule that this file of the package breaks, in words."""
    room = Path(file).parts[0].removesuffix(".py")
    if room not in MAY_IMPORT:
        return [f"{file}: '{room}' has no row in MAY_IMPORT of tests/test_layers.py"]
    faults = []
    for name, line in _imports(f"posec3d_jax/{file}", source):
        where, (library, *rest) = f"{file}:{line} imports {name}", name.split(".")
        if library == "posec3d_jax" and rest and rest[0] != room:
            if rest[0] not in MAY_IMPORT[room].split():
                known = MAY_IMPORT[room] or "no other room"
                faults.append(f"{where}: {room} may import {known}")
        if room in HOST_ROOMS and library in ("jax", "jaxlib", "flax", "optax"):
            faults.append(f"{where}: {room} stays on the host, without jax")
        if library in ONLY_IN and not file.startswith(ONLY_IN[library]):
            faults.append(f"{where}: only {', '.join(ONLY_IN[library])} may")
        if library in OUTSIDE:
            faults.append(f"{where}: the package does not know what is outside it")
    return faults


def test_rooms_import_what_they_may():
    sources = _sources(PACKAGE, PACKAGE)
    faults = [fault for file, source in sources.items() for fault in _faults(file, source)]
    assert not faults, "\n" + "\n".join(faults)


def test_a_newcomer_finds_few_files_beside_the_rooms():
    assert len(list(PACKAGE.glob("*.py"))) <= 10


def test_files_and_functions_are_short():
    sources = _sources(PACKAGE, PACKAGE)
    lengths = {file: source.count("\n") for file, source in sources.items()}
    for file, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.end_lineno - node.lineno >= 60:
                    pytest.fail(f"{file}: {node.name} has more than 60 lines")
    assert max(lengths.values()) <= 300, max(lengths, key=lengths.get)
    assert median(lengths.values()) <= 130


def test_no_files_import_each_other_in_a_circle():
    """In the whole repository, imports inside functions included."""
    sources: dict[str, str] = {}
    for folder in ("posec3d_jax", *OUTSIDE):
        sources |= _sources(ROOT, ROOT / folder)
    modules = {_dotted(file): file for file in sources}
    graph: dict[str, set[str]] = {}
    for module, file in modules.items():
        names = {name for name, _ in _imports(file, sources[file])}
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
        ("encoders/heatmaps.py", "from posec3d_jax.train import fit", "may import kernels"),
        ("encoders/heatmaps.py", "def f():\n    from .. import train", "may import kernels"),
        ("data/records.py", "from ..encoders.geometry import flip", "data may import skeletons"),
        ("data/records.py", "from ..kernels.norm import x", "data may import skeletons"),
        ("data/readers/ntu.py", "import jax.numpy as jnp", "without jax"),
        ("data/records.py", "import tensorflow as tf", "only data/stored/tfds_builder.py"),
        ("runs/loop.py", "from orbax.checkpoint import v1", "only runs/orbax_trees.py"),
        ("runs/loop.py", "from posec3d_jax import networks", "runs may import steps"),
        ("kernels/norm.py", "from posec3d_jax.files.disk import x", "import no other room"),
        ("train.py", "from configs.demo import get_config", "outside it"),
        ("cellar.py", "", "'cellar' has no row in MAY_IMPORT"),
        ("main.py", "from posec3d_jax.cellar import wine", "main may import"),
    ],
)
def test_the_rules_catch_what_they_forbid(file, source, expected):
    (fault,) = _faults(file, source)
    assert expected in fault


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("train.py", "from posec3d_jax.runs import checkpoints\nimport jax"),
        ("data/records.py", "from posec3d_jax.skeletons.skeleton import Skeleton"),
        ("data/readers/sbu.py", "from ..records import SkeletonSequence"),
    ],
)
def test_the_rules_allow_what_they_should(file, source):
    assert _faults(file, source) == []


def test_importing_the_package_and_its_data_loads_no_tensorflow():
    names = {_dotted(file) for file in _sources(ROOT, PACKAGE)}
    data = {name for name in names if name.startswith("posec3d_jax.data")} - LOADS_TENSORFLOW
    imports = "\n".join(f"import {name}" for name in ["posec3d_jax", *sorted(data)])
    check = "import sys\nif 'tensorflow' in sys.modules: sys.exit('tensorflow was imported')"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}\n{check}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _dotted(file: str) -> str:
    """'posec3d_jax/data/__init__.py' is 'posec3d_jax.data'."""
    parts = Path(file).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")
