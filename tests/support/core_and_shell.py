"""A mesh of two bodies from gmsh: a square core, 20 x 20, in a square shell, 40 x 40."""

from pathlib import Path

import gmsh

#: Areas of the groups of cells; ``body`` holds both others.
AREAS = {"core": 400.0, "shell": 1200.0, "body": 1600.0}


def write_core_and_shell(
    path: Path, version: float = 4.1, names: tuple[str, ...] = tuple(AREAS)
) -> None:
    """Write triangles of at most 4, their bodies named and their interface the group ``inside``."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("Mesh.MshFileVersion", version)
    gmsh.option.setNumber("Mesh.MeshSizeMax", 4)
    square = gmsh.model.occ.addRectangle(0, 0, 0, 40, 40)
    middle = gmsh.model.occ.addRectangle(10, 10, 0, 20, 20)
    _, (parts, [(_, core)]) = gmsh.model.occ.fragment([(2, square)], [(2, middle)])
    gmsh.model.occ.synchronize()
    (shell,) = {tag for _, tag in parts} - {core}
    inside = [tag for _, tag in gmsh.model.getBoundary([(2, core)], oriented=False)]
    gmsh.model.addPhysicalGroup(1, inside, name="inside")
    for name, tags in {"core": [core], "shell": [shell], "body": [core, shell]}.items():
        if name in names:
            gmsh.model.addPhysicalGroup(2, tags, name=name)
    gmsh.model.mesh.generate(2)
    gmsh.write(str(path))
    gmsh.finalize()
