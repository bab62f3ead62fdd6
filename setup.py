"""What pyproject.toml cannot say: a wheel also holds `configs/`, as the folder posec3d_jax/configs.

In a clone, and where the package is installed from one with `pip install -e .`, configs stay where
they are.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Copies the package's modules, and the configs into it."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib) / "posec3d_jax" / "configs"
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((Path(__file__).parent / "configs").glob("*.py")):
            self.copy_file(str(path), str(folder / path.name))


setup(cmdclass={"build_py": BuildWithConfigs})
