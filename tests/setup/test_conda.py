"""conda's environment and the package ask for the same libraries."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
#: conda-forge's names of what PyPI calls otherwise.
NAMES = {"matplotlib-base": "matplotlib", "python-build": "build"}
#: What pip cannot supply: see pyproject.toml.
BEYOND_PIP = {
    *("fenics-dolfinx", "petsc4py", "petsc", "mpi4py", "openmpi", "h5py", "python-gmsh"),
    *("c-compiler", "pip"),
}

pytestmark = pytest.mark.skipif(not (ROOT / "environment.yml").exists(), reason="runs from a clone")


def read_environment():
    """Version bounds by conda-forge's name."""
    text = (ROOT / "environment.yml").read_text()
    lines = re.findall(r"^  - ([\w.-]+)[ ]*([^#\n:]*)", text, re.MULTILINE)
    return {name: bounds.strip() for name, bounds in lines if name != "conda-forge"}


def read_project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_conda_users_get_every_library_of_the_package_and_its_tests_in_the_same_versions():
    project = read_project()
    stated = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    wanted = {canonicalize_name(r.name): str(r.specifier) for r in map(Requirement, stated)}
    environment = read_environment()
    python = environment.pop("python")
    assert python == project["requires-python"]
    given = {
        canonicalize_name(NAMES.get(name, name)): str(Requirement(f"x{bounds}").specifier)
        for name, bounds in environment.items()
        if name not in BEYOND_PIP
    }
    assert given == wanted
    assert environment.keys() >= BEYOND_PIP
